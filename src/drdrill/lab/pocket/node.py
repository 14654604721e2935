# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Starts Patroni, or its voter without data: `python -m drdrill.lab.pocket.node member|voter TTL CONFIG [PORT]`.

With PORT it waits, everything imported, until somebody listens there: at the first start each vote waits for the one that it
will call. A vote that is refused tries again only 5 s later (pysyncobj), which would make the start of the lab 5 s longer.

Patroni documents 20 s as the smallest ttl and raises smaller ones to it. A failover of the lab would take 22 s instead of 8.
One private method holds that floor; it is lifted here and nowhere else, and where it is not found the lab says so and
lives with 20 s (`floor_can_be_lifted`). A test holds the name.

Patroni starts postgres from a multiprocessing *spawn* child, which imports this file again: without the guard at its end a
second Patroni would start, and the first start of the cluster would hang without a word.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from drdrill.lab.pocket.owner import listening

_VOTE_S = 10.0
_LOOK_S = 0.02
_FLOOR = "_validate_and_adjust_timeouts"


def floor_can_be_lifted() -> bool:
    """Whether this Patroni has the method that holds the floor of its timers. The umask, which its import sets, stays."""
    before = os.umask(0o022)
    os.umask(before)
    try:
        from patroni.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, and only in a node
    finally:
        os.umask(before)

    return callable(getattr(Config, _FLOOR, None))


def _lift_floor() -> None:
    from patroni.config import Config  # noqa: PLC0415 - an extra, and only in a node

    def as_written(self: Config, config: dict[str, Any]) -> None:
        """Timers are taken as they are written."""

    setattr(Config, _FLOOR, as_written)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _VOTE_S
    while port not in listening() and time.monotonic() < deadline:
        time.sleep(_LOOK_S)  # Nobody tells when another process begins to listen.


def main() -> None:
    """Run until a signal."""
    kind, ttl, config, *after = sys.argv[1:]
    sys.argv[1:] = [config]
    if int(ttl) < 20 and floor_can_be_lifted():  # noqa: PLR2004 - the floor itself, see above
        _lift_floor()
    if kind == "voter":
        from patroni.raft_controller import main as run  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, and only in a node
    else:
        from patroni.__main__ import main as run  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, and only in a node
    for port in after:
        _wait_for(int(port))
    run()


if __name__ == "__main__":
    main()
