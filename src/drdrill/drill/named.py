# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Which services and databases a scenario names: those are probed from before its first strike. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drdrill.drill.call import Call
    from drdrill.estate.model import Estate

_NAMES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("estate", "require_served_by"): ("service", "site"),
    ("workload", "write_through"): ("service",),
    ("workload", "write_to"): ("database",),
    ("operations", "switch_over"): ("service", "site"),
    ("operations", "await_in_step"): ("database",),
    ("availability", "await_again"): ("service", "", "site"),
    ("availability", "never_longer"): ("service",),
    ("availability", "await_one_holder"): ("service", "site"),
    ("consistency", "no_ack_while_cut"): ("site", "campus"),
    ("drill", "hold_past_fencing"): ("database",),
    ("drill", "abort_if_away"): ("service", "", "site"),
    ("consistency", "no_split_brain"): ("database",),
    ("consistency", "await_same"): ("database",),
}
"""Which arguments of a call are names of the estate, by their place; "" is none."""


@dataclass(frozen=True)
class Named:
    """Canonical names, in the order in which the scenario first names them."""

    services: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()


NOTHING: Final = Named()


def names_in(call: Call) -> Iterator[tuple[str, str]]:
    """Each name in a call, with its kind: service, site, campus or database."""
    kinds = _NAMES.get((call.noun, call.verb), ())
    yield from ((kind, str(name)) for kind, name in zip(kinds, call.args, strict=False) if kind and name)
    if (call.noun, call.verb) == ("drill", "strike"):
        # `the database host of service "S" at site "X"`: the fault has the name.
        service = getattr(call.args[0], "service", "")
        if service:
            yield "service", str(service)


def named(estate: Estate, calls: Sequence[Call]) -> Named:
    """What these calls name, and what abort conditions of the estate are about.

    Raises BadInput for a name that the estate does not have.
    """
    found = [pair for call in calls for pair in names_in(call)]
    services = dict.fromkeys(estate.service_named(name).name for kind, name in found if kind == "service")
    services |= dict.fromkeys(condition.service for condition in estate.abort)
    databases = dict.fromkeys(estate.database_named(name).name for kind, name in found if kind == "database")
    return Named(tuple(services), tuple(databases))
