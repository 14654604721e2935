# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Durations as people write them, in the estate file and in sentences, in English and in Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from drdrill.errors import BadInput

Promise = Literal["rto", "recovery"]

_UNITS: Final = {
    "ms": 0.001, "毫秒": 0.001,
    "s": 1.0, "秒": 1.0, "秒钟": 1.0,
    "min": 60.0, "分钟": 60.0,
    "h": 3600.0, "小时": 3600.0,
}  # fmt: skip
_PROMISES: Final[dict[str, Promise]] = {
    "its RTO": "rto",
    "其 RTO": "rto",
    "其RTO": "rto",
    "its recovery time": "recovery",
    "其恢复时间": "recovery",
}
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*(\S+)")


@dataclass(frozen=True)
class Deadline:
    """What a sentence allows: a number of seconds, or a promise whose number stands in the estate file."""

    seconds: float | None = None
    promise: Promise | None = None

    def __str__(self) -> str:
        if self.seconds is not None:
            return f"{self.seconds:g} s"
        return "its RTO" if self.promise == "rto" else "its recovery time"


def seconds(text: str) -> float:
    """`10 s`, `500 ms`, `2 min`, `1 h`, `10 秒`, `500 毫秒`, `2 分钟` in seconds.

    Raises:
        BadInput: it is none of these.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None or match[2] not in _UNITS:
        raise BadInput(
            f'"{text}" is no duration; write a number and a unit, such as "10 s", "500 ms", "2 min" or "10 秒"'
        )
    return float(match[1]) * _UNITS[match[2]]


def deadline(text: str) -> Deadline:
    """A duration, or `its RTO`, `its recovery time` and their Chinese forms. Raises BadInput like `seconds`."""
    promise = _PROMISES.get(" ".join(text.split()))
    return Deadline(promise=promise) if promise else Deadline(seconds=seconds(text))
