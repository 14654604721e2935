# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with the network lab on purpose, for a drill to catch."""

from __future__ import annotations

from typing import Final

SHORT_LEASE_S: Final = 4.0

FLAWS: Final = {
    "freeze-is-ignored": "a strike that freezes hosts is answered and does nothing",
    "frozen-hosts-answer": "a frozen host's kernel still answers ARP and the handshake",
    "power-is-ignored": "a strike on power is answered and does nothing",
    "short-leases": f"every hold ends {SHORT_LEASE_S:g} s after its strike, whatever was answered",
}
"""Name and meaning."""
