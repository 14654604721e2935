# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of events in a journal, and what each carries.

A journal is JSON lines. Each line has `n` (from 0), `t` (CLOCK_MONOTONIC ns), `wall` (UTC, ISO 8601), `kind`, `data`,
`prev` (hash of the line before) and `hash`. Reports and judgement lean on the keys below and on nothing else; a reader
ignores keys that it does not know. `*_ns` are CLOCK_MONOTONIC nanoseconds, `*_s` seconds.
"""

from __future__ import annotations

from typing import Final

# --- the drill -------------------------------------------------------------------------------------------------------
DRILL_BEGUN: Final = "drill.begun"
"""drill, title, feature, description (of the feature), file, line, language, tags[], steps[{keyword, text, line}],
estate, estate_file, lab|null, links ("user-space"|"kernel"|null), lab_flaws[], versions{}, machine{}, clock{mono_ns, wall_ns},
objectives{services{S: {rto_s, latency_s, stable_s, sites[]}}, databases{D: {rpo_s, recovery_s, fencing_s}}}"""
DRILL_ALLOWED: Final = "drill.allowed"
"""plan (its digest), approvals[{person, from, until}], probe_only: what it may strike, and who said yes to that."""
DRILL_QUIET: Final = "drill.quiet"
"""The heals are done and the drill waited until nothing was in flight: from_ns, to_ns, reason."""
DRILL_JUDGED: Final = "drill.judged"
"""result (met|missed|inconclusive|aborted|refused), reasons[] (complete sentences, the first is the headline)."""
DRILL_RESTORED: Final = "drill.restored"
"""restoration (restored|residual|unknown), differences[{what, before, after, command|null}]."""
DRILL_ENDED: Final = "drill.ended"
"""result, restoration, seconds."""

JOURNAL_TORN: Final = "journal.torn"
"""words, gone (events that had been written and are not there), cut (bytes): somebody changed the journal while the drill ran."""

# --- sentences -------------------------------------------------------------------------------------------------------
STEP_BEGUN: Final = "step.begun"
"""index (into steps), text."""
STEP_ENDED: Final = "step.ended"
"""index, status (passed|failed|unknown|refused|aborted), message|null. A step without this event was not run."""
STEP_OVERRIDDEN: Final = "step.overridden"
"""index, text, by (file:line): a team's own step stands in for a shipped sentence."""

# --- what is broken --------------------------------------------------------------------------------------------------
FAULT_PLANNED: Final = "fault.planned"
"""hold, fault, title (`site "east" is isolated`), targets[], sites[], why (how the targets were chosen), undo{}."""
FAULT_ARMED: Final = "fault.armed"
"""hold, lease_s, hard_end_s."""
FAULT_STRUCK: Final = "fault.struck"
"""hold, first_ns, last_ns: the first and the last command of the strike."""
FAULT_LOOKED: Final = "fault.looked"
"""hold, question (took_hold|held|healed), answer (true|false|null), words, counts{}."""
FAULT_RENEWED: Final = "fault.renewed"
"""hold, lease_s."""
FAULT_LAPSED: Final = "fault.lapsed"
"""hold, at_ns|null: it ended before its heal was asked for."""
ROUTINE: Final = frozenset({FAULT_RENEWED, FAULT_LOOKED})
"""What comes every few seconds while a fault is held. It is in the file when it was written, and on the disk with the next event
of another kind: a machine that loses its power may lose these, and its drill is over then."""
FAULT_HEALING: Final = "fault.healing"
"""hold, reason (sentence|end|abort|recover|guardian)."""
FAULT_HEALED: Final = "fault.healed"
"""hold, first_ns, last_ns."""
FAULT_RESIDUAL: Final = "fault.residual"
"""hold, words, command: what a person can type."""

GUARDED: Final = "drill.guarded"
"""hold (of the strike that was asked for; null: read again while something is held), title, quorum_loss (whether the sentence
expects it), said[{guard, answer, words, lifted}]."""
TRIPPED: Final = "drill.tripped"
"""watch (what was watched), words: why the drill had to stop; its heal begins."""

# --- the guardian ----------------------------------------------------------------------------------------------------
GUARDIAN_BEGUN: Final = "guardian.begun"
"""drill, pid, machine; in a drill's journal also where (local|ssh://...)."""
GUARDIAN_PREPARED: Final = "guardian.prepared"
"""ways[[capability, name, hosts[]]], wrong[]: the ways back that it tried without harm, and those that do not work."""
GUARDIAN_GUARDS: Final = "guardian.guards"
"""hold, fault, title: its undo is on the guardian's own disk."""
GUARDIAN_HEALING: Final = "guardian.healing"
"""why, titles[]: it heals, and no renewal counts any more."""
GUARDIAN_ENDED: Final = "guardian.ended"
"""words."""

# --- what is moved ---------------------------------------------------------------------------------------------------
OPERATION_BEGUN: Final = "operation.begun"
"""operation, title, id, first_ns."""
OPERATION_ENDED: Final = "operation.ended"
"""operation, id, last_ns, words, error|null."""

# --- what clients see ------------------------------------------------------------------------------------------------
PROBES_STARTED: Final = "probes.started"
"""stream, service, vantage, vantage_site (null: the client network), site (of the endpoint), url, method, path, rate_hz,
latency_s."""
PROBES_CALIBRATED: Final = "probes.calibrated"
"""stream, from_ns, to_ns, samples, p50_ns, p99_ns."""
PROBES_CONTROLLED: Final = "probes.controlled"
"""stream, shown[] (wrong answers, in words: `HTTP 503`), believed[] (those of them that it called good): before the strike."""
MEMBERS_PROBED: Final = "members.probed"
"""stream, database, member, site (of the member), question (read|write), vantage, vantage_site, rate_hz, latency_s."""
LEDGER_MADE: Final = "ledger.made"
"""database, table, key (its column): the rows of writers that write into the database itself are there."""
LEDGER_DROPPED: Final = "ledger.dropped"
"""database, table, words, error|null: with an error it may still be there."""
WRITES_STARTED: Final = "writes.started"
"""stream, service|null, database|null, site, vantage, rate_hz, latency_s, deadline_s, prefix: the writer named `stream`."""
WRITES_PAUSED: Final = "writes.paused"
"""streams[], from_ns, to_ns|null, mark{stream: seq|null}: part of no outage. Written at the pause, and again with the same from_ns
when the writers were resumed."""
MEMBERS_WATCHED: Final = "members.watched"
"""database, stream, members[]: who claims to be the writer is sampled into that stream."""
WORKER_ENDED: Final = "worker.ended"
"""stream, status, words: a worker process ended, planned or not."""
READBACK: Final = "readback"
"""database, member, site, readable (bool), words, rows, digest|null, keys_file|null (relative to the drill's folder), at_ns, phase
(a sentence's index or "end"), repeated{key: rows} (at most 50) and repeated_total: keys that one table holds more than once."""

# --- what is judged --------------------------------------------------------------------------------------------------
OUTAGE: Final = "outage"
"""service, strip (client|site name), begin_ns, end_ns|null, lower_s, upper_s|null, way (probes|acknowledgements), cause
(hold or operation id|null), cause_title, counted (rto|own length|from its heal),
objective_s, verdict (pass|fail|unknown), judged (bool)."""
CHECK: Final = "check"
"""check, title, verdict (pass|fail|unknown), message, counts{}, saw{}, witnesses[] (at most 50), witnesses_total, phase.
saw: how much it looked at: samples, operations, rows, replicas, looks, judgements, events."""
ASSUMPTION: Final = "assumption"
"""assumption, title, verdict, message, counts{}, saw{}."""
HOLDERS: Final = "holders"
AUDIT: Final = "audit"
"""answer (true|false|null), words, counts{}: whether any connection went around the links while they were cut."""
CLOCK: Final = "clock"
"""set_s (how far the wall clock of the measuring machine was set, forward is positive), slept_s (how long it slept), words."""
NOTE: Final = "note"
"""words: anything that a reader should know."""
