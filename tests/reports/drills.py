# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Drill folders as real drills leave them, made without an estate: each ends in a way that a report must be able to tell.

    met, missed, lapsed, killed, refused, residual, chinese, switchover, nulls, long, both

`python tests/reports/drills.py OUT` writes all of them with their reports, to be looked at.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drdrill.journal import events, records
from drdrill.journal.journal import FILE_NAME, GENESIS, digest
from drdrill.journal.records import Claim, Done, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BASE_NS = 4_000_000_000_000
BASE = datetime(2026, 11, 24, 22, 30, 0, tzinfo=UTC)
SITES = ("east", "south")
DTYPES = {
    "samples": records.SAMPLE,
    "intents": records.INTENT,
    "operations": records.OPERATION,
    "claims": records.CLAIM,
}
CUT_STEPS = (
    ("Given", "the estate is healthy"),
    ("And", 'service "registration" is served by site "east"'),
    ("And", '25 writes per second go through service "registration" at every site'),
    ("When", 'site "east" is isolated'),
    ("Then", 'service "registration" is available again at site "south" within its RTO'),
    ("And", 'site "east" acknowledges no write while it is isolated'),
    ("When", 'site "east" is reconnected'),
    ("Then", 'every replica of database "clinical" holds the same data within its recovery time'),
    ("And", "no acknowledged write is lost"),
)
CUT_STEPS_ZH = (
    ("假如", "环境处于健康状态"),
    ("而且", '服务"registration"由数据中心"east"提供'),
    ("而且", '每个数据中心每秒通过服务"registration"写入 25 笔'),
    ("当", '数据中心"east"被隔离'),
    ("那么", '服务"registration"在数据中心"south"于其 RTO 内恢复可用'),
    ("而且", '数据中心"east"在隔离期间不确认任何写入'),
    ("当", '数据中心"east"恢复连接'),
    ("那么", '数据库"clinical"的所有副本在其恢复时间内数据一致'),
    ("而且", "没有丢失任何已确认的写入"),
)


def ns(second: float) -> int:
    """An instant of the drill, in CLOCK_MONOTONIC ns."""
    return BASE_NS + round(second * 1e9)


@dataclass
class Folder:
    """Writes one drill's folder, event by event, at instants that the caller gives."""

    path: Path
    told: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def event(self, second: float, kind: str, **data: Any) -> None:
        """Tell an event; `close` puts all of them in the order of time."""
        self.told.append((second, kind, data))

    def stream(self, name: str, kind: str, rows: Sequence[tuple[Any, ...]], tail: bytes = b"", **head: Any) -> None:
        """Write one stream; `tail` is half a record that its writer did not live to finish."""
        data = self.path / "data"
        data.mkdir(parents=True, exist_ok=True)
        (data / f"{name}.json").write_text(json.dumps({"kind": kind, "stream": name, **head}))
        (data / f"{name}.bin").write_bytes(np.array(list(rows), DTYPES[kind]).tobytes() + tail)

    def close(self, tail: bytes = b"") -> Path:
        """Put the journal on disk, each event as it would have been written at its second."""
        self.path.mkdir(parents=True, exist_ok=True)
        prev, lines = GENESIS, []
        for n, (second, kind, data) in enumerate(sorted(self.told, key=lambda t: t[0])):
            wall = (BASE + timedelta(seconds=second)).isoformat(timespec="microseconds")
            line: dict[str, Any] = {"n": n, "t": ns(second), "wall": wall, "kind": kind, "data": data, "prev": prev}
            line["hash"] = prev = digest(line)
            lines.append(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
        (self.path / FILE_NAME).write_bytes(b"".join(lines) + tail)
        return self.path


@dataclass(frozen=True)
class Story:
    """When what happens, in seconds from the beginning of the drill."""

    begin: float = 2.0
    strike: float = 10.0
    back: float = 14.1
    """When the other site serves again."""
    heal: float = 26.0
    rejoin: float = 29.5
    end: float = 42.0
    killed: float | None = None
    """The runner dies here, and everything that it wrote with it."""
    read_from: float = 36.0

    @property
    def stop(self) -> float:
        """Where the measuring ends."""
        return min(self.end, self.killed or self.end)

    def service(self, vantage: str, site: str, second: float) -> Seen:
        """What a probe sees."""
        cut = self.strike <= second < self.heal
        if vantage == "client" and site == "east" and cut:
            return Seen.SILENT
        if site == "east" and self.strike <= second < self.rejoin:
            return Seen.WRONG
        if site == "south" and self.strike + 0.05 <= second < self.back:
            return Seen.WRONG if second > self.strike + 1.1 else Seen.LATE
        return Seen.GOOD

    def writes(self, site: str, second: float) -> Done:
        """How a write ends."""
        if site == "south" and self.strike <= second < self.back:
            return Done.UNKNOWN if second < self.strike + 2 else Done.FAIL
        if site == "east" and self.strike <= second < self.rejoin:
            return Done.UNKNOWN if second < self.strike + 2 else Done.FAIL
        return Done.OK


def probes(folder: Folder, story: Story, see: Callable[[str, str, float], Seen], service: str = "registration") -> None:
    """20 attempts a second from the clients to each endpoint, and from each site to its own."""
    for vantage, site in (("client", "east"), ("client", "south"), ("east", "east"), ("south", "south")):
        name = f"probe-{vantage}-{site}"
        url = f"http://{site}-entry1"
        about = {"service": service, "vantage": vantage, "site": site, "url": url, "rate_hz": 20.0, "latency_s": 1.0}
        folder.event(story.begin, events.PROBES_STARTED, stream=name, **about)
        rows = []
        for seq in range(int((story.stop - story.begin) * 20)):
            at = story.begin + seq / 20
            seen = see(vantage, site, at)
            took = {Seen.GOOD: 0.004, Seen.WRONG: 0.006}.get(seen, 1.0)
            status = {Seen.GOOD: 200, Seen.WRONG: 503}.get(seen, 0)
            rows.append((seq, ns(at), ns(at) + 100_000, ns(at + took), seen, status, b""))
        folder.stream(name, "samples", rows, **about)


def writers(
    folder: Folder, story: Story, tail: bytes = b"", service: str | None = "registration", rate_hz: float = 25.0
) -> None:
    """Writes at each site, through a service or (None) into the database; paused while a sentence reads back."""
    for site in SITES:
        name = f"write-{site}" if service else f"write-to-clinical-{site}"
        about = {
            "service": service, "database": None if service else "clinical", "site": site, "vantage": site, "rate_hz": rate_hz,
            "latency_s": 1.0, "deadline_s": 30.0, "prefix": f"d1/{name}/",
        }  # fmt: skip
        folder.event(story.begin + 3, events.WRITES_STARTED, stream=name, **about)
        rows = []
        for seq in range(int((story.stop - story.begin - 3) * rate_hz)):
            at = story.begin + 3 + seq / rate_hz
            if story.read_from <= at < story.read_from + 1.5:
                continue
            done = story.writes(site, at)
            took = {Done.OK: 0.006, Done.FAIL: 0.004}.get(done, 20.0)
            rows.append((seq, ns(at), ns(at) + 50_000, ns(at + took), done, 201 if done == Done.OK else 503, b""))
        folder.stream(name, "operations", rows, tail, **about)
        meant = [(r[0], r[1]) for r in rows]
        # The intents of a writer that dies are ahead of what it recorded.
        meant += [(seq + i, ns(story.stop)) for i in range(1, 4)] if story.killed else []
        folder.stream(records.intents_of(name), "intents", meant, **about)


def members(folder: Folder, story: Story) -> None:
    """Who claims to be the writer, five times a second."""
    names = ["east-db1", "south-db1"]
    folder.event(story.begin, events.MEMBERS_WATCHED, database="clinical", stream="claims-clinical", members=names)
    rows = []
    for seq in range(int((story.stop - story.begin) * 5)):
        at = story.begin + seq / 5
        east = Claim.YES if at < story.strike + 2.4 else Claim.NO
        south = Claim.YES if at >= story.back - 0.6 else Claim.NO
        rows += [(2 * seq + i, ns(at), ns(at + 0.003), i, c) for i, c in enumerate((east, south))]
    folder.stream("claims-clinical", "claims", rows, members=names, database="clinical")


def begin(folder: Folder, **changes: Any) -> None:
    """The event that opens a drill."""
    steps = changes.pop("steps", CUT_STEPS)
    service = {"rto_s": 15.0, "latency_s": 1.0, "stable_s": 3.0, "sites": list(SITES)}
    database = {"rpo_s": 0.0, "recovery_s": 60.0, "fencing_s": 5.0}
    about: dict[str, Any] = {
        "drill": "d-7f3a",
        "title": "The east campus is isolated",
        "feature": "A data center is cut off",
        "description": "Patients are registered at both campuses. When one campus loses its links, the other one\n"
        "carries on, and nothing that was confirmed to a nurse is lost.",
        "file": "features/site_isolation/site_cut_off.feature",
        "line": 12,
        "language": "en",
        "tags": ["first", "nist-800-53:CP-4.5"],
        "steps": [{"keyword": k, "text": t, "line": 13 + i} for i, (k, t) in enumerate(steps)],
        "estate": "pocket",
        "estate_file": "fixtures/estates/pocket.yaml",
        "lab": "pocket",
        "links": "user-space",
        "lab_flaws": [],
        "versions": {"drdrill": "0.1.0", "python": "3.11.7", "postgresql": "18.6", "patroni": "4.1.5"},
        "machine": {"system": "Linux 6.1", "cpus": 2, "memory": "3.9 GB"},
        "clock": {"mono_ns": ns(0), "wall_ns": round(BASE.timestamp() * 1e9)},
        "objectives": {"services": {"registration": service}, "databases": {"clinical": database}},
    }
    folder.event(0.0, events.DRILL_BEGUN, **(about | changes))


def steps(folder: Folder, times: Sequence[tuple[float, float, str, str]], texts: Sequence[tuple[str, str]]) -> None:
    """Sentences as they ran: begun, ended, status, message."""
    for index, (start, stop, status, message) in enumerate(times):
        folder.event(start, events.STEP_BEGUN, index=index, text=texts[index][1])
        if status:
            folder.event(stop, events.STEP_ENDED, index=index, status=status, message=message or None)


def cut(
    folder: Folder, story: Story, *, looks: int = 6, lapsed: float | None = None, until: float | None = None
) -> None:
    """The isolation of east, from plan to heal, with every look."""
    hold = "h-east-1"
    stop = until if until is not None else story.end
    hosts = ["east-db1", "east-app1", "east-entry1"]
    folder.event(
        story.strike - 0.20, events.FAULT_PLANNED, hold=hold, fault="site-isolated", title='site "east" is isolated',
        targets=hosts, sites=["east"], why="every host of site east, towards every host that is not at east", undo={},
    )  # fmt: skip
    folder.event(story.strike - 0.10, events.FAULT_ARMED, hold=hold, lease_s=3.0, hard_end_s=600.0)
    folder.event(
        story.strike + 0.02, events.FAULT_STRUCK, hold=hold, first_ns=ns(story.strike), last_ns=ns(story.strike + 0.008)
    )
    folder.event(
        story.strike + 0.4, events.FAULT_LOOKED, hold=hold, question="took_hold", answer=True,
        words="30 links are frozen; nothing of 12 offered packets got through, on old and new connections.",
        counts={"offered": 12, "through": 0},
    )  # fmt: skip
    ends = min(story.heal, lapsed or story.heal)
    for i in range(looks):
        at = story.strike + 0.6 + i * 2.4
        if at >= min(ends, stop):
            break
        folder.event(at, events.FAULT_RENEWED, hold=hold, lease_s=30.0)
        folder.event(
            at + 0.01, events.FAULT_LOOKED, hold=hold, question="held", answer=True,
            words=f"nothing of {12 + 4 * i} offered packets got through.", counts={"offered": 12 + 4 * i, "through": 0},
        )  # fmt: skip
    if lapsed is not None:
        folder.event(
            lapsed + 0.3, events.FAULT_LOOKED, hold=hold, question="held", answer=False,
            words="4 of 16 offered packets got through.", counts={"offered": 16, "through": 4},
        )  # fmt: skip
        folder.event(lapsed + 0.35, events.FAULT_LAPSED, hold=hold, at_ns=ns(lapsed))
    if stop > story.heal:
        folder.event(story.heal, events.FAULT_HEALING, hold=hold, reason="sentence")
        folder.event(
            story.heal + 0.02, events.FAULT_HEALED, hold=hold, first_ns=ns(story.heal), last_ns=ns(story.heal + 0.01)
        )
        folder.event(
            story.heal + 0.5, events.FAULT_LOOKED, hold=hold, question="healed", answer=True,
            words="30 links are open; 12 of 12 offered packets got through.", counts={"offered": 12, "through": 12},
        )  # fmt: skip


GOOD_TIMES = (
    (0.1, 0.9, "passed", ""), (0.9, 1.4, "passed", ""), (1.4, 9.6, "passed", ""), (9.6, 10.6, "passed", ""),
    (10.6, 18.4, "passed", ""), (18.4, 25.9, "passed", ""), (25.9, 26.7, "passed", ""), (26.7, 36.0, "passed", ""),
    (36.0, 37.5, "passed", ""),
)  # fmt: skip


def outage(
    folder: Folder, story: Story, verdict: str = "pass", upper: float | None = 4.1513, lower: float = 4.0462
) -> None:
    """The outage that the clients saw, and the one of the endpoint that was struck."""
    known = {"service": "registration", "way": "probes", "cause": "h-east-1", "cause_title": 'site "east" is isolated'}
    folder.event(
        story.end + 0.1, events.OUTAGE, strip="client", begin_ns=ns(story.strike + 0.05),
        end_ns=ns(story.back) if upper else None, lower_s=lower, upper_s=upper, counted="rto", objective_s=15.0,
        verdict=verdict, judged=True, **known,
    )  # fmt: skip
    folder.event(
        story.end + 0.1, events.OUTAGE, strip="east", begin_ns=ns(story.strike), end_ns=ns(story.rejoin), lower_s=19.44,
        upper_s=19.56, counted="own length", objective_s=15.0, verdict="unknown", judged=False, **known,
    )  # fmt: skip


def check(folder: Folder, second: float, name: str, *said: str, **more: Any) -> None:
    """What one check said: its title, verdict and message."""
    title, verdict, message = said
    seen = more.pop("witnesses", ())
    saw = more.pop("saw", {"samples": 3200, "operations": 1746, "rows": 1268, "replicas": 2})
    folder.event(
        second, events.CHECK, check=name, title=title, verdict=verdict, message=message, counts=more.pop("counts", {}), saw=saw,
        witnesses=list(seen)[:50], witnesses_total=len(seen), phase=more.pop("phase", "end"),
    )  # fmt: skip


def good_checks(folder: Folder, at: float) -> None:
    """The checks of a drill that found nothing."""
    check(
        folder, at, "objectives", "Each outage against its objective", "pass",
        "The one outage of registration lasted between 4.05 and 4.16 s, inside its RTO of 15 s.",
        counts={"outages": 1, "samples": 3200},
    )  # fmt: skip
    check(
        folder, at, "lost_write", "No acknowledged write is lost", "pass",
        "Each of the 1 268 writes that were acknowledged is on every readable replica.",
        counts={"acknowledged": 1268, "lost": 0, "unknown": 88, "failed": 390, "replicas": 2},
    )  # fmt: skip
    check(
        folder, at, "split_brain", "Never written on both sides of a cut", "pass",
        "No write was acknowledged at east later than 5 s after the cut, while south acknowledged 301.",
        counts={"cuts": 1, "acknowledged_inside": 0, "claims": 400},
    )  # fmt: skip


def assumptions(folder: Folder, at: float, **changed: tuple[str, str]) -> None:
    """What was taken for granted, with what was measured for each."""
    told = {
        "schedules": ("Probes and writers kept time", "pass", "None of 3 200 attempts is missing; the latest was 4 ms late."),
        "load": ("Writes flowed before each strike", "pass", "Before the strike 100 of 100 due writes were acknowledged."),
        "held": ("Every fault took hold and was held", "pass", 'site "east" is isolated: held at all of 6 looks.'),
        "unexplained": ("No connection went around a cut", "pass", "32 audits saw 410 connections; each belongs to a link."),
    }  # fmt: skip
    for name, (title, verdict, message) in told.items():
        answer, words = changed.get(name, (verdict, message))
        folder.event(
            at,
            events.ASSUMPTION,
            assumption=name,
            title=title,
            verdict=answer,
            message=words,
            counts={},
            saw={"looks": 6},
        )


def close(
    folder: Folder,
    at: float,
    result: str,
    reasons: Sequence[str],
    *,
    restoration: str = "restored",
    differences: Sequence[Any] = (),
) -> Path:
    """Judgement, restoration, end."""
    folder.event(at, events.DRILL_JUDGED, result=result, reasons=list(reasons))
    folder.event(at + 0.2, events.DRILL_RESTORED, restoration=restoration, differences=list(differences))
    folder.event(at + 0.3, events.DRILL_ENDED, result=result, restoration=restoration, seconds=at + 0.3)
    return folder.close()


def readback(folder: Folder, at: float, rows: dict[str, int], phase: str = "end") -> None:
    """What the members of the database were found to hold."""
    for member, count in rows.items():
        folder.event(
            at, events.READBACK, database="clinical", member=member, site=member.split("-")[0], readable=count >= 0,
            words="" if count >= 0 else "it does not answer", rows=max(count, 0), digest=None, keys_file=None,
            at_ns=ns(at), phase=phase,
        )  # fmt: skip


def _through_the_cut(path: Path, story: Story, **about: Any) -> Folder:
    folder = Folder(path)
    begin(folder, **about)
    probes(folder, story, story.service)
    writers(folder, story)
    members(folder, story)
    return folder


def met(path: Path, *, both_ways: bool = False) -> Path:
    """All went well."""
    story = Story()
    folder = _through_the_cut(path, story)
    if both_ways:
        writers(folder, story, service=None, rate_hz=10.0)
    cut(folder, story)
    steps(folder, GOOD_TIMES, CUT_STEPS)
    _ending(folder, story)
    good_checks(folder, 42.3)
    assumptions(folder, 42.3)
    reasons = [
        "Registration was away for at most 4.16 s of the 15 s that are promised, and nothing acknowledged is lost."
    ]
    folder.event(42.4, events.NOTE, words="the writer of database clinical was east-db1 and is south-db1 now")
    return close(folder, 42.5, "met", reasons)


def _ending(folder: Folder, story: Story) -> None:
    names = ["write-east", "write-south"]
    mark = {"write-east": 774, "write-south": 774}
    folder.event(
        story.read_from,
        events.WRITES_PAUSED,
        streams=names,
        from_ns=ns(story.read_from),
        to_ns=ns(story.read_from + 1.5),
        mark=mark,
    )
    readback(folder, story.read_from + 1, {"east-db1": 1268, "south-db1": 1268}, phase="8")
    folder.event(
        story.end, events.DRILL_QUIET, from_ns=ns(40.0), to_ns=ns(42.0), reason="nothing was in flight for 2 s"
    )
    readback(folder, story.end + 0.05, {"east-db1": 1268, "south-db1": 1268})
    outage(folder, story)


LOST = [f"d1/write-east/{i:06d}" for i in range(94, 147)] + ["d1/<script>alert(1)</script>&/000151"]


def missed(path: Path) -> Path:
    """The lab replicated asynchronously, and acknowledged writes are gone."""
    story = Story()
    folder = _through_the_cut(path, story, lab_flaws=["asynchronous-replication"])
    cut(folder, story)
    words = f"{len(LOST)} of 1 268 acknowledged writes are on no readable replica; the first is {LOST[0]}."
    steps(folder, (*GOOD_TIMES[:-1], (36.0, 37.5, "failed", words)), CUT_STEPS)
    _ending(folder, story)
    counts = {"acknowledged": 1268, "lost": len(LOST), "unknown": 88, "failed": 390, "replicas": 2}
    check(
        folder,
        37.4,
        "lost_write",
        "No acknowledged write is lost",
        "fail",
        words,
        counts=counts,
        witnesses=LOST,
        phase="8",
    )
    check(folder, 42.3, "lost_write", "No acknowledged write is lost", "fail", words, counts=counts, witnesses=LOST)
    assumptions(folder, 42.3)
    return close(
        folder, 42.5, "missed", [words, "The database lost what it had confirmed: look at synchronous_mode of Patroni."]
    )


def lapsed(path: Path) -> Path:
    """The lease ran out half-way."""
    story = Story()
    folder = _through_the_cut(path, story)
    cut(folder, story, lapsed=18.0)
    words = "The cut of site east lapsed 8.0 s after the strike, so no write inside it proves anything."
    times = (*GOOD_TIMES[:5], (18.4, 25.9, "unknown", words), *GOOD_TIMES[6:])
    steps(folder, times, CUT_STEPS)
    _ending(folder, story)
    good_checks(folder, 42.3)
    check(
        folder,
        25.8,
        "no_ack_while_cut",
        "East acknowledges no write while it is isolated",
        "unknown",
        words,
        counts={"sent": 8},
        phase="5",
    )
    assumptions(
        folder, 42.3, held=("fail", 'site "east" is isolated lapsed at +8.00 s, 8 s before its heal was asked for.')
    )
    return close(
        folder, 42.5, "inconclusive", ['site "east" is isolated lapsed: it ended 8 s before its heal was asked for.']
    )


def killed(path: Path) -> Path:
    """The runner was killed while the fault was held; half an event and half a record are left."""
    story = Story(killed=16.3)
    folder = Folder(path)
    begin(folder)
    probes(folder, story, story.service)
    writers(folder, story, tail=b"\x07\x00\x00")
    members(folder, story)
    cut(folder, story, looks=3, until=16.3)
    steps(folder, (*GOOD_TIMES[:4], (10.6, 0, "", "")), CUT_STEPS)
    return folder.close(tail=b'{"n":40,"t":4000016')


def refused(path: Path) -> Path:
    """The estate was not healthy, so nothing was struck."""
    folder = Folder(path)
    begin(folder)
    words = 'The estate is not healthy: member "south-db1" of database "clinical" does not stream. Start it, then drill again.'
    steps(folder, ((0.1, 0.9, "refused", words),), CUT_STEPS)
    return close(folder, 1.0, "refused", [words])


def residual(path: Path) -> Path:
    """One host did not get its power back."""
    story = Story()
    folder = _through_the_cut(
        path, story, title="The site of the primary loses power", feature="The service fails over",
        file="features/failover/site_lost.feature",
    )  # fmt: skip
    hold = "h-east-2"
    folder.event(
        9.8, events.FAULT_PLANNED, hold=hold, fault="site-lost", title='site "east" loses power',
        targets=["east-db1", "east-app1", "east-entry1"], sites=["east"], why="every host of site east", undo={},
    )  # fmt: skip
    folder.event(9.9, events.FAULT_ARMED, hold=hold, lease_s=30.0, hard_end_s=600.0)
    folder.event(10.02, events.FAULT_STRUCK, hold=hold, first_ns=ns(10.0), last_ns=ns(10.31))
    folder.event(
        10.5, events.FAULT_LOOKED, hold=hold, question="took_hold", answer=True, words="3 hosts are off.", counts={}
    )
    folder.event(
        12.5,
        events.FAULT_LOOKED,
        hold=hold,
        question="held",
        answer=None,
        words="the supervisor did not answer.",
        counts={},
    )
    folder.event(26.0, events.FAULT_HEALING, hold=hold, reason="abort")
    command = "drdrill recover --estate pocket"
    folder.event(
        31.0,
        events.FAULT_RESIDUAL,
        hold=hold,
        words="east-db1 does not come up: its data folder is locked.",
        command=command,
    )
    aborted = "The way in to power answered nothing for 5 s while the fault was held."
    steps(folder, (*GOOD_TIMES[:4], (10.6, 26.0, "aborted", aborted)), CUT_STEPS)
    folder.event(30.0, events.WORKER_ENDED, stream="probe-east-east", status="killed", words="signal 9, not asked for")
    folder.event(42.2, events.NOTE, words="The audit could not read the files of 2 processes.")
    outage(folder, story, "unknown", None)
    assumptions(folder, 42.3, held=("unknown", "1 of 2 looks could not tell whether it was held."))
    differences = [
        {"what": "hold h-east-2", "before": "not there", "after": "power is cut by it", "command": command},
        {"what": "host east-db1", "before": "up", "after": "off", "command": None},
    ]
    return close(folder, 42.5, "aborted", [aborted], restoration="residual", differences=differences)


def chinese(path: Path) -> Path:
    """The same drill from its Chinese feature."""
    story = Story()
    folder = _through_the_cut(
        path, story, steps=CUT_STEPS_ZH, language="zh-CN", title="东院区被隔离", feature="一个数据中心与外界断开",
        description="患者在两个院区登记。当其中一个院区的链路中断时，另一个院区继续服务，\n已向护士确认的登记不会丢失。",
        file="features/site_isolation/site_cut_off.zh.feature", estate="医院演练环境", tags=["首次演练"],
    )  # fmt: skip
    cut(folder, story)
    steps(folder, GOOD_TIMES, CUT_STEPS_ZH)
    _ending(folder, story)
    good_checks(folder, 42.3)
    assumptions(folder, 42.3)
    return close(folder, 42.5, "met", [])


def switchover(path: Path) -> Path:
    """Planned moves, there and back; no fault and hardly an outage."""
    story = Story(strike=500.0, back=500.0, heal=500.0, rejoin=500.0)
    folder = Folder(path)
    begin(
        folder,
        title="Registration moves to the other campus and back",
        feature="A planned switchover",
        links="kernel",
        lab=None,
    )

    def see(_: str, __: str, second: float) -> Seen:
        return Seen.WRONG if 12.10 <= second < 13.0 or 25.2 <= second < 25.9 else Seen.GOOD

    probes(folder, story, see)
    writers(folder, story)
    for number, (at, site) in enumerate(((12.0, "south"), (25.0, "east"))):
        title = f'service "registration" is switched over to site "{site}"'
        folder.event(
            at, events.OPERATION_BEGUN, operation="switch_over", title=title, id=f"o-{number}", first_ns=ns(at)
        )
        folder.event(
            at + 1.4,
            events.OPERATION_ENDED,
            operation="switch_over",
            id=f"o-{number}",
            last_ns=ns(at + 1.4),
            words=f"{site}-db1 is the writer",
            error=None,
        )
        folder.event(
            42.1, events.OUTAGE, service="registration", strip="client", begin_ns=ns(at + 0.1), end_ns=ns(at + 1.0),
            lower_s=0.84 - number * 0.2, upper_s=0.96 - number * 0.2, way="probes", cause=f"o-{number}", cause_title=title,
            counted="rto", objective_s=15.0, verdict="pass", judged=True,
        )  # fmt: skip
    good_checks(folder, 42.3)
    assumptions(folder, 42.3)
    return close(folder, 42.5, "met", ["Both moves stayed inside the RTO of 15 s."])


def nulls(path: Path) -> Path:
    """Whatever a journal may leave open is open: no lab, no cause, no end, no command, no site, nothing said."""
    story = Story(end=20.0, read_from=18.0)
    folder = Folder(path)
    begin(folder, lab=None, links=None, description="", file="", line=0, tags=[], objectives={})
    probes(folder, story, story.service)
    writers(folder, story)
    told = {"rate_hz": 25.0, "latency_s": 1.0, "deadline_s": 30.0, "prefix": "d1/x/"}
    folder.event(
        5.0,
        events.WRITES_STARTED,
        stream="gone",
        service=None,
        database="clinical",
        site="east",
        vantage="east",
        **told,
    )
    folder.event(
        9.9, events.FAULT_PLANNED, hold="h", fault="process-killed", title="a daemon is killed", targets=[],
        sites=[], why="", undo={},
    )  # fmt: skip
    folder.event(9.95, events.FAULT_ARMED, hold="h", lease_s=None, hard_end_s=None)
    folder.event(10.0, events.FAULT_STRUCK, hold="h", first_ns=ns(10), last_ns=ns(10))
    folder.event(10.1, events.FAULT_LOOKED, hold="h", question="held", answer=None, words="", counts={})
    folder.event(12.0, events.FAULT_LAPSED, hold="h", at_ns=None)
    folder.event(13.0, events.FAULT_RESIDUAL, hold="h", words="it is not running", command=None)
    folder.event(14.0, events.OPERATION_BEGUN, operation="switch_over", title="a move", id="o", first_ns=ns(14))
    folder.event(15.0, events.WRITES_PAUSED, streams=["write-east"], from_ns=ns(15), to_ns=None, mark={})
    folder.event(
        16.0, events.READBACK, database="clinical", member="m", site=None, readable=False, words="silent", rows=0, digest=None,
        keys_file=None, at_ns=ns(16), phase="end",
    )  # fmt: skip
    folder.event(
        17.0, events.OUTAGE, service="registration", strip="east", begin_ns=ns(10), end_ns=None, lower_s=1.0, upper_s=None,
        way="acknowledgements", cause=None, cause_title=None, counted="own length", objective_s=None, verdict="unknown",
        judged=False,
    )  # fmt: skip
    steps(folder, ((0.1, 0.9, "passed", ""),), CUT_STEPS)
    return close(folder, 20.5, "inconclusive", [], restoration="unknown")


def long(path: Path) -> Path:
    """Ten minutes, a service that flaps, and one single bad attempt near the end."""
    story = Story(strike=60.0, back=64.0, heal=300.0, rejoin=310.0, end=600.0, read_from=590.0)
    folder = Folder(path)
    begin(folder)

    def see(vantage: str, site: str, second: float) -> Seen:
        if vantage == "client" and abs(second - 500.0) < 0.01:
            return Seen.LATE
        if vantage == "south" and 320 < second < 480 and int(second * 20) % 3 == 0:
            return Seen.LATE
        return story.service(vantage, site, second)

    probes(folder, story, see)
    writers(folder, story)
    members(folder, story)
    cut(folder, story, looks=90)
    outage(folder, story)
    good_checks(folder, 600.3)
    assumptions(folder, 600.3)
    return close(folder, 600.5, "met", ["All of it held."])


def both(path: Path) -> Path:
    """Writes through the service and into the database, at rates of their own."""
    return met(path, both_ways=True)


ALL: dict[str, Callable[[Path], Path]] = {
    f.__name__: f for f in (met, missed, lapsed, killed, refused, residual, chinese, switchover, nulls, long, both)
}

if __name__ == "__main__":
    import importlib

    for name, make in ALL.items():
        where = make(Path(sys.argv[1]) / f"20261124T223000Z-{name}")
        for report in importlib.import_module("drdrill.reports").write_all(where):
            sys.stdout.write(f"{report}\n")
