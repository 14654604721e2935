# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Being told to stop: SIGTERM and SIGHUP take the same way as Ctrl-C, and nothing interrupts a heal."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_OTHERS: Final = (signal.SIGTERM, signal.SIGHUP)
_ALL: Final = (signal.SIGINT, *_OTHERS)


class Stopped(KeyboardInterrupt):
    """The drill was told to stop by SIGTERM or SIGHUP. A KeyboardInterrupt, so that whoever handles Ctrl-C handles it too."""


def _stop(signum: int, frame: FrameType | None) -> None:
    del frame
    raise Stopped(signal.Signals(signum).name)


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """While this is open SIGTERM and SIGHUP raise Stopped, so that the drill heals before it ends.

    A SIGHUP that is ignored stays ignored: that is what `nohup` asks for. Does nothing outside of the main thread, where
    Python delivers no signals.
    """
    chosen = [s for s in _OTHERS if signal.getsignal(s) is not signal.SIG_IGN]
    with _handled(chosen, _stop):
        yield


@contextlib.contextmanager
def uninterrupted(still_open: Callable[[], str], say: Callable[[str], None]) -> Iterator[list[str]]:
    """While this is open no signal stops anything: it says what is still open, and is remembered in the list that is given.

    Args:
        still_open: what is not healed yet, in words.
        say: where to say it. What it raises is dropped: printing never fails a heal.
    """
    heard: list[str] = []

    def answer(signum: int, frame: FrameType | None) -> None:
        del frame
        heard.append(signal.Signals(signum).name)
        with contextlib.suppress(Exception):
            say(f"healing goes on and cannot be interrupted; still open: {still_open()}")

    with _handled([s for s in _ALL if signal.getsignal(s) is not signal.SIG_IGN], answer):
        yield heard


@contextlib.contextmanager
def _handled(signals: list[signal.Signals], handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.signal(s, handler) for s in signals}
    try:
        yield
    finally:
        for s, old in before.items():
            signal.signal(s, old if old is not None else signal.SIG_DFL)
