# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One host answers for an address, or it is said which do."""

from __future__ import annotations

import pytest

from drdrill.checkers.one_holder import Heard, conclude, settled
from drdrill.checkers.verdict import Judgement, Verdict

ONE, OTHER, BOTH, NOBODY = Heard(("lb1",)), Heard(("lb2",)), Heard(("lb1", "lb2")), Heard()
DEAF = Heard(words="nobody at site east can be asked")


def judged(*looks: Heard) -> Judgement:
    return conclude("registration", "east", "10.71.0.100", looks, within_s=15.0, took_s=1.5)


@pytest.mark.parametrize(
    ("looks", "verdict", "words"),
    [
        ((ONE, ONE), Verdict.PASS, "Only lb1 answers for 10.71.0.100"),
        ((BOTH, BOTH, OTHER, OTHER), Verdict.PASS, "Only lb2 answers"),
        ((ONE, BOTH), Verdict.FAIL, "2 hosts answer for 10.71.0.100: lb1, lb2 after 15 s"),
        ((ONE, NOBODY), Verdict.FAIL, "Nobody answers for 10.71.0.100 after 15 s"),
        ((BOTH, ONE), Verdict.UNKNOWN, "still changing after 15 s, in 2 looks: lb1 and lb2 answer, then lb1 answers"),
        ((ONE, OTHER), Verdict.UNKNOWN, "still changing"),
        ((ONE, ONE, DEAF), Verdict.UNKNOWN, "nobody at site east can be asked"),
        ((), Verdict.UNKNOWN, "nobody was asked"),
    ],
)
def test_the_last_looks_decide(looks: tuple[Heard, ...], verdict: Verdict, words: str) -> None:
    found = judged(*looks)
    assert found.verdict is verdict
    assert words in found.message


def test_one_look_is_not_enough() -> None:
    assert settled([ONE]) is None
    assert judged(ONE).verdict is Verdict.UNKNOWN


def test_what_could_not_be_asked_is_not_counted_as_seen() -> None:
    assert judged(DEAF, ONE, ONE).saw == {"looks": 2}
