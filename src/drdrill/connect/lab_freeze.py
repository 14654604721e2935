# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Freezes hosts of a lab: its supervisor stops every process of the host (SIGSTOP), and lets them go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drdrill.connect.capabilities import Look
from drdrill.connect.lab import LabWay
from drdrill.connect.lab_questions import LabQuestions
from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.connect.capabilities import Lease, Traffic


class LabFreeze(LabWay):
    """Frozen is: every thread of every process of the host stands still, as the kernel says, and none ran since the strike."""

    kind = "freeze"

    def ready(self, hosts: Sequence[str]) -> Look:
        """Whether the supervisor answers, and all these hosts are on and awake."""
        found = self._hosts(hosts)
        off = [name for name, host in found.items() if not host["on"]]
        still = [name for name, host in found.items() if host.get("stopped")]
        words = [f"off: {', '.join(off)}"] if off else []
        words += [f"processes stand still already on {', '.join(still)}"] if still else []
        said = "; ".join(words) or f"the lab's supervisor can stop the processes of {len(found)} hosts"
        return Look(not words, said, {"hosts": len(found), "off": len(off), "frozen": len(still)})

    def traffic(self, hosts: Sequence[str]) -> Traffic | None:
        """Old and fresh connections to the daemons of these hosts."""
        return LabQuestions(self.supervisor, hosts)

    def freeze(self, hold: str, drill: str, hosts: Sequence[str], lease_s: float, hard_end_s: float) -> Lease:
        """Stop every process of these hosts. Raises WayInFailed."""
        return self._strike(hold, drill, lease_s, hard_end_s, freeze={"hosts": list(hosts)})

    def thaw(self, hold: str, hosts: Sequence[str]) -> Lease:
        """End this hold; a host stays frozen that another hold wants frozen. Raises WayInFailed."""
        del hosts  # The hold knows them.
        return self._heal(hold)

    def is_frozen(self, hosts: Sequence[str]) -> Look:
        """As the kernel says of each process. One that ran meanwhile, however short, makes it None."""
        found = self._hosts(hosts)
        there, still, woke = (sum(h.get(what, 0) for h in found.values()) for what in ("processes", "stopped", "woke"))
        whole = all(host["processes"] and host.get("stopped") == host["processes"] for host in found.values())
        words = f"{still} of {there} processes of {', '.join(found)} stand still"
        if off := [name for name, host in found.items() if not host["on"]]:
            words += f"; {', '.join(off)} is off"
        if woke:
            words += f"; {woke} ran all the same since the strike, and were stopped again"
        answer = True if whole and not woke else None if still else False
        return Look(answer, words, {"processes": there, "stopped": still, "woke": woke})

    def _hosts(self, hosts: Sequence[str]) -> Mapping[str, dict[str, Any]]:
        known = self.supervisor.ask("hosts", health=False)["hosts"]
        if unknown := sorted(set(hosts) - set(known)):
            raise BadInput(f"the lab has no host {', '.join(unknown)}; it has {', '.join(known)}")
        return {host: known[host] for host in dict.fromkeys(hosts)}
