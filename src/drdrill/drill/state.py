# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The estate's state folder, made when a drill needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.errors import BadInput
from drdrill.estate import state

if TYPE_CHECKING:
    from pathlib import Path


def folder(estate: str) -> Path:
    """Where undo log and lock of this estate lie, mode 0700.

    Raises:
        BadInput: it cannot be made, so nothing may be struck.
    """
    try:
        return state.folder(estate, make=True)
    except OSError as error:
        raise BadInput(
            f"{state.folder(estate)}: undo log and lock cannot be kept there ({error.strerror}), so nothing may be struck; "
            "set DRDRILL_STATE to a folder of yours"
        ) from error
