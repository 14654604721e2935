# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A forged undo record: nothing runs, and the reason is clear."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from estates import fake_estate

from drdrill.connect.fake_world import World
from drdrill.connect.registry import Ways
from drdrill.drill import state
from drdrill.drill.forged import forged
from drdrill.drill.guardian.process import Guardian
from drdrill.drill.hold import Hold
from drdrill.drill.reach import reach_for
from drdrill.drill.recover import recover
from drdrill.drill.tools import Tools
from drdrill.drill.undo_log import UndoLog, checksum, to_json
from drdrill.errors import Refused
from drdrill.faults.entry_drained import EntryDrained
from drdrill.faults.host_frozen import HostFrozen
from drdrill.faults.host_loses_power import HostLosesPower
from drdrill.faults.site_isolated import SiteIsolated
from drdrill.faults.site_lost import SiteLost
from drdrill.journal.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault, Undo

FAULTS = [
    SiteIsolated("primary site"), SiteIsolated("east", "south"), SiteLost("south"),
    HostLosesPower("application", "registration", "east"), HostFrozen("database", "registration", "primary site"),
    EntryDrained("registration", "south"),
]  # fmt: skip
RESTORING = {"links.restore", "links.revoke", "power.on", "power.revoke", "freeze.thaw", "entry.restore", "shell.run"}


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return fake_estate(tmp_path)


def genuine(estate: Estate, fault: Fault) -> Undo:
    targets = fault.candidates(estate)
    return fault.plan(reach_for(Ways(estate), fault, targets, drill="d", hold="d-1", lease_s=3.0), targets)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.title)
def test_what_a_drill_writes_is_genuine(estate: Estate, fault: Fault) -> None:
    assert forged(genuine(estate, fault), estate) is None


FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "a hold with a path in it": ({"hold": "d-/../../etc/passwd"}, "cannot be the name of a hold"),
    "a hold with a line in it": ({"hold": "d-1\nrm"}, "cannot be the name of a hold"),
    "a drill with a command in it": ({"drill": "d;reboot", "hold": "d;reboot-1"}, "cannot be the name of a"),
    "a hold of another drill": ({"drill": "e"}, "not one of the drill e"),
    "a hold that is no text": ({"hold": 7}, "cannot be the name of a hold"),
    "a host with shell metacharacters": ({"hosts": ("east-db1; reboot",)}, "no host 'east-db1; reboot'"),
    "a host with a newline": ({"hosts": ("east-db1\n",)}, r"no host 'east-db1\n'"),
    "a host that is an option": ({"hosts": ("-oProxyCommand=reboot",)}, "no host '-oProxyCommand=reboot'"),
    "a host of another site": ({"hosts": ("south-db1",)}, "cannot have struck south-db1"),
    "a site that is none": ({"sites": ("$(reboot)",)}, "no site '$(reboot)'"),
    "a pair with a command": ({"params": {"pairs": [["east-db1", "`reboot`"]], "peer": ""}}, "no word of a sentence"),
    "a pair with a strange host": ({"params": {"pairs": [["east-db1", "other"]], "peer": ""}}, "no host 'other'"),
    "a peer that is no site": ({"params": {"pairs": [], "peer": "nowhere"}}, '"nowhere"'),
    "parameters that are none": ({"params": ["east"]}, "no mappings"),
    "parameters without pairs": ({"params": {"peer": ["x"]}}, ""),
    "a fault that is none": ({"fault": "os:system"}, 'no fault is called "os:system"'),
    "another fault": ({"fault": "host-frozen"}, "not one of the fault"),
    "a way in that is none": ({"way_in": {"links": "os:system"}}, "no way in 'os:system'"),
    "a way in to something else": ({"way_in": {"shell": "ssh"}}, "no way in 'ssh' for 'shell'"),
    "a way in that the estate does not name": ({"way_in": {"links": "nftables"}}, "names no nftables for links"),
    "no way in": ({"way_in": {}}, "healed through links"),
    "another estate": ({"estate": "../fake"}, "it is of the estate"),
    "a title that drives a terminal": ({"title": "\x1b[2Jall is well"}, "its title is"),
    "a command of two lines": ({"command": "drdrill recover\nreboot"}, "its command is"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_record_is_told(estate: Estate, name: str) -> None:
    changes, words = FORGERIES[name]
    told = forged(replace(genuine(estate, SiteIsolated("east")), **changes), estate)
    assert told is not None
    assert words in told
    assert told.isprintable()


@pytest.mark.parametrize("name", FORGERIES)
def test_nothing_runs_by_a_forged_record(estate: Estate, name: str) -> None:
    """As far as it can be put where records are: with the right checksum, under the right name."""
    log = UndoLog(state.folder(estate.name))
    path = log.write(genuine(estate, SiteIsolated("east"))).path
    changes, _ = FORGERIES[name]
    forgery = replace(genuine(estate, SiteIsolated("east")), **changes)
    body = {"sequence": 1, "undo": to_json(forgery)}
    path.write_text(json.dumps({**body, "sha256": checksum(body)}))
    said: list[str] = []
    done = recover(estate, said.append)
    assert len(done.left) == 1
    assert not done.healed
    assert not RESTORING & {call for call, _ in World.of(estate).calls}
    assert path.exists()


def test_what_nobody_would_heal_by_is_not_struck(
    estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = SiteIsolated("east")
    targets = fault.candidates(estate)
    reach = reach_for(Ways(estate), fault, targets, drill="d", hold="d-1", lease_s=3.0)
    wrong = replace(genuine(estate, fault), params={"pairs": [["east-db1", "$(reboot)"]], "peer": ""})
    monkeypatch.setattr(SiteIsolated, "plan", lambda *_: wrong)
    log, journal = UndoLog(state.folder(estate.name)), Journal(tmp_path / "drill")
    with pytest.raises(Refused, match="would not be believed"):
        Hold.plan(fault, reach, targets, Tools(journal, log, print))
    journal.close()
    assert not log.folder.exists()
    assert World.of(estate).changes == 0


@pytest.mark.parametrize("name", FORGERIES)
def test_a_guardian_guards_nothing_forged(estate: Estate, tmp_path: Path, name: str) -> None:
    guardian = Guardian(tmp_path / "guardian", "d", Ways(estate))
    changes, _ = FORGERIES[name]
    undo = to_json(replace(genuine(estate, SiteIsolated("east")), **changes))
    answer = guardian.answer({"do": "guard", "undo": undo, "hard_end_s": 60.0})
    assert answer["ok"] is False
    assert not guardian.ward.open
    assert not guardian.log.folder.exists()
    guardian.journal.close()
