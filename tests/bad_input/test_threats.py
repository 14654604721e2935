# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What somebody may plant to have a command of his run: nothing runs, and it is told where it stands, in words that can be seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from bad_input_helpers import CUT, HELD, Folder
from fake_truth import strikes, struck
from teams import ESTATE

from drdrill.drill.undo_log import UndoLog, checksum
from drdrill.estate import state

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]


def untouched(folder: Folder) -> bool:
    """No drill was begun, nothing on the estate was so much as looked at, and nothing that was planted has run."""
    planted = list(folder.path.rglob("pwned*"))
    return not folder.touched() and (folder.path / "clinic.fake.json").read_text() == "" and not planted


def told(words: str) -> list[str]:
    """The lines of a message, which hold no sign that drives a terminal."""
    lines = words.rstrip("\n").split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    return lines


# --- estate files ----------------------------------------------------------------------------------------------------

ESTATES = {
    # What stands in the file, what in its place, its line, and the words.
    "a host with a newline": ("  desk:", r'  "desk\ntouch pwned":', r"9: hosts.desk\ntouch pwned: a name is made of"),
    "a host with a NUL": ("  desk:", r'  "desk\0":', r"9: hosts.desk\x00: a name is made of"),
    "a host that turns its line": ("  desk:", r'  "desk\u202e":', r"9: hosts.desk\u202e: a name is made of"),
    "a host that clears the screen": ("  desk:", r'  "\e[2Jdesk":', r"9: hosts.\x1b[2Jdesk: a name is made of"),
    "a host with a command": ("  desk:", '  "desk; touch pwned":', "9: hosts.desk; touch pwned: a name is made of"),
    "a host that is an option": ("  desk:", "  -oProxyCommand=x:", "9: hosts.-oProxyCommand=x: a name is made of"),
    "an estate in another folder": ("estate: clinic", "estate: ../clinic", "1: estate: a name is made of"),
    "a site that is none": ("{site: south,", r'{site: "south\nx",', r'8: hosts.south-db1.site: there is no site "south\nx"'),
    "a campus of two lines": ("campus: East", r'campus: "East\nx"', "3: sites.east.campus: it holds a line break (U+000A)"),
    "another name of two lines": (
        "{campus: South}", r'{campus: South, aka: [s, "a\u2028b"]}',
        "4: sites.south.aka.1: it holds a line break (U+2028, LINE SEPARATOR)",
    ),
    "a way in of two lines": (
        "{role: client}", r'{role: client, shell: "ssh://root@desk\n-oProxyCommand=x"}',
        "9: hosts.desk.shell: it holds a line break (U+000A)",
    ),
    "an endpoint with a header": (
        "http://south.example", r"http://south.example/\r\nX-Site: east",
        "12: services.registration.endpoints.south: it holds a line break (U+000D)",
    ),
    "a password from a file": (
        "{dsn: b}", '{dsn: "${PWNED}"}', "27: databases.clinical.nodes.south-db1.dsn: it holds a line break (U+000A)",
    ),
    "a key that nobody knows": ("    rto:", r'    "rt\eo":', r"17: services.registration.rt\x1bo: nobody knows this key"),
    "a bare escape": ("  desk:", "  \x1b[2Jdesk:", "9: is not YAML: it holds a sign that nobody sees (U+001B)"),
}  # fmt: skip


@pytest.mark.parametrize("name", ESTATES)
@pytest.mark.parametrize("command", ["run", "recover"])
def test_an_estate_file_with_something_planted_is_told_with_its_line(folder: Folder, name: str, command: str):
    old, new, words = ESTATES[name]
    assert ESTATE.count(old) == 1
    folder.write("clinic.yaml", ESTATE.replace(old, new))
    folder.write("a.feature", CUT)
    arguments = ("a.feature",) if command == "run" else ()
    ran = folder.drdrill(command, "--estate", "clinic.yaml", *arguments, PWNED="top-secret\n")
    assert ran.returncode == 4, ran.stdout
    assert any(f"clinic.yaml:{words}" in line for line in told(ran.stderr)), ran.stderr
    assert "top-secret" not in ran.stdout + ran.stderr
    assert untouched(folder)


# --- sentences -------------------------------------------------------------------------------------------------------

SENTENCES = (
    'site "east; touch pwned" is isolated', 'site "$(touch pwned)" is isolated', 'site "`touch pwned`" loses power',
    "site \"east' || touch pwned '\" is isolated", 'site "east | touch pwned" is isolated', 'site "east\\ntouch pwned" is isolated',
    'site "../../east" is isolated', 'site "-oProxyCommand=touch pwned" is isolated', 'campus "East & touch pwned" loses power',
    'the database host of service "registration" at site "east>pwned" freezes',
    'the database host of service "registration;touch pwned" at site "east" loses power',
    "the fault is held for $(touch pwned)", "touch pwned; site is isolated", "{__import__('os').system('touch pwned')}",
    'site "ea\x1b[2Jst" is isolated', 'site "ea\0st" is isolated', 'site "east\u202e" is isolated', 'site "east\x7f" is isolated',
    'site "ea\x85st" is isolated', 'site "ea\u2028st" is isolated',
)  # fmt: skip


@pytest.fixture(scope="module")
def said_of_sentences(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one run says of all of them, each in a feature of its own."""
    folder = Folder(tmp_path_factory.mktemp("sentences"))
    folder.write("clinic.yaml", ESTATE)
    folder.write("clinic.fake.json", "")
    for number, sentence in enumerate(SENTENCES):
        folder.write(f"f{number}/a.feature", f"Feature: f\n  Scenario: s\n    When {sentence}\n")
    ran = folder.run(".")
    assert ran.returncode == 4, ran.stdout
    assert untouched(folder)
    return told(ran.stderr)


@pytest.mark.parametrize("number", range(len(SENTENCES)), ids=lambda n: ascii(SENTENCES[n]))
def test_a_sentence_with_something_planted_is_told_with_its_line(said_of_sentences: list[str], number: int):
    mine = [line for line in said_of_sentences if f"f{number}/a.feature:3: " in line]
    assert len(mine) == 1, "\n".join(said_of_sentences)


# --- undo records ----------------------------------------------------------------------------------------------------

RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "a host that it may not": ({"hosts": ["south-db1"]}, "cannot have struck south-db1"),
    "a host with a command": ({"hosts": ["east-db1; touch pwned"]}, "there is no host 'east-db1; touch pwned'"),
    "a fault that is none": ({"fault": "os:system"}, 'no fault is called "os:system"'),
    "a fault that it is not": ({"fault": "site-lost"}, "site-lost"),
    "a way in that is none": ({"way_in": {"links": "subprocess:run"}}, "no way in 'subprocess:run'"),
    "a command in a pair": ({"params": {"pairs": [["east-db1", "$(touch pwned)"]], "peer": ""}}, "no word of a sentence"),
    "a command of two lines": ({"command": "drdrill recover\ntouch pwned"}, "its command is"),
    "a title that clears the screen": ({"title": "\x1b[2Jall is well"}, "its title is"),
    "a hold in another folder": ({"hold": "../../pwned"}, "its name does not fit what it holds"),
    "a hold beside its drill": ({"drill": "../pwned"}, "cannot be the name of a drill"),
}  # fmt: skip


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, dict[str, Any]]:
    """Where a drill died that had cut off a site, and its undo record."""
    folder = Folder(tmp_path_factory.mktemp("held"))
    folder.write("clinic.yaml", ESTATE)
    folder.write("clinic.fake.json", "")
    folder.write("a.feature", HELD)
    process = folder.start("--guardian", "none", "a.feature", env=folder_env(folder))
    folder.await_held(process)
    process.kill()
    process.wait()
    (path,) = (folder.path / "state" / "clinic" / "undo").glob("*.json")
    record: dict[str, Any] = json.loads(path.read_text())
    path.unlink()
    return folder, record


def folder_env(folder: Folder) -> dict[str, str]:
    """Every drill and every guardian of this module's one dead drill sees the same state folder."""
    import os  # noqa: PLC0415 - only here

    return {**os.environ, "DRDRILL_STATE": str(folder.path / "state")}


@pytest.mark.parametrize("name", RECORDS)
def test_by_a_record_with_something_planted_nothing_is_healed(held: tuple[Folder, dict[str, Any]], name: str):
    """With its right checksum, in its right place, and owned by whoever drills."""
    folder, record = held
    changes, words = RECORDS[name]
    body = {"sequence": 1, "undo": {**record["undo"], **changes}}
    path = folder.path / "state" / "clinic" / "undo" / f"000001-{record['undo']['hold']}.json"
    path.write_text(json.dumps({**body, "sha256": checksum(body)}))
    path.chmod(0o600)
    before = _truth(folder)
    try:
        ran = folder.drdrill("recover", "--estate", "clinic.yaml", **folder_env(folder))
        assert ran.returncode == 8, ran.stdout
        assert any(words in line for line in told(ran.stderr)), ran.stderr
        told(ran.stdout)
        assert _truth(folder) == before, "nothing was revoked and nothing healed"
        assert path.exists()
        assert not list(folder.path.parent.rglob("pwned*"))
    finally:
        path.unlink()


def _truth(folder: Folder) -> tuple[dict[str, str], list[str]]:
    """What became of each hold by somebody's command, and which drills lost the right to renew."""
    world = folder.path / "clinic.fake.json"
    healed = {hold: "healed" for hold, strike in strikes(world).items() if strike["ended"] == "healed"}
    return healed, json.loads(world.read_text())["revoked"]


def test_an_undo_log_that_lies_elsewhere_is_neither_read_nor_written(folder: Folder, tmp_path: Path):
    """Whoever puts a link there chooses the files that a drill writes and removes."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "000001-d-1.json").write_text("{}")
    mine = state.folder("clinic", make=True)
    (mine / "undo").symlink_to(elsewhere)
    folder.write("a.feature", CUT)
    ran = folder.run("--guardian", "none", "a.feature")
    assert ran.returncode == 7, ran.stdout
    assert "is no folder of its own but a link" in " ".join(ran.stdout.split())
    assert not strikes(folder.path / "clinic.fake.json")
    again = folder.drdrill("recover", "--estate", "clinic.yaml")
    assert again.returncode == 8
    assert "nothing in it is read, and so nothing is healed from it" in again.stderr
    assert [p.name for p in elsewhere.iterdir()] == ["000001-d-1.json"]


@pytest.mark.parametrize("hold", ["../../pwned", "/etc/passwd", "*", "..", ""])
def test_a_hold_that_is_no_name_takes_no_file_away(tmp_path: Path, hold: str):
    log = UndoLog(tmp_path / "state")
    log.folder.mkdir(mode=0o700, parents=True)
    kept = [log.folder / "000001-d-1.json", tmp_path / "pwned.json", tmp_path / "000001-pwned.json"]
    for path in kept:
        path.touch()
    log.done(hold)
    assert all(path.exists() for path in kept)


def test_nothing_of_these_tests_is_struck_by_a_live_drill(held: tuple[Folder, dict[str, Any]]):
    """What was held at the beginning ends by its lease alone."""
    folder, record = held
    assert set(struck(folder.path / "clinic.fake.json")) <= {record["undo"]["hold"]}
