# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What measuring leaves on disk: streams of records of fixed width, one file for each probe and each writer.

`data/NAME.bin` is a numpy array of one dtype, appended as it happens; `data/NAME.json` says which (`kind`), and by whom it
was written. A file whose length is no multiple of the record's width has a torn tail: it is cut, and said.
All times are CLOCK_MONOTONIC nanoseconds of the machine that wrote them; 0 means never.
"""

from __future__ import annotations

import enum
import struct
from typing import Final

SAMPLE: Final = [
    ("seq", "<u4"),
    ("due", "<i8"),
    ("sent", "<i8"),
    ("done", "<i8"),
    ("outcome", "u1"),
    ("status", "<i2"),
    ("note", "S32"),
]
"""One timed attempt of a probe. Latency is done - due."""

INTENT: Final = [("seq", "<u4"), ("due", "<i8")]
"""A write that will be sent, on disk before it is."""

OPERATION: Final = [
    ("seq", "<u4"),
    ("due", "<i8"),
    ("sent", "<i8"),
    ("done", "<i8"),
    ("outcome", "u1"),
    ("status", "<i2"),
    ("note", "S32"),
]
"""One write that ended (or was never sent). An intent without an operation has an unknown outcome."""

CLAIM: Final = [("seq", "<u4"), ("due", "<i8"), ("done", "<i8"), ("member", "u1"), ("claims", "u1")]
"""Whether one member claims to be the writer: 0 no, 1 yes, 2 silent. `member` indexes the head's `members`.

So it was written before claims had components; every claim of it is of a component by itself.
"""

MEMBER_CLAIM: Final = [*CLAIM, ("component", "<u4")]
"""The same, and of which component: members of one component may write at the same time. 0: of one by itself."""

KINDS: Final = {
    "samples": SAMPLE,
    "intents": INTENT,
    "operations": OPERATION,
    "claims": CLAIM,
    "member-claims": MEMBER_CLAIM,
}
"""The dtype that belongs to the `kind` in the head of a stream."""

SAMPLE_PACK: Final = struct.Struct("<IqqqBh32s")
OPERATION_PACK: Final = SAMPLE_PACK
INTENT_PACK: Final = struct.Struct("<Iq")
CLAIM_PACK: Final = struct.Struct("<IqqBB")
MEMBER_CLAIM_PACK: Final = struct.Struct("<IqqBBI")
"""The same layouts without numpy: a worker process has no need to import it."""


def intents_of(stream: str) -> str:
    """The name of the file of intents that belongs to the operations of a writer."""
    return f"{stream}-intents"


class Seen(enum.IntEnum):
    """What a probe saw. Everything but GOOD is bad."""

    GOOD = 0
    WRONG = 1
    LATE = 2
    REFUSED = 3
    SILENT = 4
    BROKEN = 5
    OWN_DELAY = 6
    """No answer in time, but the measuring process was late itself, and without that it may have been: proves nothing."""


UNANSWERED: Final = (Seen.LATE, Seen.SILENT)
"""No answer within the latency bound. When such an attempt ended says nothing of when its request arrived."""


class Done(enum.IntEnum):
    """How a write ended."""

    OK = 1
    FAIL = 2
    UNKNOWN = 3
    UNSENT = 4


TOO_LATE: Final = b"too late to be sent"
"""The note of a write that was due and not sent, since this machine was late itself."""
NOT_DUE: Final = b"stopped before it was due"
"""The note of a write that was planned and never due, since its writer was paused or stopped."""


class Claim(enum.IntEnum):
    """Whether a member says that it accepts writes."""

    NO = 0
    YES = 1
    SILENT = 2
