# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts of a lab that stand still: what counts as frozen, and whose answers prove that it is not."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from drdrill.connect.lab_freeze import LabFreeze
from drdrill.connect.lab_questions import LabQuestions
from drdrill.connect.lab_talk import Talk, exchange
from drdrill.errors import BadInput
from drdrill.estate import state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drdrill.estate.model import Estate


class Asked:
    """A supervisor that knows one host, with these services on these ports, and says this of it."""

    def __init__(self, services: dict[str, int], **host: Any) -> None:
        self.services = services
        self.host = {"on": True, "processes": 3, "stopped": 0, "woke": 0, **host}

    def hello(self) -> dict[str, Any]:
        return {"hosts": {"a": {"site": "east", "role": "entry", "services": list(self.services)}}}

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        return {"hosts": {"a": self.host}} if do == "hosts" else self.place(what["service"])

    def place(self, service: str) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.services[service]}


@pytest.mark.parametrize(
    ("host", "answer", "words"),
    [
        ({"stopped": 3}, True, "3 of 3 processes of a stand still"),
        ({"stopped": 0}, False, "0 of 3"),
        ({"stopped": 2}, None, "2 of 3"),
        ({"stopped": 3, "woke": 1}, None, "1 ran all the same since the strike"),
        ({"on": False, "processes": 0}, False, "a is off"),
    ],
)
def test_frozen_is_only_what_stands_still_whole_and_all_the_time(host: dict, answer: bool | None, words: str):
    way = LabFreeze.__new__(LabFreeze)
    way.supervisor = Asked({}, **host)  # type: ignore[assignment]
    look = way.is_frozen(["a"])
    assert look.answer is answer
    assert words in look.words


def test_a_host_that_the_lab_does_not_have_is_named():
    way = LabFreeze.__new__(LabFreeze)
    way.supervisor = Asked({})  # type: ignore[assignment]
    with pytest.raises(BadInput, match="no host mars; it has a"):
        way.is_frozen(["mars"])


@pytest.mark.parametrize("host", [{"on": False, "processes": 0}, {"stopped": 1}])
def test_a_host_that_is_off_or_stands_still_already_is_not_ready(host: dict):
    way = LabFreeze.__new__(LabFreeze)
    way.supervisor = Asked({}, **host)  # type: ignore[assignment]
    assert way.ready(["a"]).answer is False


class Server:
    """Answers every question, until it is told to keep silent."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.awake = threading.Event()
        self.awake.set()
        self.heard: list[bytes] = []
        self._all = [threading.Thread(target=self._accept, daemon=True)]
        self._all[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self._all.append(threading.Thread(target=self._answer, args=(connection,), daemon=True))
            self._all[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(100):
                self.heard.append(data)
                self.awake.wait()
                connection.sendall(b"yes")

    def close(self) -> None:
        self.awake.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self._all:
            thread.join(5)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def test_a_host_that_falls_silent_is_silent_on_old_connections_and_new_ones(server: Server):
    questions = LabQuestions(Asked({"http": server.port}), ["a"])  # type: ignore[arg-type]
    assert questions.look().answer is True
    server.awake.clear()
    look = questions.look()
    assert (look.answer, look.counts["old_offered"], look.counts["new_offered"]) == (False, 1, 1)
    asked = len(server.heard)
    assert questions.look().answer is False
    assert len(server.heard) == asked + 1, "the old connection is asked once, and only a fresh one again"
    server.awake.set()
    end = time.monotonic() + 20
    while (look := questions.look()).answer is not True:
        assert time.monotonic() < end, look.words
    questions.close()


def test_a_host_without_a_service_that_can_be_asked_cannot_be_told():
    questions = LabQuestions(Asked({"raft": 1}), ["a"])  # type: ignore[arg-type]
    look = questions.look()
    questions.close()
    assert look.answer is None
    assert "nothing can be asked of a" in look.words


def test_a_late_answer_to_an_earlier_question_is_an_answer(server: Server):
    server.awake.clear()
    talk = Talk(server.port, b"are you there?")
    exchange([talk], 0.05)
    assert not talk.answered
    server.awake.set()
    exchange([talk], 5.0)
    assert talk.answered
    assert server.heard == [b"are you there?"]
    talk.close()


def test_what_a_server_says_unasked_before_it_stands_still_is_no_answer():
    """An SSH server greets whoever connects: its greeting waits on the old connection when it is frozen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        old = Talk(server.getsockname()[1], b"SSH-2.0-drdrill\r\n")
        there, _ = server.accept()
        with there:
            there.sendall(b"SSH-2.0-greeting\r\n")
            select.select([old.sock], [], [], 10)
            exchange([old], 0.2)
            assert not old.answered
            there.sendall(b"keys")
            exchange([old], 10.0)
            assert old.answered
            assert there.recv(99) == b"SSH-2.0-drdrill\r\n"
        old.close()


@pytest.mark.lab
def test_a_process_that_somebody_wakes_is_seen_although_it_is_stopped_again(pocket_estate: Estate):
    way, hold, hosts = LabFreeze(pocket_estate), f"woken-{time.monotonic_ns()}", ("south-entry1",)
    way.freeze(hold, "t", hosts, 20, 60)
    try:
        assert way.is_frozen(hosts).answer is True
        home = state.folder("pocket") / "lab" / hosts[0]
        pids = [int(p) for p in os.listdir("/proc") if p.isdigit() and _cwd(p) == str(home.resolve())]  # noqa: PTH208
        assert pids
        end = time.monotonic() + 20
        while (look := way.is_frozen(hosts)).counts["woke"] == 0:
            os.kill(pids[0], signal.SIGCONT)
            assert time.monotonic() < end, look.words
        assert look.answer is not True
        assert "ran all the same" in look.words
    finally:
        way.thaw(hold, hosts)
    assert way.is_frozen(hosts).answer is False


def _cwd(pid: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115
    except OSError:
        return ""
