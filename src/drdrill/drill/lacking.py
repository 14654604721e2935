# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What an estate names no way in for, so that a drill cannot be done there, however well the drill is written."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from drdrill.drill.operations import drained_by
from drdrill.errors import BadInput
from drdrill.estate.select import candidates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.drill.call import Call
    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault


def struck_by(estate: Estate, call: Call) -> Fault | None:
    """What a call puts into force, or None. Raises BadInput for a name that the estate does not have."""
    match call.noun, call.verb:
        case "drill", "strike":
            fault: Fault = call.args[0]
            return fault
        case "operations", "switch_over":
            return drained_by(estate, *call.args)
    return None


def lacking(estate: Estate, calls: Sequence[Call]) -> list[str]:
    """One complete sentence, with file:line, for each call that needs what this estate has no way in for. Touches nothing.

    A name that the estate does not have is for `preflight.findings` to tell.
    """
    return [f"{call.where}: {words}" for call in calls for words in _of(estate, call)]


def _of(estate: Estate, call: Call) -> Iterator[str]:
    with contextlib.suppress(BadInput):
        fault = struck_by(estate, call)
        if fault is not None:
            hosts = fault.candidates(estate).hosts
            for capability in sorted(fault.needs):
                yield from _without(estate, capability, hosts, f"{fault.title} needs a way in for {capability}")
        if (call.noun, call.verb) == ("availability", "await_one_holder"):
            service, site = (*call.args, *call.kwargs.values())[:2]
            found = estate.service_named(service)
            hosts = candidates(estate, "entry", found, estate.site_named(site).name)
            asked = f'to ask who answers for the address of service "{found.name}" at site "{site}" needs a way in for entry'
            yield from _without(estate, "entry", hosts, asked)


def _without(estate: Estate, capability: str, hosts: Sequence[str], needed: str) -> Iterator[str]:
    without = [host for host in hosts if not estate.hosts[host].ways.get(capability)]
    if without:
        these = "this host" if len(without) == 1 else "these hosts"
        example = f"`{capability}: [{_FOR_EXAMPLE[capability]}]`"
        yield (
            f"{needed}, and {estate.path} names none for {', '.join(without)}; "
            f"add `{capability}:` to {these}, such as {example}"
        )


_FOR_EXAMPLE: Final = {"links": "nftables", "power": "lab", "freeze": "lab", "entry": "haproxy"}
