# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The machine that the drill runs on, as a client of the estate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drdrill.estate.model import Estate


class LocalVantages:
    """Clients that stand where the runner stands: on the client network.

    A vantage point of a site must be at that site. Measuring it from here would see a cut of that site from the wrong side, so
    it is refused.
    """

    name = "local"

    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def address(self, vantage: str, url: str) -> str:
        """The URL itself. Raises BadInput for a vantage point that stands at a site."""
        site = self.estate.vantage[vantage].site
        if site is not None:
            raise BadInput(
                f'{self.estate.path}: vantage point "{vantage}" stands at site "{site}", and the runner (`at: local`) does not; '
                "name a way in that reaches a place there"
            )
        return url

    def command(self, vantage: str, argv: Sequence[str]) -> Sequence[str]:
        """The command itself."""
        del vantage
        return argv
