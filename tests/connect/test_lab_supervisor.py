# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The client of a lab's supervisor, against a socket that answers with what it was asked."""

from __future__ import annotations

import json
import signal
import socketserver
import threading
from typing import TYPE_CHECKING

import pytest

from drdrill.connect.lab_supervisor import Supervisor

if TYPE_CHECKING:
    from pathlib import Path


class Echo(socketserver.StreamRequestHandler):
    """Answers each request with its name; one that is called `slow` when the test has interrupted whoever asked."""

    def handle(self) -> None:
        for line in self.rfile:
            do = json.loads(line)["do"]
            if do == "slow":
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                self.server.interrupted.wait(10)  # type: ignore[attr-defined]
            try:
                self.wfile.write(json.dumps({"ok": True, "protocol": 1, "do": do}).encode() + b"\n")
            except OSError:
                return


def test_a_request_that_ctrl_c_interrupts_leaves_no_answer_to_the_next_one(tmp_path: Path) -> None:
    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True
        interrupted = threading.Event()

    with Server(str(tmp_path / "supervisor.sock"), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        supervisor = Supervisor(tmp_path, "pocket")
        supervisor.hello()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises(KeyboardInterrupt):
                supervisor.ask("slow")
        finally:
            signal.signal(signal.SIGINT, before)
        server.interrupted.set()
        assert supervisor.ask("heal")["do"] == "heal"
        supervisor.close()
        server.shutdown()
