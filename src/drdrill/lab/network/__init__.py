# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The network lab: hosts with their own systemd, routed links. `up`, `down` and `status` are all that others need."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drdrill.lab.folder import Lab
    from drdrill.lab.network.start import down, status, up

__all__ = ["Lab", "down", "status", "up"]


def __getattr__(name: str) -> Any:
    # Late, because the supervisor imports this package on its way to its own module.
    if name in __all__:
        return getattr(importlib.import_module("drdrill.lab.network.start"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
