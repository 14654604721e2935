# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The memory of a process that stands beside a drill for hours and hardly ever does anything."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Give the machine back what only reading the estate file took, a tenth of all."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # Of glibc; elsewhere it stays as it is.
    if trim is not None:
        trim(0)
