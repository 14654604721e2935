# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal

import pytest

from drdrill.drill.signals import Stopped, guard, uninterrupted


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_stop_is_a_keyboard_interrupt(signum: signal.Signals) -> None:
    before = signal.getsignal(signum)
    with pytest.raises(KeyboardInterrupt) as caught, guard():
        os.kill(os.getpid(), signum)
    assert isinstance(caught.value, Stopped)
    assert str(caught.value) == signum.name
    assert signal.getsignal(signum) is before


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_heal_is_not_interrupted_and_says_what_is_open(signum: signal.Signals) -> None:
    said: list[str] = []
    with uninterrupted(lambda: 'site "east" is isolated', said.append) as heard:
        os.kill(os.getpid(), signum)
        os.kill(os.getpid(), signum)
    assert heard == [signum.name] * 2
    assert len(said) == 2
    assert 'still open: site "east" is isolated' in said[0]


def test_printing_that_fails_does_not_interrupt_a_heal() -> None:
    def broken(_words: str) -> None:
        raise BrokenPipeError

    with uninterrupted(lambda: "nothing", broken) as heard:
        os.kill(os.getpid(), signal.SIGTERM)
    assert heard == ["SIGTERM"]


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with guard():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
