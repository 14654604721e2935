# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with the network lab on purpose, for a drill to catch."""

from __future__ import annotations

from typing import Final

SHORT_LEASE_S: Final = 4.0

FLAWS: Final = {
    "freeze-is-ignored": "a strike that freezes hosts is answered and does nothing",
    "drops-rows": "south's database silently drops some of the rows that were registered at east",
    "entry-keeps-dead-server": "HAProxy checks no server, so it keeps one that is dead",
    "flush-later": "the databases acknowledge before their log is on the disk: gone when every vote loses its power at once",
    "frozen-hosts-answer": "a frozen host's kernel still answers ARP and the handshake",
    "ignore-quorum": "a database that is cut off goes on taking writes without a quorum",
    "power-is-ignored": "a strike on power is answered and does nothing",
    "short-leases": f"every hold ends {SHORT_LEASE_S:g} s after its strike, whatever was answered",
    "two-holders": "east's second entry does not hear the first, so both hold the virtual address",
}
"""Name and meaning."""
