# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Plans, approvals and keys that somebody made to deceive: each is refused or shown as it is, and none is a traceback."""

from __future__ import annotations

import base64
import json
import string
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.checkers.verdict import Result
from drdrill.cli.plan_words import lines
from drdrill.connect.fake_world import World
from drdrill.drill import signing
from drdrill.drill.approvals import moment, read
from drdrill.drill.call import Call
from drdrill.drill.drill import About, Drill
from drdrill.drill.permit import Permit
from drdrill.drill.plan import Scenario, Written, fault_words, plan
from drdrill.drill.planned_estate import bare
from drdrill.errors import BadInput, Refused
from drdrill.estate.model import Approvals
from drdrill.estate.schema import ApprovalsPart
from drdrill.faults.site_isolated import SiteIsolated

if TYPE_CHECKING:
    from pathlib import Path

EAST = SiteIsolated("east")
STRIKE = Written(EAST.title, "a.feature:3", "faults.py:1", (Call("drill", "strike", (EAST,)),))
_BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"


def test_a_text_that_would_hide_a_strike_is_shown_as_it_is_written(tmp_path: Path) -> None:
    hidden = Written("When \x1b[2K\x1b[1Anothing\u202e is struck", "a.feature:3", "faults.py:1", STRIKE.calls)
    told = "\n".join(lines(plan(fake_estate(tmp_path), [Scenario("quiet\x1b[8m", "a.feature:2", (hidden,))], {})))
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert r"\x1b[2K\x1b[1Anothing\u202e is struck" in told
    assert r"quiet\x1b[8m" in told


def test_what_is_written_in_chinese_stays_as_it_is(tmp_path: Path) -> None:
    chinese = Written("当 数据中心“east”\u3000被隔离", "a.feature:3", "faults.py:1")
    told = "\n".join(lines(plan(fake_estate(tmp_path), [Scenario("隔离", "a.feature:2", (chinese,))], {})))
    assert "数据中心“east”\u3000被隔离" in told or "数据中心“east” 被隔离" in told


def test_one_key_in_two_spellings_is_one_person(tmp_path: Path) -> None:
    key = signing.new_key(tmp_path / "k")
    other = f"{key[:-2]}{_BASE64[_BASE64.index(key[-2]) + 1]}="
    assert base64.b64decode(other[8:], validate=True) == base64.b64decode(key[8:], validate=True)
    assert ApprovalsPart(needed=1, keys={"anna": other}).keys == {"anna": key}


@pytest.mark.parametrize("written", ["9999-12-31T23:59-05:00", "0001-01-01T00:00+05:00"])
def test_a_time_beyond_the_calendar_is_no_time(written: str) -> None:
    with pytest.raises(BadInput, match="is not a time such as"):
        moment(written)


@pytest.mark.parametrize("word", ["\ud800", "\x1b[2Jall is well"])
@pytest.mark.parametrize("key", ["digest", "estate", "person"])
def test_an_approval_with_what_is_no_text_is_none(key: str, word: str, tmp_path: Path) -> None:
    window = {"from": "2020-01-01T00:00Z", "until": "2199-01-01T00:00Z"}
    said = {"digest": "0" * 64, "estate": "fake", "person": "anna", **window, key: word}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"approval": said, "signature": "x"}))
    with pytest.raises(BadInput, match="is no approval as"):
        read(path)


@pytest.mark.parametrize("password", ["hunter2", "hun?ter2", "hun/ter2", "hun#ter2", "hun@ter2", "hun:ter2"])
def test_no_part_of_a_password_is_in_a_plan_whatever_is_in_it(password: str) -> None:
    one, two = (bare(f"ssh://root:{password}@10.0.0.{n}:22/x?token={password}") for n in (1, 2))
    assert "hun" not in one
    assert "ter2" not in one
    assert one != two


def test_an_address_without_a_password_stays_as_it_is() -> None:
    for way in (
        "lab",
        "ssh://10.0.0.1:22/x",
        "ssh://root@[fe80::1]:22",
        "ssh://[::1]:22/a@b",
        "http://east.example/a@b",
    ):
        assert bare(way) == way


def test_a_fault_that_is_no_dataclass_is_told_apart_by_its_title() -> None:
    class Opaque:
        name = "opaque"

        def __init__(self, title: str) -> None:
            self.title = title

    assert fault_words(Opaque("a")) != fault_words(Opaque("b"))  # type: ignore[arg-type]


def test_limits_guards_and_versions_are_in_a_plan_and_bound(tmp_path: Path) -> None:
    estate = fake_estate(tmp_path)
    made: dict[str, Any] = {"guards": ("votes", "copies"), "versions": {"drdrill": "1", "hospital-faults": "2"}}
    planned = plan(estate, [Scenario("s", "a.feature:2", (STRIKE,))], {}, **made)
    told = "\n".join(lines(planned))
    assert "guards     votes, copies: each is asked before each strike" in told
    assert "limits     sites_down 1, hosts_down 3, longest_fault_s 600" in told
    assert "drdrill 1, hospital-faults 2" in told
    for key, other in (("guards", ("votes",)), ("versions", {"drdrill": "1", "hospital-faults": "3"})):
        scenario = [Scenario("s", "a.feature:2", (STRIKE,))]
        assert plan(estate, scenario, {}, **{**made, key: other}).digest != planned.digest


def test_without_any_guard_the_plan_says_so(tmp_path: Path) -> None:
    assert "guards     none are installed" in "\n".join(lines(plan(fake_estate(tmp_path), [], {}, guards=())))


@pytest.mark.parametrize("marked", [{"production": True}, {"approvals": Approvals(1, {"anna": "ed25519:x"})}])
def test_a_drill_that_needs_approvals_and_was_never_planned_does_not_begin(
    marked: dict[str, Any], tmp_path: Path
) -> None:
    estate = replace(fake_estate(tmp_path), **marked)
    with pytest.raises(Refused, match="was not planned"):
        Drill.begin(estate, About("s", "f"), tmp_path / "out", print)
    assert World.of(estate).calls == []
    assert not (tmp_path / "out").exists()


def test_a_probe_whose_record_has_holes_is_no_success(tmp_path: Path) -> None:
    estate = fake_estate(tmp_path)
    whole = plan(estate, [Scenario("s", "a.feature:2", (STRIKE,))], {})
    permit = Permit(whole, whole.drills[0], now=lambda: datetime.now(UTC), probe_only=True)
    drill = Drill.begin(estate, About("s", "f"), tmp_path / "out", print, permit=permit)
    drill.nouns["drill"].strike(EAST)
    drill.journal.lost.append("an event of the end")
    ended = drill.finish(None)
    assert (ended.result, ended.tried) == (Result.INCONCLUSIVE, False)
