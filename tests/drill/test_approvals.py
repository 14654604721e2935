# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""When an approval counts and when not, key by key."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from estates import fake_estate

from drdrill.drill import signing
from drdrill.drill.approvals import Approval, moment, read, refusals
from drdrill.drill.plan import Plan, plan
from drdrill.errors import BadInput
from drdrill.estate.model import Approvals

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2027, 5, 2, 12, tzinfo=UTC)


class Office:
    """Anna, Bao and Eve; Eve may not approve."""

    def __init__(self, folder: Path) -> None:
        self.public = {name: signing.new_key(folder / f"{name}.key") for name in ("anna", "bao", "eve")}
        self.keys = {name: signing.read_key(folder / f"{name}.key") for name in self.public}
        who = Approvals(2, {name: self.public[name] for name in ("anna", "bao")})
        self.plan: Plan = plan(replace(fake_estate(folder), approvals=who, production=True), [], {"a.feature": "00"})

    def yes(self, person: str, key: str = "", **other: object) -> Approval:
        one = Approval(self.plan.digest, "fake", person, NOON, NOON + timedelta(hours=1), shown=f"{person}.json")
        one = replace(one, **other)  # type: ignore[arg-type]
        return replace(one, signature=signing.sign(self.keys[key or person], one.signed))

    def refusals(self, *given: Approval, now: datetime = NOON, probe_only: bool = False) -> str:
        return "\n".join(refusals(self.plan, given, now, signing.verifies, probe_only=probe_only))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_two_persons_in_their_window_are_enough(office: Office) -> None:
    assert office.refusals(office.yes("anna"), office.yes("bao")) == ""


def test_one_is_too_few(office: Office) -> None:
    assert (
        "marked production, and this run needs the approval of 2 different persons and has 1 (anna)"
        in office.refusals(office.yes("anna"))
    )
    assert "has none; who may approve: anna, bao" in office.refusals()


def test_one_person_counts_once(office: Office) -> None:
    assert "anna has approved 2 times" in office.refusals(office.yes("anna"), office.yes("anna"))


def test_another_plan(office: Office) -> None:
    other = office.yes("anna", digest="0" * 64)
    assert "anna.json: is for the plan 000000000000, and this run is" in office.refusals(other, office.yes("bao"))


def test_another_estate(office: Office) -> None:
    other = office.yes("anna", estate="staging")
    assert 'is for the estate "staging", and this one is "fake"' in office.refusals(other, office.yes("bao"))


@pytest.mark.parametrize(
    ("minutes", "words"), [(-1, "opens at 2027-05-02T12:00"), (60, "is over since 2027-05-02T13:00")]
)
def test_a_window_that_is_closed(office: Office, minutes: int, words: str) -> None:
    found = office.refusals(office.yes("anna"), office.yes("bao"), now=NOON + timedelta(minutes=minutes))
    assert found.count(f"its window {words}") == 2


def test_somebody_who_may_not(office: Office) -> None:
    assert 'nobody called "eve" may approve' in office.refusals(office.yes("anna"), office.yes("eve"))


def test_a_forged_signature(office: Office) -> None:
    words = "its signature is not one of bao"
    assert words in office.refusals(office.yes("anna"), office.yes("bao", key="eve"))
    later = replace(office.yes("bao"), end=NOON + timedelta(days=1))
    assert words in office.refusals(office.yes("anna"), later)
    assert words in office.refusals(office.yes("anna"), replace(office.yes("bao"), signature="no base64"))
    assert words in office.refusals(office.yes("anna"), replace(office.yes("bao"), person="bao", digest="0" * 64))


def test_a_bad_one_refuses_beside_two_good_ones(office: Office) -> None:
    assert "eve" in office.refusals(office.yes("anna"), office.yes("bao"), office.yes("eve"))


def test_a_probe_needs_none_and_no_window(office: Office) -> None:
    assert office.refusals(probe_only=True) == ""
    assert office.refusals(office.yes("anna"), now=NOON - timedelta(days=9), probe_only=True) == ""
    assert "forged" in office.refusals(office.yes("bao", key="eve"), probe_only=True)


def test_an_approval_survives_its_file(office: Office, tmp_path: Path) -> None:

    path = tmp_path / "a.json"
    path.write_text(json.dumps(office.yes("anna").as_json()))
    assert office.refusals(read(path), office.yes("bao")) == ""


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"approval": 1, "signature": 2}', "\x00", "[" * 100000])
def test_what_is_no_approval_is_said_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(BadInput, match="is no approval as"):
        read(path)
    with pytest.raises(BadInput, match="cannot be read"):
        read(tmp_path / "none.json")


def test_a_time_without_its_zone_is_no_time() -> None:
    with pytest.raises(BadInput, match="says no zone"):
        moment("2027-05-02T22:00")
    with pytest.raises(BadInput, match="is not a time such as"):
        moment("tonight")
    assert moment("2027-05-02T14:00+02:00") == NOON


def test_a_key_is_tight_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "k"
    signing.new_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput, match="never written over"):
        signing.new_key(path)
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(BadInput, match=r"others can read or write this key \(mode 06"):
            signing.read_key(path)
    path.chmod(0o600)
    path.write_text("hello")
    with pytest.raises(BadInput, match="is no key as"):
        signing.read_key(path)
    with pytest.raises(BadInput, match="cannot be read"):
        signing.read_key(tmp_path / "none")
