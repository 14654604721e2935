# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The same command on many hosts at once: what each came to, or why it did not. Only for ways in that are made of shells."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drdrill.connect.capabilities import Ran
from drdrill.errors import DrdrillError, Unreachable, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.connect.capabilities import Shell
    from drdrill.connect.registry import Ways

_AT_ONCE: Final = 16
_ONCE_SILENT_S: Final = 1.0


@dataclass(frozen=True)
class Order:
    """One command for one host; `given` is its standard input."""

    host: str
    command: str
    given: str = ""


class Many:
    """Commands for many hosts, each by the shell that the estate file names for it.

    Args:
        ways: knows the shells.
    """

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._turn = threading.Lock()
        self._were_silent: set[str] = set()

    def shell(self, host: str) -> Shell:
        """The shell of a host. Raises Unreachable when it has none."""
        with self._turn:
            return self._ways.shell([host])

    def ask(
        self, orders: Sequence[Order], *, within_s: float = 10.0, root: bool = True, patient: bool = False
    ) -> dict[str, Ran | DrdrillError]:
        """What each command came to, also where it could not be run or ended badly.

        A host that did not answer the last time is given one second, unless this is `patient`: a drill that has its power off
        asks all the others every few seconds, and cannot wait for this one each time.
        """

        def run(order: Order) -> Ran | DrdrillError:
            host = order.host
            bound_s = min(within_s, _ONCE_SILENT_S) if host in self._were_silent and not patient else within_s
            try:
                ran = self.shell(host).run(host, order.command, within_s=bound_s, root=root, given=order.given)
            except DrdrillError as error:
                if isinstance(error, Unreachable | WayInFailed):
                    self._were_silent.add(host)
                return error
            self._were_silent.discard(host)
            return ran

        if not orders:
            return {}
        with ThreadPoolExecutor(min(_AT_ONCE, len(orders))) as pool:
            return dict(zip([order.host for order in orders], pool.map(run, orders), strict=True))

    def tell(self, orders: Sequence[Order], *, within_s: float = 10.0) -> dict[str, str]:
        """What each command answered on its standard output, when all of them ended well.

        Raises:
            WayInFailed: one did not; the others were given all the same.
        """
        answers = self.ask(orders, within_s=within_s, patient=True)
        if wrong := faults(answers):
            raise WayInFailed("; ".join(wrong.values()))
        return {host: ran.out.strip() for host, ran in answers.items() if isinstance(ran, Ran)}

    def close(self) -> None:
        """End the connections."""
        self._ways.close()


def faults(answers: Mapping[str, Ran | DrdrillError]) -> dict[str, str]:
    """For each host where the command did not end well, why, in a sentence."""
    found = {}
    for host, answer in answers.items():
        if isinstance(answer, DrdrillError):
            found[host] = str(answer)
        elif answer.status != 0:
            lines = (answer.err.strip() or answer.out.strip()).splitlines()
            # nft underlines what is wrong.
            said = [line.strip() for line in lines if any(sign.isalpha() for sign in line)]
            found[host] = f"{host}: {said[-1] if said else f'the command ended with {answer.status}'}"
    return found


def silent(answers: Mapping[str, Ran | DrdrillError]) -> set[str]:
    """The hosts that could not be reached, or did not answer in time."""
    return {host for host, answer in answers.items() if isinstance(answer, Unreachable | WayInFailed)}
