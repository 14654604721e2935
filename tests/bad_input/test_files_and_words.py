# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Files and words that a person gets wrong: what is wrong, where, and what to do; the exit status of the table; no traceback."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from bad_input_helpers import CUT, HELD

from drdrill.drill.undo_log import UndoLog
from drdrill.estate import state
from drdrill.journal.journal import FILE_NAME

if TYPE_CHECKING:
    from bad_input_helpers import Folder

pytest_plugins = ["pytester"]

# --- features --------------------------------------------------------------------------------------------------------

FEATURES = {
    "syntax": (
        b"Feature: f\n  Scenario: s\n    Then no acknowledged write is lost\n    Whenn y\n",
        "a.feature:4: cannot be read as Gherkin: Whenn y",
    ),
    "empty": (b"", "a.feature:1: is empty; a feature begins with `Feature:` and a name"),
    "comment": (b"# nothing yet\n", "a.feature:1: is empty; a feature begins with `Feature:` and a name"),
    "language": (
        b"# language: fr\nFeature: f\n",
        'a.feature:2: cannot be read as Gherkin: Feature: f; line 1 says that it is in "fr", and sentences are in en or zh-CN',
    ),
    "garbage": (bytes(range(256)), "a.feature:2: is not UTF-8 text; save it as UTF-8"),
    "zeros": (b"\0\0\0", "a.feature:1: cannot be read as Gherkin: \\x00\\x00\\x00"),
}


@pytest.fixture(scope="module")
def said_of_features(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one run says of all of them."""
    from bad_input_helpers import Folder  # noqa: PLC0415 - the name is a type above
    from teams import ESTATE  # noqa: PLC0415 - read by one test only

    folder = Folder(tmp_path_factory.mktemp("features"))
    folder.write("clinic.yaml", ESTATE)
    for name, (text, _) in FEATURES.items():
        folder.write(f"{name}/a.feature", text)
    ran = folder.run(".")
    assert ran.returncode == 4, ran.stdout
    assert not folder.touched()
    return ran.stderr.splitlines()


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_that_cannot_be_read_is_told_with_its_line(said_of_features: list[str], name: str):
    mine = [line for line in said_of_features if line.startswith(f"{name}/")]
    assert [line.removeprefix(f"{name}/") for line in mine] == [FEATURES[name][1]]


def test_a_folder_that_is_called_like_a_feature_holds_nothing_to_drill(folder: Folder):
    (folder.path / "x.feature").mkdir()
    ran = folder.run("x.feature")
    assert ran.returncode == 5
    assert "nothing to drill: no scenario was found in x.feature" in ran.stdout


def test_a_feature_that_is_not_there_is_bad_input(folder: Folder):
    ran = folder.run("nowhere.feature")
    assert (ran.returncode, ran.stderr.strip()) == (4, "ERROR: file or directory not found: nowhere.feature")


# --- estates ---------------------------------------------------------------------------------------------------------

TEN = """\
estate: ten
colour: red
sites:
  east: {campuss: East}
  south: 3
vantage: {client: {at: local, site: nowhere}}
hosts:
  east-db1: {site: north, role: database}
  south-db1: {site: south, role: database, votes: perhaps}
services:
  registration:
    endpoints: {east: http://east, west: http://west}
    database: clinical
    served_by: {writer: clinical}
    rto: fifteen seconds
    latency: 1
    stable: 3 s
databases:
  clinical: {engine: postgresql, rpo: 0 s, fencing: 5 s, recovery: 60 s, tables: {}, nodes: {nowhere-db1: {dsn: "${UNSET_NAME}"}}}
limits: {sites_down: many, longest_fault: 10 lightyears}
"""
EXPECTED = """\
2: colour: nobody knows this key; is it misspelt?
4: sites.east.campuss: nobody knows this key; is it misspelt?
4: sites.east: "campus" is missing
5: sites.south: a mapping is expected, found 3
6: vantage.client.site: there is no site "nowhere"; the file has east, south
8: hosts.east-db1.site: there is no site "north"; the file has east, south
9: hosts.south-db1.votes: true or false is expected, found 'perhaps'
12: services.registration.endpoints.west: there is no site "west"; the file has east, south
15: services.registration.rto: "fifteen seconds" is no duration; ...
16: services.registration.latency: a duration has a unit: "10 s", "500 ms", "2 min"
19: databases.clinical.nodes.nowhere-db1.dsn: the environment variable UNSET_NAME is not set
19: databases.clinical.nodes.nowhere-db1: there is no host "nowhere-db1"; the file has east-db1, south-db1
20: limits.longest_fault: "10 lightyears" is no duration; ...
20: limits.sites_down: a whole number is expected, found 'many'
"""  # fmt: skip


def test_an_estate_file_with_many_errors_tells_all_of_them_in_the_order_of_its_lines(folder: Folder):
    folder.write("ten.yaml", TEN)
    ran = folder.drdrill("ready", "--estate", "ten.yaml")
    assert ran.returncode == 4
    first, *told = ran.stderr.splitlines()
    assert first == "drdrill: 14 things are wrong:"
    assert sorted(told, key=_line) == told
    hint = '; write a number and a unit, such as "10 s", "500 ms", "2 min" or "10 秒"'
    found = [line.removeprefix("ten.yaml:").replace(hint, "; ...") for line in told]
    assert sorted(found) == sorted(EXPECTED.splitlines())


def _line(finding: str) -> int:
    found = re.match(r"ten\.yaml:(\d+): ", finding)
    assert found, finding
    return int(found[1])


@pytest.mark.parametrize(
    ("command", "name", "words"),
    [
        ("run", "nowhere", 'there is no estate "nowhere": give the path of a file, or one of network, pocket'),
        ("ready", "nowhere", 'there is no estate "nowhere": give the path of a file, or one of network, pocket'),
        ("recover", "nowhere.yaml", "nowhere.yaml: there is no such estate file"),
        ("run", "folder.yaml", "folder.yaml: is a folder; give the path of an estate file"),
        ("lint", "folder.yaml", "folder.yaml: is a folder; give the path of an estate file"),
    ],
)
def test_an_estate_that_is_none_is_told_by_every_command(folder: Folder, command: str, name: str, words: str):
    (folder.path / "folder.yaml").mkdir()
    folder.write("a.feature", CUT)
    ran = folder.drdrill(command, "--estate", name, *(["a.feature"] if command in {"run", "lint"} else []))
    assert ran.returncode == 4
    assert words in ran.stderr


# --- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--bogus"), "drdrill run: error: unrecognized arguments: --bogus"),
        (("run",), "name the estate to drill on: --estate NAME or PATH, DRDRILL_ESTATE, or drdrill_estate in the ini file"),
        (("ready",), "Missing option '--estate'"),
        (("recover", "--bogus"), "No such option"),
        (("lab", "up", "galaxy"), "'galaxy' is not one of 'pocket', 'network'"),
        (("lab", "up", "--flaw", "sloth"), "no flaw is called sloth; there are "),
        (("report",), "Missing argument 'DRILL'"),
    ],
)  # fmt: skip
def test_arguments_that_nobody_knows_are_4_and_say_what_is_known(
    folder: Folder, arguments: tuple[str, ...], words: str
):
    ran = folder.drdrill(*arguments)
    assert ran.returncode == 4, ran.stderr
    assert words in ran.stderr


# --- what drills left ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("journal", "words"),
    [
        (None, '"d" is no drill: neither d nor reports/out/d holds a journal.jsonl'),
        (b"", "d/journal.jsonl: not one event of a drill can be read (it is empty)"),
        (b"{", "not one event of a drill can be read (1 bytes of an unfinished event were cut from the end)"),
        (bytes(range(256)) * 4, "not one event of a drill can be read (d/journal.jsonl:1: this line is not what was written)"),
    ],
)  # fmt: skip
def test_a_folder_that_holds_no_drill_gives_no_report(folder: Folder, journal: bytes | None, words: str):
    (folder.path / "d").mkdir()
    if journal is not None:
        folder.write(f"d/{FILE_NAME}", journal)
    ran = folder.drdrill("report", "d")
    assert ran.returncode == 4
    assert words in ran.stderr
    assert not (folder.path / "d" / "report.html").exists()


def test_a_torn_journal_is_reported_with_a_note_and_a_changed_one_with_a_1(folder: Folder):
    folder.write("a.feature", CUT)
    assert folder.run("a.feature").returncode == 0
    path = folder.drill / FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    torn = folder.drdrill("report", "latest")
    assert torn.returncode == 0
    assert "note: its writer died in the middle of an event: " in torn.stderr
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:5], *lines[6:]]))
    changed = folder.drdrill("report", "latest")
    assert changed.returncode == 1
    assert f"{FILE_NAME}:6: this line is not what was written; the report shows what stands before" in changed.stderr
    assert "report.html" in changed.stdout


def test_a_corrupt_undo_log_is_left_alone_and_shown_and_the_rest_is_healed(folder: Folder):
    folder.write("a.feature", HELD)
    process = folder.start("a.feature")
    folder.await_held(process)
    process.kill()
    process.wait()
    log = UndoLog(state.folder("clinic"))
    (entry,) = log.read().entries
    body = json.loads(entry.path.read_text())
    body["undo"]["hosts"] = ["south-db1"]  # Nobody may heal by a record that somebody changed.
    corrupt = entry.path.with_name("000009-changed.json")
    corrupt.write_text(json.dumps(body))
    garbage = entry.path.with_name("000010-garbage.json")
    garbage.write_bytes(bytes(range(256)))
    ran = folder.drdrill("recover", "--estate", "clinic.yaml")
    assert ran.returncode == 8
    assert 'healing: site "east" is isolated' in ran.stdout
    assert "healed: nothing of it is left" in ran.stdout
    left = [line for line in ran.stderr.splitlines() if line.startswith("LEFT: ")]
    assert len(left) == 2
    for line, path in zip(left, (corrupt, garbage), strict=True):
        assert line.startswith(f"LEFT: {path}: this undo record is not what was written (")
        assert "then remove the file" in line
        assert path.exists()
    assert not entry.path.exists()
