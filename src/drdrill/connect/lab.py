# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The way in to an embedded lab: links, power, vantage points and inventory, by its supervisor's socket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.artefacts import Artefact, Sight
from drdrill.connect.capabilities import Lease, Look, Renewal
from drdrill.connect.lab_supervisor import Denied, Supervisor
from drdrill.connect.lab_traffic import LabTraffic
from drdrill.errors import BadInput, Unreachable, WayInFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.connect.capabilities import Pair, Traffic
    from drdrill.estate.model import Estate

__all__ = ["LabInventory", "LabLinks", "LabPower", "LabVantages", "Supervisor"]

_POWER_S: Final = 30.0
"""A host is off when its last process has gone, and on when all of them were started."""


class LabWay:
    """What links and power have in common: names of hosts, and holds with leases."""

    name = "lab"
    leased = True
    kind: str

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.supervisor = Supervisor.of(estate)

    def close(self) -> None:
        """Let the supervisor go."""
        self.supervisor.close()

    def supports(self, hosts: Sequence[str]) -> bool:
        """Whether the lab has all these hosts. Raises Unreachable."""
        return set(hosts) <= set(self.supervisor.hello()["hosts"])

    def renew(self, hold: str, lease_s: float) -> Renewal:
        """Extend; never strike again. Raises WayInFailed."""
        answer = self._command("renew", hold=hold, lease_s=lease_s)
        return Renewal(answer["state"], float(answer.get("left_s", 0.0)), answer.get("at_ns"))

    def revoke(self, drill: str) -> None:
        """Nobody can renew a hold of this drill any more. Raises WayInFailed."""
        self._command("revoke", drill=drill)

    def holds(self, drill: str | None = None) -> Sequence[str]:
        """The open holds of this kind. Raises Unreachable."""
        return [hold["hold"] for hold in self._open(drill)]

    def found(self) -> Sight:
        """The open holds of this kind, as the supervisor keeps them. Raises Unreachable."""
        now_ns, where = time.monotonic_ns(), f"the {self.estate.lab} lab"
        held = self._open()
        return Sight(
            [
                Artefact("hold", h["hold"], h["drill"], where, (now_ns - h["struck_ns"]) / 1e9, in_force=True)
                for h in held
            ]
        )

    def remove(self, tag: str) -> None:
        """End this hold. Raises WayInFailed."""
        if any(hold["hold"] == tag for hold in self._open()):
            self._heal(tag)

    def _open(self, drill: str | None = None) -> list[dict[str, Any]]:
        answer = self.supervisor.ask("holds", drill=drill)
        return [hold for hold in answer["holds"] if hold["state"] == "open" and hold["kind"] == self.kind]

    def _strike(self, hold: str, drill: str, lease_s: float, hard_end_s: float, **what: Any) -> Lease:
        answer = self._command(
            "strike", hold=hold, drill=drill, lease_s=lease_s, hard_end_s=hard_end_s, deadline_s=_POWER_S, **what
        )
        return Lease(float(answer["lease_s"]), answer["first_ns"], answer["last_ns"])

    def _heal(self, hold: str) -> Lease:
        answer = self._command("heal", hold=hold, deadline_s=_POWER_S)
        return Lease(0.0, answer["first_ns"], answer["last_ns"])

    def _command(self, do: str, **what: Any) -> dict[str, Any]:
        """A request that changes something: that nobody answers is a failed command, not an estate that cannot be reached."""
        try:
            return self.supervisor.ask(do, **what)
        except Unreachable as error:
            raise WayInFailed(str(error)) from error


class LabLinks(LabWay):
    """Links of a lab: frozen per ordered pair of hosts by its supervisor, with the lease there."""

    kind = "links"

    def ready(self, hosts: Sequence[str]) -> Look:
        """Whether the supervisor answers and knows the links between these hosts."""
        unknown = sorted(set(hosts) - set(self.supervisor.hello()["hosts"]))
        if unknown:
            return Look(False, f"the lab has no host {', '.join(unknown)}")
        links = self.supervisor.ask("links")["links"]
        between = [pair for pair in links if set(pair.split(">")) & set(hosts)]
        frozen = [pair for pair in between if links[pair]["state"] != "open"]
        words = (
            f"the lab's supervisor answers; {len(between)} links of {len(hosts)} hosts, {len(frozen)} of them frozen"
        )
        return Look(not frozen, words, {"links": len(between), "frozen": len(frozen)})

    def traffic(self, pairs: Sequence[Pair]) -> Traffic | None:
        """Old and fresh connections to the echo service of every host, in both directions of every pair."""
        return LabTraffic(self.supervisor.ask, pairs)

    def cut(self, hold: str, drill: str, pairs: Sequence[Pair], lease_s: float, hard_end_s: float) -> Lease:
        """Freeze these pairs. Raises WayInFailed."""
        links = {"pairs": [list(pair) for pair in pairs], "state": "frozen"}
        return self._strike(hold, drill, lease_s, hard_end_s, links=links)

    def restore(self, hold: str) -> Lease:
        """End this hold; links stay frozen that another hold wants frozen. Raises WayInFailed."""
        return self._heal(hold)

    def is_cut(self, hold: str, pairs: Sequence[Pair]) -> Look:
        """True: this hold is open, and every pair is frozen; False: it is not open, or none is."""
        open_ = {(a, b) for found in self._open() if found["hold"] == hold for a, b in found["pairs"]}
        links = self.supervisor.ask("links", pairs=[list(pair) for pair in pairs])["links"]
        cut = [pair for pair in pairs if pair in open_ and links[f"{pair[0]}>{pair[1]}"]["state"] == "frozen"]
        answer = True if len(cut) == len(pairs) else None if cut else False
        counts = {"cut": len(cut), "pairs": len(pairs)}
        return Look(answer, f"{len(cut)} of {len(pairs)} links are frozen by {hold}", counts)


class LabPower(LabWay):
    """Power of a lab's hosts: off is SIGKILL to everything on the host, with its links frozen; on is started again."""

    kind = "power"

    def ready(self, hosts: Sequence[str]) -> Look:
        """Whether the supervisor answers and all these hosts are on."""
        off = self._off(hosts)
        words = (
            f"off already: {', '.join(off)}" if off else f"the lab's supervisor holds the power of {len(hosts)} hosts"
        )
        return Look(not off, words, {"hosts": len(hosts), "off": len(off)})

    def off(self, hold: str, drill: str, hosts: Sequence[str], lease_s: float, hard_end_s: float) -> Lease:
        """Take the power away. Raises WayInFailed."""
        return self._strike(hold, drill, lease_s, hard_end_s, power={"hosts": list(hosts)})

    def on(self, hold: str, hosts: Sequence[str]) -> Lease:
        """End this hold; a host stays off that another hold wants off. Raises WayInFailed."""
        del hosts  # The hold knows them.
        return self._heal(hold)

    def is_off(self, hosts: Sequence[str]) -> Look:
        """True: nothing runs on any of them; False: all run; None: some."""
        off = self._off(hosts)
        answer = True if len(off) == len(set(hosts)) else None if off else False
        return Look(answer, f"{len(off)} of {len(hosts)} hosts are off", {"off": len(off), "hosts": len(hosts)})

    def _off(self, hosts: Sequence[str]) -> list[str]:
        known = self.supervisor.ask("hosts", health=False)["hosts"]
        if unknown := sorted(set(hosts) - set(known)):
            raise BadInput(f"the lab has no host {', '.join(unknown)}; it has {', '.join(known)}")
        return [host for host in dict.fromkeys(hosts) if not known[host]["on"] and not known[host]["processes"]]


class LabVantages:
    """Where clients of a lab stand: outside, or at a site, each with link ports of its own or on a host of the lab."""

    name = "lab"

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.supervisor = Supervisor.of(estate)
        self._known: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        """Let the supervisor go."""
        self.supervisor.close()

    def address(self, vantage: str, url: str) -> str:
        """The URL of the link port by which a client at this vantage point reaches the endpoint.

        Raises:
            BadInput: there is no such vantage point or endpoint, or a client there does not reach it.
            Unreachable: the lab is not up.
        """
        if (vantage, url) not in self._known:
            place = self.estate.vantage.get(vantage)
            if place is None:
                known = ", ".join(self.estate.vantage)
                raise BadInput(f'no vantage point is called "{vantage}" in this estate; it has {known}')
            try:
                source: dict[str, Any] = {"from": place.host or place.site or "client"}
                answer = self.supervisor.ask("address", url=url, **source)
            except Denied as error:
                raise BadInput(str(error)) from error
            self._known[vantage, url] = answer["url"]
        return self._known[vantage, url]

    def command(self, vantage: str, argv: Sequence[str]) -> Sequence[str]:
        """The command itself where a vantage point is a set of ports; else one that begins on the host of that place.

        Raises:
            Unreachable: the lab is not up, or nobody can stand there now.
        """
        place = self.estate.vantage.get(vantage)
        if place is None or place.host is None:
            return argv
        try:
            netns = self.supervisor.ask("place", host=place.host)[
                "netns"
            ]  # Anew each time: a power cycle makes another.
        except Denied as error:
            raise Unreachable(str(error)) from error
        return ["nsenter", f"--net={netns}", "--", *argv]


class LabInventory:
    """What the supervisor knows about its hosts."""

    name = "lab"

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.supervisor = Supervisor.of(estate)

    def close(self) -> None:
        """Let the supervisor go."""
        self.supervisor.close()

    def states(self) -> Mapping[str, Look]:
        """For each host whether it is on and everything that runs on it is well. Raises Unreachable."""
        return {
            name: Look(host["ready"], "; ".join(host["missing"]) or "it is up", {"processes": host["processes"]})
            for name, host in self.supervisor.ask("hosts")["hosts"].items()
        }

    def audit(self) -> Look:
        """What the looks of the supervisor for connections around the links have found. Raises Unreachable."""
        found = self.supervisor.ask("audit")
        counts = {what: len(found[what]) for what in ("unexplained", "unseen")} | {"looks": found["looks"]}
        if found["unexplained"]:
            around = "; ".join(f"{c['from']} to {c['to']} (port {c['port']})" for c in found["unexplained"])
            return Look(False, f"connections went around the links: {around}", counts)
        if found["unseen"] or not found["looks"]:
            blind = ", ".join(f"{p['pid']} of {p['host']}" for p in found["unseen"]) or "no look was taken yet"
            return Look(None, f"connections of some processes cannot be seen: {blind}", counts)
        return Look(True, f"no connection went around the links in {found['looks']} looks", counts)

    def about(self) -> Mapping[str, str | Sequence[str]]:
        """Lab, version, links, flaws, notes. Raises Unreachable."""
        hello = self.supervisor.hello()
        return {key: hello[key] for key in ("lab", "version", "links", "flaws", "notes") if key in hello}
