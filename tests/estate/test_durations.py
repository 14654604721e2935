# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from drdrill.errors import BadInput
from drdrill.estate.durations import Deadline, deadline, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 s", 10),
        ("500 ms", 0.5),
        ("2 min", 120),
        ("1 h", 3600),
        ("10 秒", 10),
        ("500 毫秒", 0.5),
        ("2 分钟", 120),
        ("0.5s", 0.5),
    ],
)
def test_a_duration_is_read_in_both_languages(text, expected):
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["10", "s", "ten s", "10 parsecs", "-1 s", ""])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(BadInput, match="is no duration"):
        seconds(text)


def test_a_promise_is_the_same_in_both_languages():
    assert deadline("its RTO") == deadline("其 RTO") == Deadline(promise="rto")
    assert deadline("its recovery time") == deadline("其恢复时间") == Deadline(promise="recovery")
    assert deadline("10 秒") == deadline("10 s") == Deadline(seconds=10)
