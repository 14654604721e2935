# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The estate of a command that helps when something is broken: it says what it can, also where a lab is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.cli.terminal import say

if TYPE_CHECKING:
    from drdrill.estate.model import Estate


def opened(name: str) -> Estate:
    """The estate with the addresses of its lab, inside its networks; where the lab is down, what can be known without."""
    from drdrill.connect.enter import enter  # noqa: PLC0415 - nothing is loaded for --help
    from drdrill.errors import Refused  # noqa: PLC0415
    from drdrill.estate.load import load  # noqa: PLC0415

    try:
        estate = load(name)
        enter(estate)
    except Refused as error:
        # A lab that is down is no reason to say nothing: what its undo log knows is told all the same.
        say(f"note: {error}", err=True)
        return load(name, lab=False)
    return estate
