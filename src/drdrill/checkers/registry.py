# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Which checks there are, ours and those of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.connect.parts import Parts

if TYPE_CHECKING:
    from drdrill.checkers.check import Check

CHECKS = Parts(
    "check",
    "drdrill.checks",
    {
        "objectives": "drdrill.checkers.objectives:judge",
        "lost_write": "drdrill.checkers.lost_write:judge",
        "applied_twice": "drdrill.checkers.applied_twice:judge",
        "refused_write_present": "drdrill.checkers.refused_write_present:judge",
        "divergence": "drdrill.checkers.divergence:judge",
        "split_brain": "drdrill.checkers.split_brain:judge",
        "no_ack_while_cut": "drdrill.checkers.no_ack_while_cut:judge",
        "never_longer": "drdrill.checkers.never_longer:judge",
    },
)


def checks() -> dict[str, Check]:
    """Every check by name. Raises BadInput when one cannot be loaded: a drill must not begin with half of its judges."""
    return {name: CHECKS.load(name) for name in CHECKS.names()}
