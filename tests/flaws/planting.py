# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What is done to a lab, or to the measuring, to make a drill wrong on purpose."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import psycopg
from harness import workers_of

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Lab, Running

# --- the measuring ----------------------------------------------------------------------------------------------------


def stop_the_probes(running: Running) -> None:
    """Every process that probes."""
    running.wait_for("fault.struck")
    _kill(running, "probe-")


def stop_a_writer(running: Running) -> None:
    """Every process that writes."""
    running.wait_for("fault.struck")
    _kill(running, "write-")


def _kill(running: Running, word: str) -> None:
    pids = workers_of(running, word)
    assert pids, f"there are {word} processes to stop"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def tear_the_journal(running: Running) -> None:
    """The last 20 bytes are gone while the fault is held, and with them the event that they ended."""
    running.wait_for("step.begun", text="the fault is held for 5 s")
    folder = running.folder()
    assert folder is not None
    os.truncate(folder, folder.stat().st_size - 20)


def a_check_that_crashes(folder: Path) -> dict[str, str]:
    """A package of a team, as pip would have installed it: with an entry point."""
    info = folder / "team_checks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: team-checks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[drdrill.checks]\nof_a_team = team_checks:judge\n")
    (folder / "team_checks.py").write_text("def judge(case):\n    return [1 / 0]\n")
    return {"PYTHONPATH": str(folder)}


def a_step_that_checks_nothing(folder: Path) -> dict[str, str]:
    """A team's own sentence, beside its feature."""
    (folder / "conftest.py").write_text(
        "from pytest_bdd import then\n\n\n"
        '@then("the nurses are content")\n'
        "def the_nurses_are_content():\n"
        '    """Somebody meant to write this one day."""\n'
    )
    return {}


def a_probe_that_believes_everything(folder: Path) -> dict[str, str]:
    """The judgement of an answer is replaced in every process that measures."""
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        'if "drdrill.measure.worker" in sys.orig_argv:\n'
        "    from drdrill.journal.records import Seen\n"
        "    from drdrill.measure import probes\n"
        '    probes.Expected.judge = lambda self, answer: (Seen.GOOD, "")\n'
    )
    return {"PYTHONPATH": str(folder)}


def a_rule_that_matches_nothing(folder: Path) -> dict[str, str]:
    """Whoever asks which addresses a host has, to write its rules, gets one that nobody has (RFC 5737)."""
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "if any('drdrill' in word for word in sys.orig_argv):\n"
        "    from drdrill.connect import nftables_rules\n"
        "    nftables_rules.addresses_of = lambda estate, host: ('192.0.2.1',)\n"
    )
    return {"PYTHONPATH": str(folder)}


# --- the entries ------------------------------------------------------------------------------------------------------


def kill_keepalived(running: Running) -> None:
    """Of whichever host has the address, and nothing starts it again before the drill has said what that makes."""
    running.wait_for("fault.looked", question="took_hold")
    holder = running.wait_for("address.asked")["hosts"][0]
    _on(running.lab, holder, "systemctl kill --signal=SIGSTOP keepalived && pkill -KILL -x keepalived")
    running.wait_for("step.ended", status="failed")
    _on(running.lab, holder, "systemctl reset-failed keepalived; systemctl start keepalived")


def _on(lab: Lab, host: str, command: str) -> None:
    ended = lab.drdrill("lab", "exec", "--lab", lab.name, host, "--", "sh", "-c", command)
    assert ended.returncode == 0, ended.stdout + ended.stderr


# --- the database -----------------------------------------------------------------------------------------------------


def pause_patroni(lab: Lab) -> None:
    """Nobody watches over the writer any more: as an operator leaves it who forgot to resume."""
    _patroni(lab, {"pause": True})
    until = time.monotonic() + 20
    while not all(_paused(lab, host) for host in ("east-db1", "south-db1")):
        assert time.monotonic() < until, "Patroni is not paused within 20 s"
        time.sleep(0.1)


def promote_the_standby(running: Running) -> None:
    """By hand, while the side that is cut off goes on; once the drill heals, Patroni is let loose again to clear up."""
    lab = running.lab
    running.wait_for("fault.looked", question="took_hold")
    _sql(lab, "south-db1", "select pg_promote()")
    running.wait_for("fault.healed", seconds=120)
    _patroni(lab, {"pause": None})


def delay_the_replay(running: Running) -> None:
    """The standby receives and confirms, and shows it ten minutes later; it hurries up once it was found out.

    In the part of the configuration that Patroni leaves alone: a replay that is paused by hand it lets go on by itself.
    """
    running.wait_for("fault.struck")
    file = running.lab.state / "pocket" / "lab" / "south-db1" / "data" / "postgresql.base.conf"
    before = file.read_text()
    file.write_text(before + "\nrecovery_min_apply_delay = '10min'\n")
    _sql(running.lab, "south-db1", "select pg_reload_conf()")
    running.wait_for("step.ended", status="failed")
    file.write_text(before)
    _sql(running.lab, "south-db1", "select pg_reload_conf()")


def _layout(lab: Lab) -> dict[str, Any]:
    layout: dict[str, Any] = json.loads((lab.state / "pocket" / "lab" / "layout.json").read_text())
    return layout


def _sql(lab: Lab, host: str, statement: str) -> None:
    layout = _layout(lab)
    login = {"user": "postgres", "password": layout["passwords"]["postgres"], "dbname": "clinical"}
    with psycopg.connect(host="127.0.0.1", port=layout["ports"][f"{host}:pg"], autocommit=True, **login) as connection:
        connection.execute(statement)


def _patroni(lab: Lab, change: dict[str, Any]) -> None:
    layout = _layout(lab)
    login = base64.b64encode(f"drdrill:{layout['passwords']['patroni']}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{layout['ports']['east-db1:rest']}/config",
        data=json.dumps(change).encode(),
        headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
        method="PATCH",
    )
    urllib.request.urlopen(request, timeout=20).close()  # noqa: S310 - the lab's own port on the loopback interface


def _paused(lab: Lab, host: str) -> bool:
    with urllib.request.urlopen(
        f"http://127.0.0.1:{_layout(lab)['ports'][f'{host}:rest']}/patroni", timeout=5
    ) as answer:
        return bool(json.load(answer).get("pause"))
