# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every SQL driver of a measuring client says when it got no good answer."""

from __future__ import annotations


class SqlFailed(Exception):
    """No good answer.

    Args:
        words: what is known of it; never with a password. Kept as one line.
        code: the SQLSTATE, when the server itself gave one.
    """

    def __init__(self, words: str, code: str | None = None) -> None:
        super().__init__(" ".join(words.split()))
        self.code = code
