# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Commands by SSH against real servers and a real ssh client: what they give, and every way in which they do not."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ssh_server import Servers, free_port, servers
from waiting import eventually

from drdrill.connect.capabilities import Shell
from drdrill.connect.ssh import SshShell
from drdrill.connect.ssh_mux import alive
from drdrill.connect.ssh_words import asks_password, why_not
from drdrill.errors import BadInput, Unreachable, WayInFailed
from drdrill.estate.model import Ssh
from drdrill.lab.pocket.ssh import PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.estate.model import Estate

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="needs an ssh client")
ONE, TWO = "east-app1", "south-app1"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Servers]:
    (folder := tmp_path / "servers").mkdir()
    with servers(folder, ONE, TWO) as found:
        yield found


@pytest.fixture
def estate(there: Servers, tmp_path: Path) -> Estate:
    return there.estate(tmp_path)


@pytest.fixture
def shell(estate: Estate) -> Iterator[SshShell]:
    made = SshShell(estate)
    yield made
    made.close()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def masters(folder: Path) -> list[int]:
    """The control masters whose socket is in this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"-M\0-N\0-S\0{folder}/" in (entry / "cmdline").read_text():
                comm = (entry / "comm").read_text().strip()
                found += [int(entry.name)] if comm == "ssh" else []
    return found


def test_a_command_gives_its_status_and_both_outputs_and_takes_what_it_is_given(shell: SshShell):
    assert isinstance(shell, Shell)
    ran = shell.run(ONE, "cat; echo wrong >&2; exit 3", given="héllo")
    assert (ran.status, ran.out, ran.err) == (3, "héllo", "wrong\n")
    assert 0 < ran.seconds < 10
    assert shell.run(TWO, "pwd").out.strip().endswith(TWO)
    assert shell.run(ONE, "exit 255").status == 255, "a command may end with what ssh itself ends with"


def test_one_connection_a_host_carries_all_commands(shell: SshShell):
    ports = {shell.run(ONE, 'echo "$SSH_CONNECTION"').out for _ in range(3)}
    assert len(ports) == 1
    assert len(masters(shell._home())) == 1


def test_hosts_are_ready_unless_one_is_off(there: Servers, shell: SshShell):
    assert shell.supports([ONE, TWO])
    assert not shell.supports([ONE, "client"])
    assert shell.ready([ONE, TWO]).answer is True
    there.off(TWO)
    look = shell.ready([ONE, TWO])
    assert look.answer is False
    assert TWO in look.words
    assert ONE not in look.words
    there.on(TWO)
    assert shell.ready([ONE, TWO]).answer is True


def test_a_command_that_does_not_end_is_given_up_at_its_deadline(shell: SshShell):
    with pytest.raises(WayInFailed, match=f"{ONE}: `exec sleep 60` did not end within 0.5 s"):
        shell.run(ONE, "exec sleep 60", within_s=0.5)
    assert shell.run(ONE, "echo on").out == "on\n"


def test_a_host_that_goes_while_a_command_runs_leaves_its_fate_unknown(there: Servers, shell: SshShell):
    with shell.talk(ONE, "echo ready; exec cat") as talk:
        assert talk.stdout is not None
        assert talk.stdout.readline() == b"ready\n"
        threading.Timer(0.3, there.off, (ONE,)).start()
        with pytest.raises(WayInFailed, match="the connection by SSH broke while"):
            shell.run(ONE, "exec sleep 60", within_s=30)
        talk.wait(10)
    with pytest.raises(Unreachable, match=ONE):
        shell.run(ONE, "true", within_s=5)


def test_a_talk_is_spoken_to_and_ends_with_its_input(shell: SshShell):
    with shell.talk(ONE, "exec cat") as talk:
        assert talk.communicate(b"hello\n") == (b"hello\n", None)
    assert talk.returncode == 0


def test_a_control_master_that_hangs_is_replaced_within_the_deadline(shell: SshShell):
    shell.run(ONE, "true")
    (old,) = masters(shell._home())
    os.kill(old, signal.SIGSTOP)
    assert not alive(shell._masters[ONE].path, 0.2)
    began = time.monotonic()
    assert shell.run(ONE, "echo again", within_s=10).out == "again\n"
    assert time.monotonic() - began < 10
    eventually(lambda: gone(old))
    assert masters(shell._home()) != [old]


def test_a_master_that_died_is_started_again(shell: SshShell):
    shell.run(ONE, "true")
    os.kill(masters(shell._home())[0], signal.SIGKILL)
    assert shell.run(ONE, "echo again").out == "again\n"


def test_close_leaves_nothing_and_the_next_command_begins_anew(shell: SshShell):
    shell.run(ONE, "true")
    folder, pids = shell._home(), masters(shell._home())
    shell.close()
    eventually(lambda: all(gone(pid) for pid in pids))
    assert not folder.exists()
    assert shell.run(ONE, "echo on").out == "on\n"


def test_masters_end_with_a_runner_that_is_killed(there: Servers, tmp_path: Path):
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from pathlib import Path; from dataclasses import replace\n"
        "from estates import fake_estate\nfrom drdrill.estate.model import Ssh\nfrom drdrill.connect.ssh import SshShell\n"
        "e = fake_estate(Path('.')); h = e.hosts['east-app1']\n"
        "h = replace(h, ways={'shell': (sys.argv[2],)})\n"
        "s = SshShell(replace(e, hosts={**e.hosts, h.name: h}, ssh=Ssh(sys.argv[3])))\n"
        "s.run('east-app1', 'true'); print(s._home(), flush=True); sys.stdin.read()\n"
    )
    url = f"ssh://127.0.0.1:{there.ports[ONE]}"
    config, tests = str(there.folder / "ssh_config"), str(Path(__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", code, tests, url, config], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as runner:
        assert runner.stdout is not None
        folder = Path(runner.stdout.readline().decode().strip())
        (pid,) = masters(folder)
        runner.kill()
    eventually(lambda: gone(pid) and not folder.exists())


def test_another_key_than_the_known_one_is_refused(there: Servers, shell: SshShell):
    known = there.folder / "known_hosts"
    one, two = known.read_text().splitlines()
    known.write_text(f"{one.split(' ', 1)[0]} {two.split(' ', 1)[1]}\n")
    with pytest.raises(Unreachable, match="another SSH key answers at .* than the known one"):
        shell.run(ONE, "true")
    with pytest.raises(Unreachable, match="is not known, so it is not talked to"):
        shell.run(TWO, "true")


def test_the_estate_cannot_turn_off_that_keys_are_verified(there: Servers, shell: SshShell):
    config = there.folder / "ssh_config"
    config.write_text(config.read_text().replace("StrictHostKeyChecking yes", "StrictHostKeyChecking no"))
    (there.folder / "known_hosts").write_text("")
    with pytest.raises(Unreachable, match="is not known"):
        shell.run(ONE, "true")


def test_a_key_that_the_host_does_not_take_is_told(there: Servers, shell: SshShell):
    shutil.copy(there.folder / f"{TWO}.key", there.folder / "id")
    with pytest.raises(Unreachable, match="does not let us log in by SSH with a key"):
        shell.run(ONE, "true")


def test_a_host_where_nobody_listens_and_a_config_that_is_not_there_are_told(estate: Estate, shell: SshShell):
    host = replace(estate.hosts["client"], ways={"shell": (f"ssh://127.0.0.1:{free_port()}",)})
    lost = SshShell(replace(estate, hosts={**estate.hosts, "client": host}))
    with pytest.raises(Unreachable, match="client: no connection by SSH to 127.0.0.1: .*refused"):
        lost.run("client", "true")
    lost.close()
    with pytest.raises(BadInput, match="nowhere cannot be read"):
        SshShell(replace(estate, ssh=Ssh("/nowhere"))).run(ONE, "true")
    assert shell.run(ONE, "true").status == 0


def test_a_host_that_accepts_and_says_nothing_is_given_up(there: Servers, shell: SshShell):
    shell.run(ONE, "true")
    there.still.add(ONE)
    with pytest.raises(WayInFailed, match="did not end within"):
        shell.run(ONE, "true", within_s=0.5)
    there.still.clear()
    assert shell.run(ONE, "true").status == 0


@pytest.mark.parametrize(
    ("answers", "status"),
    [("a password is required", 1), ("a terminal is required to read the password", 1)],
)
def test_a_sudo_that_asks_for_a_password_is_one_clear_sentence(
    there: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: str, status: int
):
    # The machine of these tests need not have a sudo.
    monkeypatch.setattr("drdrill.lab.pocket.ssh.PATH", f"{there.folder}:{PATH}")
    sudo = there.folder / "sudo"
    sudo.write_text(f"#!/bin/sh\necho 'sudo: {answers}' >&2\nexit {status}\n")
    sudo.chmod(0o755)
    shell = SshShell(there.estate(tmp_path, sudo=True))
    with pytest.raises(Unreachable, match=f"{ONE}: sudo asks the user for a password .*NOPASSWD"):
        shell.run(ONE, "id -u", root=True)
    look = shell.ready([ONE])
    assert (look.answer, "NOPASSWD" in look.words) == (False, True)
    sudo.write_text('#!/bin/sh\nshift 2\nGOT=root exec "$@"\n')
    assert shell.run(ONE, "echo $GOT 'a  b'", root=True).out == "root a  b\n"
    assert shell.run(ONE, "echo =$GOT=").out == "==\n"
    shell.close()


def test_testinfra_asks_over_our_connection(there: Servers, shell: SshShell):
    (there.folder / ONE / "note").write_text("here")
    infra = shell.host(ONE)
    assert infra.file("note").content_string == "here"
    assert infra.run("exit 4").rc == 4
    assert len(masters(shell._home())) == 1
    there.off(ONE)
    with pytest.raises((Unreachable, WayInFailed)):
        infra.run("true")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "ssh: connect to host 10.1.1.1 port 22: No route to host",
            "h: no connection by SSH to 10.1.1.1: ssh: connect",
        ),
        ("", "ssh ended without a word"),
        ("root@10.1.1.1: Permission denied (publickey).", "does not let root log in"),
    ],
)
def test_what_ssh_says_becomes_one_sentence(said: str, words: str):
    assert words in why_not("h", "root@10.1.1.1", said, within_s=3, silent=False)
    assert "\n" not in why_not("h", "root@10.1.1.1", said, within_s=3, silent=False)


def test_what_sudo_says():
    assert asks_password("sudo: a password is required\n")
    assert not asks_password("sudo: nft: command not found\n")
    assert "did not answer by SSH within 3 s" in why_not("h", "@a", "", within_s=3, silent=True)
