# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Every flaw that a drill must catch: what is wrong, how it is planted, which drill meets it, and who has to say what.

The order is that in which they take turns: neighbours need different labs as rarely as can be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flaws import planting
from harness import FEATURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness import Lab, Ran, Running

HERE: Final = Path(__file__).parent
OWN: Final = HERE / "features"

CUT_OFF: Final = FEATURES / "site_isolation" / "site_cut_off.feature"
DATABASE_HOST: Final = FEATURES / "host_loss" / "database_host.feature"
APPLICATION_HOST: Final = OWN / "application_host.feature"
BOTH_SIDES: Final = OWN / "both_sides.feature"
CHECKS_NOTHING: Final = OWN / "checks_nothing.feature"
BOTH_DATABASES: Final = OWN / "both_databases.feature"
ENTRY_FREEZES: Final = OWN / "entry_freezes.feature"
ONE_ADDRESS: Final = OWN / "one_address.feature"
FREEZES: Final = FEATURES / "host_loss" / "database_host_freezes.feature"
OTHER_SITE: Final = OWN / "other_site.feature"
WITNESS: Final = OWN / "witness_cut.feature"

COLLECTION: Final = "collection"
"""Not a check: what is read before anything is touched."""

STATUS: Final = {"missed": 1, "inconclusive": 6, "refused": 7, "not collected": 4}
NOT_RESTORED: Final = 8


def nothing_more(ran: Ran) -> None:
    """Nothing to look at besides the check."""
    del ran


@dataclass(frozen=True)
class Flaw:
    """One flaw and its drill.

    Args:
        name: in the record and for `--flaws`.
        wrong: what is wrong, in words.
        drill: the feature that meets it.
        caught_by: the check or the assumption that claims to see it.
        verdict: what it must say.
        words: what its message must tell (regular expressions), so that an engineer knows where to look.
        result: how the drill must end. Never met.
        lab: flaws of the lab.
        on: which lab.
        before: done to the lab before the drill.
        during: done while the drill runs.
        environment: for the drill's process; gets a folder to write into.
        restoration: what must be said of the estate in the end: two halves of a database that went apart are no whole again.
        also: further things that must be so.
        only_all: takes long, so it has no turn; `--all` runs it.
        own_lab: leaves the lab as no other drill should find it, or must find it fresh.
    """

    name: str
    wrong: str
    drill: Path
    caught_by: str
    verdict: str
    result: str
    words: tuple[str, ...]
    lab: tuple[str, ...] = ()
    on: str = "pocket"
    before: Callable[[Lab], None] | None = None
    during: Callable[[Running], None] | None = None
    environment: Callable[[Path], dict[str, str]] = field(default=lambda _folder: {})
    also: Callable[[Ran], None] = nothing_more
    restoration: str = "restored"
    own_lab: bool = False
    only_all: bool = False

    @property
    def status(self) -> int:
        """With which the command must end."""
        return STATUS[self.result] if self.restoration == "restored" else NOT_RESTORED


def lost_by_key(ran: Ran) -> None:
    """The lost writes are named, on the terminal too, and the side that was cut off is shown to have acknowledged them."""
    failed = ran.checks("fail")
    lost = failed["lost_write"]
    assert lost["witnesses_total"] > 0
    assert lost["witnesses"][0] in ran.output or str(lost["witnesses_total"]) in ran.output
    assert "no_ack_while_cut" in failed


def lapsed(ran: Ran) -> None:
    assert ran.recording.journal.last("fault.lapsed") is not None
    assert "lapsed" in str(ran.last("drill.judged")["reasons"])


def away_by_acknowledgements(ran: Ran) -> None:
    """Nothing but the missing acknowledgements showed it."""
    assert any(e.data["way"] == "acknowledgements" for e in ran.recording.journal.of("outage"))


def lost_write_too(ran: Ran) -> None:
    """Missed is never undone by a doubt, and a doubt is not forgotten for a loss."""
    assert "probes_kept_schedule" in ran.failed_assumptions()


FLAWS: Final = (
    Flaw(
        "asynchronous-replication",
        "The database acknowledges before its standby has the write.",
        CUT_OFF, "lost_write", "fail", "missed",
        (r'Database "clinical" lost \d+ acknowledged writes', "recovery point objective is 0 s", 'after site "east" is isolated'),
        lab=("asynchronous-replication",), also=lost_by_key, own_lab=True,
    ),
    Flaw(
        "asynchronous-and-blind",
        "The same, and the probes died on the way: a doubt must not hide a loss.",
        CUT_OFF, "lost_write", "fail", "missed",
        (r'Database "clinical" lost \d+ acknowledged writes',),
        lab=("asynchronous-replication",), during=planting.stop_the_probes, also=lost_write_too, own_lab=True,
    ),
    Flaw(
        "promoted-by-hand",
        "Patroni is paused, and somebody promotes the standby while the old side still acknowledges.",
        BOTH_SIDES, "split_brain", "fail", "missed",
        ("Two members claimed to be the writer for longer than", "east-db1 and south-db1 both claimed to be the writer for"),
        lab=("asynchronous-replication",), before=planting.pause_patroni, during=planting.promote_the_standby, own_lab=True,
    ),
    Flaw(
        "writer-died",
        "A process that writes dies in the middle of the drill.",
        WITNESS, "writers_kept_schedule", "fail", "inconclusive",
        (r"the measuring process write-registration-\w+ was killed by signal 9", "outages may have been missed"),
        during=planting.stop_a_writer,
    ),
    Flaw(
        "probes-died",
        "The processes that probe die in the middle of the drill.",
        WITNESS, "probes_kept_schedule", "fail", "inconclusive",
        (r"the measuring process probe-client-registration was killed by signal 9",),
        during=planting.stop_the_probes,
    ),
    Flaw(
        "torn-journal",
        "Something tears the journal while the drill runs.",
        WITNESS, "journal_whole", "fail", "inconclusive",
        ("not whole", r"\d+ bytes of no whole event were cut", r"1 of the \d+ events that had been written are gone"),
        during=planting.tear_the_journal,
    ),
    Flaw(
        "crashing-check",
        "A check of a team's own package crashes.",
        WITNESS, "no_check_crashed", "fail", "inconclusive",
        ("The check of_a_team crashed and judged nothing", "ZeroDivisionError"),
        environment=planting.a_check_that_crashes,
    ),
    Flaw(
        "old-rows",
        "A replica answers with old rows: it has the log and applies it ten minutes late.",
        WITNESS, "divergence", "fail", "missed",
        ("south-db1", r"lacks \d+ bytes of the log", "told to apply everything 10min late"),
        during=planting.delay_the_replay,
    ),
    Flaw(
        "cut-is-ignored",
        "The way in says that the links are cut, and nothing is cut.",
        WITNESS, "took_hold", "fail", "inconclusive",
        ('site "witness" is isolated', "did not take hold", "connections answered"),
        lab=("cut-is-ignored",),
    ),
    Flaw(
        "power-is-ignored",
        "The way in says that the power is off, and every host runs on.",
        OTHER_SITE, "took_hold", "fail", "inconclusive",
        ('site "south" loses power', "did not take hold"),
        lab=("power-is-ignored",),
    ),
    Flaw(
        "freeze-is-ignored",
        "The way in says that the host is frozen, and nothing stands still.",
        FREEZES, "took_hold", "fail", "inconclusive",
        ("freezes", "did not take hold", "0 of .* stand still"),
        lab=("freeze-is-ignored",), only_all=True,
    ),
    Flaw(
        "thawed-half-way",
        "A frozen host thaws by itself before anybody took over, so nothing was ever in danger.",
        FREEZES, "held", "fail", "inconclusive",
        (r"it lapsed \d+\.\d s after its strike", "before its heal was asked for"),
        lab=("short-leases",), also=lapsed, only_all=True,
    ),
    Flaw(
        "short-leases",
        "A lease runs out half-way, so the fault heals by itself before its heal was asked for.",
        WITNESS, "held", "fail", "inconclusive",
        (r"it lapsed \d+\.\d s after its strike", "before its heal was asked for"),
        lab=("short-leases",), also=lapsed,
    ),
    Flaw(
        "early-acknowledgement",
        "The application answers 201 half a second before it commits.",
        DATABASE_HOST, "lost_write", "fail", "missed",
        (r'Database "clinical" lost \d+ acknowledged writes', "are on none of south-db1"),
        lab=("early-acknowledgement",),
    ),
    Flaw(
        "entry-without-health-check",
        "An entry sends everything to its own site's application, alive or not.",
        APPLICATION_HOST, "available_again", "fail", "missed",
        ('Service "registration" at site "east"', "http://east-entry1", "15 s are allowed"),
        lab=("entry-without-health-check",),
    ),
    Flaw(
        "green-health",
        "/healthz stays green while commits stall for a standby that is lost.",
        OTHER_SITE, "available_again", "fail", "missed",
        ("nothing was acknowledged", r"GET /healthz answered well \d+ times", "15 s are allowed"),
        lab=("green-health",), also=away_by_acknowledgements,
    ),
    Flaw(
        "unlogged-table",
        "The table is UNLOGGED: no replica has its rows, and a crash empties it.",
        DATABASE_HOST, "lost_write", "fail", "missed",
        (r'Database "clinical" lost \d+ acknowledged writes', r"from \d+\.\d+ s before", "unlogged"),
        lab=("unlogged-table",),
    ),
    Flaw(
        "retry-without-key",
        "The application repeats a write that was late, and nothing keeps it from being there twice.",
        OTHER_SITE, "applied_twice", "fail", "missed",
        (r'Database "clinical" holds \d+ writes of this drill more than once', "unique key"),
        lab=("retry-without-key",),
    ),
    Flaw(
        "around-the-links",
        "A connection goes around the supervisor, over no link that could be cut.",
        WITNESS, "nothing_went_around", "fail", "inconclusive",
        (r"south-app1 to east-db1 \(port \d+\)",),
        lab=("around-the-links",),
    ),
    Flaw(
        "credulous-probe",
        "A probe takes every answer for right.",
        WITNESS, "probes_know_wrong", "fail", "refused",
        ("takes a wrong answer for right", "HTTP 503", "called good"),
        environment=planting.a_probe_that_believes_everything,
    ),
    Flaw(
        "checks-nothing",
        "A sentence of a team's own checks nothing: it could not fail.",
        CHECKS_NOTHING, COLLECTION, "fail", "not collected",
        (r"feature:14: this sentence checks nothing: step the_nurses_are_content", "asks no check of a drill"),
        environment=planting.a_step_that_checks_nothing,
    ),
    Flaw(
        "rule-matches-nothing",
        "The rule that should cut a host off names an address that nobody has: it is in force, and cuts nothing.",
        WITNESS, "took_hold", "fail", "inconclusive",
        ('site "witness" is isolated', "did not take hold", "connections answered"),
        on="network", environment=planting.a_rule_that_matches_nothing,
    ),
    Flaw(
        "frozen-holder",
        "An entry host hangs, and its kernel goes on answering for the address that another one took over.",
        ENTRY_FREEZES, "one_holder", "fail", "missed",
        (r"2 hosts answer for 10\.71\.0\.100: ", "which is chance"),
        on="network", lab=("frozen-hosts-answer",),
    ),
    Flaw(
        "killed-keepalived",
        "keepalived of the entry host that has the address is killed: the address stays, and the other one takes it as well.",
        ONE_ADDRESS, "one_holder", "fail", "missed",
        (r"2 hosts answer for 10\.71\.0\.100: east-lb1, east-lb2", "End what holds it on all but one"),
        on="network", before=planting.kill_keepalived, own_lab=True,
    ),
    Flaw(
        "two-holders",
        "The two entry hosts of a site do not hear each other, and each takes the address.",
        ONE_ADDRESS, "one_holder", "fail", "missed",
        (r"2 hosts answer for 10\.71\.0\.100: east-lb1, east-lb2", "End what holds it on all but one"),
        on="network", lab=("two-holders",),
    ),
    Flaw(
        "entry-keeps-dead-server",
        "An entry never asks its application whether it lives, and goes on sending patients to a dead one.",
        APPLICATION_HOST, "available_again", "fail", "missed",
        ('Service "registration" at site "east"', "http://10.71.0.100", "15 s are allowed"),
        on="network", lab=("entry-keeps-dead-server",),
    ),
    Flaw(
        "drops-rows",
        "A member of the cluster applies everything, and some rows are gone on it all the same.",
        WITNESS, "divergence", "fail", "missed",
        ("south-db1", r"\d+ (rows|keys)"),
        on="network", lab=("drops-rows",),
    ),
    Flaw(
        "ignore-quorum",
        "The members are told to go on without a majority, so both sides of a cut accept writes.",
        BOTH_SIDES, "split_brain", "fail", "missed",
        ("was written on both sides", "east"),
        on="network", lab=("ignore-quorum",), restoration="residual", own_lab=True, only_all=True,
    ),
    Flaw(
        "flush-later",
        "The databases acknowledge what is in their memory only, and all of them lose their power.",
        BOTH_DATABASES, "lost_write", "fail", "missed",
        (r'Database "clinical" lost \d+ acknowledged writes',),
        on="network", lab=("flush-later",),
    ),
)  # fmt: skip

CI: Final = 5
"""So many of them run without `--all`."""


def of_the_day(day: int) -> tuple[str, ...]:
    """The flaws whose turn it is on this day (a proleptic Gregorian ordinal): in a few days each that has turns has run."""
    names = [flaw.name for flaw in FLAWS if not flaw.only_all]
    return tuple(names[(day * CI + n) % len(names)] for n in range(CI))
