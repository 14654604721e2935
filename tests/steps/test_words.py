# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The grammar of sentences is exact, in both languages."""

from __future__ import annotations

import pytest

from drdrill.errors import BadInput
from drdrill.estate.durations import Deadline
from drdrill.steps.words import Sentence

AGAIN = Sentence('service "{service}" is available again at site "{site}" within {deadline:rto}')


@pytest.mark.parametrize("quotes", ['""', "“”"])
def test_names_stand_in_either_quotes(quotes: str):
    left, right = quotes
    text = f"service {left}patient registration{right} is available again at site {left}east{right} within its RTO"
    assert AGAIN.is_matching(text)
    assert AGAIN.parse_arguments(text) == {
        "service": "patient registration",
        "site": "east",
        "deadline": Deadline(promise="rto"),
    }


@pytest.mark.parametrize(
    "text",
    [
        'service "a” is available again at site "b" within its RTO',
        'service "a" is available again at site "b" within ',
        'service "a"  is available again at site "b" within its RTO',
        'service "" is available again at site "b" within its RTO',
        'service a is available again at site "b" within its RTO',
        'The service "a" is available again at site "b" within its RTO',
        'service "a" is available again within its RTO',
    ],
)
def test_what_is_not_the_sentence_does_not_match(text: str):
    assert not AGAIN.is_matching(text)
    assert AGAIN.parse_arguments(text) is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("10 s", 10), ("500 ms", 0.5), ("2 min", 120), ("10 秒", 10), ("500 毫秒", 0.5), ("2 分钟", 120), ("1.5 s", 1.5)],
)
def test_a_duration_is_read_in_both_languages(written: str, seconds: float):
    arguments = Sentence("故障保持 {seconds:duration}").parse_arguments(f"故障保持 {written}")
    assert arguments == {"seconds": seconds}


@pytest.mark.parametrize(
    ("kind", "written", "deadline"),
    [
        ("rto", "its RTO", Deadline(promise="rto")),
        ("rto", "其 RTO", Deadline(promise="rto")),
        ("rto", "3 s", Deadline(seconds=3.0)),
        ("recovery", "its recovery time", Deadline(promise="recovery")),
        ("recovery", "其恢复时间", Deadline(promise="recovery")),
        ("recovery", "2 分钟", Deadline(seconds=120.0)),
    ],
)
def test_a_deadline_may_be_the_promise_of_its_sentence(kind: str, written: str, deadline: Deadline):
    assert Sentence(f"within {{deadline:{kind}}}").parse_arguments(f"within {written}") == {"deadline": deadline}


@pytest.mark.parametrize(
    ("kind", "written"), [("rto", "its recovery time"), ("recovery", "其 RTO"), ("duration", "its RTO")]
)
def test_a_promise_of_another_kind_is_bad_input(kind: str, written: str):
    with pytest.raises(BadInput, match=written):
        Sentence(f"within {{deadline:{kind}}}").parse_arguments(f"within {written}")


@pytest.mark.parametrize("written", ["soon", "10", "10 parsecs", "-1 s", "ten s", "its rto"])
def test_what_is_no_duration_matches_and_says_so(written: str):
    sentence = Sentence("the fault is held for {seconds:duration}")
    text = f"the fault is held for {written}"
    assert sentence.is_matching(text)
    with pytest.raises(BadInput, match="no duration"):
        sentence.parse_arguments(text)


SOUTH = Sentence('服务"{service}"在数据中心"{site}"于 {deadline:rto} 内恢复可用')
HELD = Sentence("故障保持 {seconds:duration}")
CUT = Sentence('site "{site}" is isolated')


@pytest.mark.parametrize(
    ("sentence", "written", "exact"),
    [
        (SOUTH, '服务"a b"在数据中心"south"于其RTO内恢复可用', '服务"a b"在数据中心"south"于 其 RTO 内恢复可用'),
        (SOUTH, "服务“a”在数据中心“south”于　１０　秒　内恢复可用", '服务"a"在数据中心"south"于 10 秒 内恢复可用'),
        (SOUTH, "服务「a」在数据中心『b』于 其  RTO 内恢复可用", '服务"a"在数据中心"b"于 其 RTO 内恢复可用'),
        (HELD, "故障保持10秒", "故障保持 10 秒"),
        (HELD, "故障 保持 <t>", "故障保持 <t>"),
        (CUT, 'site  "east"  is isolated ', 'site "east" is isolated'),
        (CUT, 'site "east” is isolated', 'site "east" is isolated'),
        (CUT, "site ‘east’ is isolated", 'site "east" is isolated'),
        (CUT, "site ＂east＂ is isolated", 'site "east" is isolated'),
        (CUT, 'site " east " is isolated', 'site "east" is isolated'),
        (CUT, 'site "<x>"is isolated', 'site "<x>" is isolated'),
        (AGAIN, 'service "a" is available again at site "b" within itsRTO',
         'service "a" is available again at site "b" within its RTO'),
    ],
)  # fmt: skip
def test_what_only_differs_in_spaces_quotes_and_width_is_known(sentence: Sentence, written: str, exact: str):
    assert sentence.nearly(written) == exact
    assert sentence.nearly(exact) == exact


@pytest.mark.parametrize(
    "written",
    [
        "site east is isolated",
        'site "east" is isolatd',
        'Site "east" is isolated',
        'site "east" is isolated at once',
        "",
    ],
)
def test_what_differs_in_more_is_another_sentence(written: str):
    assert CUT.nearly(written) is None


def test_the_time_of_one_sentence_does_not_swallow_the_site_of_another():
    again = Sentence('服务"{service}"在 {deadline:rto} 内恢复可用')
    assert again.nearly('服务"a"在数据中心"b"于 其 RTO 内恢复可用') is None
    assert again.nearly('服务"a"在其RTO内恢复可用') == '服务"a"在 其 RTO 内恢复可用'


@pytest.mark.parametrize("written", ["-1", "2.5", "many", ""])
def test_a_number_is_whole(written: str):
    assert not Sentence("{rate:number} writes").is_matching(f"{written} writes")


@pytest.mark.parametrize(
    ("kind", "written", "role"),
    [
        ("role", "database", "database"),
        ("role", "entry", "entry"),
        ("角色", "应用", "application"),
        ("角色", "入口", "entry"),
    ],
)
def test_a_role_is_one_word_in_both_languages(kind: str, written: str, role: str):
    assert Sentence(f"the {{role:{kind}}} host").parse_arguments(f"the {written} host") == {"role": role}


@pytest.mark.parametrize("written", ["web", "数据库", "Database"])
def test_an_unknown_role_is_no_sentence(written: str):
    assert not Sentence("the {role:role} host").is_matching(f"the {written} host")


LOSS = Sentence('campus "{campus}" is isolated{quorum_loss:expected}')
LOSS_ZH = Sentence('院区"{campus}"被隔离{quorum_loss:预期}')


def test_the_loss_of_quorum_is_expected_where_the_sentence_says_so():
    assert LOSS.parse_arguments('campus "South" is isolated') == {"campus": "South", "quorum_loss": False}
    assert LOSS.parse_arguments('campus "South" is isolated with expected loss of quorum') == {
        "campus": "South",
        "quorum_loss": True,
    }
    assert LOSS_ZH.parse_arguments("院区“South”被隔离") == {"campus": "South", "quorum_loss": False}
    assert LOSS_ZH.parse_arguments("院区“South”被隔离并预期失去仲裁") == {"campus": "South", "quorum_loss": True}


def test_another_end_is_another_sentence():
    assert not LOSS.is_matching('campus "South" is isolated with expected loss')
    assert not LOSS_ZH.is_matching("院区“South”被隔离并")


def test_an_end_that_is_typed_with_other_spaces_is_still_that_end():
    exact = 'campus "South" is isolated with expected loss of quorum'
    assert LOSS.nearly('campus "South"is isolated with  expected loss ofquorum') == exact
    assert LOSS_ZH.nearly("院区「South」被隔离 并预期 失去仲裁") == '院区"South"被隔离并预期失去仲裁'
