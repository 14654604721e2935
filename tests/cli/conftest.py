# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A team's folder, with pytest in a process of its own."""

from __future__ import annotations

from teams import team

__all__ = ["team"]
