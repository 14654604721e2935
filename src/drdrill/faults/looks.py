# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Two witnesses of one strike: what the way in says that it did, and what the hold's own traffic meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.connect.capabilities import Look

if TYPE_CHECKING:
    from drdrill.connect.capabilities import Traffic


def with_traffic(said: Look, traffic: Traffic | None) -> Look:
    """In force only when the way in says so *and* none of our own traffic got through; either alone can be wrong.

    Args:
        said: the way in's own answer.
        traffic: opened before the strike, or None where none could be offered: then it cannot be told.
    """
    if traffic is None:
        return Look(False if said.answer is False else None, f"{said.words}; no traffic could be offered", said.counts)
    flow = traffic.look()
    words, counts = f"{flow.words}; {said.words}", {**said.counts, **flow.counts}
    if flow.answer is True or said.answer is False:
        return Look(False, words, counts)
    return Look(True if flow.answer is False and said.answer else None, words, counts)
