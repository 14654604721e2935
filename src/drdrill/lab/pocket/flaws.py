# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with the pocket lab on purpose, for a drill to catch."""

from __future__ import annotations

from typing import Final

SHORT_LEASE_S: Final = 4.0

FLAWS: Final = {
    "asynchronous-replication": "the database acknowledges before its standby has the write",
    "cut-is-ignored": "a strike on links is answered and does nothing",
    "freeze-is-ignored": "a strike that freezes hosts is answered and does nothing",
    "power-is-ignored": "a strike on power is answered and does nothing",
    "short-leases": f"every hold ends {SHORT_LEASE_S:g} s after its strike, whatever was answered",
    "early-acknowledgement": "the application answers 201 at once and commits half a second later",
    "entry-without-health-check": "an entry sends all to its own site's application, alive or not",
    "green-health": "/healthz is 200 whatever happens, and commits wait without end for a standby that is lost",
    "unlogged-table": "the table of registrations is UNLOGGED: no replica gets its rows, and a crash empties it",
    "retry-without-key": "the application repeats a write that was late, and no key keeps the row from being there twice",
    "around-the-links": "the applications reach the other site's database without the links",
}
"""Name and meaning."""
