# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The first seconds of probes: they must be good before anything is struck, and they give the round trip of a whole estate."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from drdrill.drill import good_traffic
from drdrill.errors import Refused
from drdrill.journal import events
from drdrill.journal.recording import DATA, Stream, load_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drdrill.drill.context import Context


def calibrate(
    context: Context, streams: Sequence[Mapping[str, Any]], deaths: Callable[[], Sequence[str]], within_s: float
) -> None:
    """Wait for 3 s of good probes on every stream, and keep their round trip.

    Args:
        context: the drill.
        streams: as their workers were told.
        deaths: what is known of measuring processes that ended.
        within_s: how long the wait lasts.

    Raises:
        Refused: a stream was not good, or nobody measures it any more.
    """
    names = {str(s["stream"]): _whose(s) for s in streams}
    found: dict[str, good_traffic.Calibration] = {}

    def look() -> bool | None:
        if dead := deaths():
            raise Refused(f"the measuring cannot go on: {dead[0]}")
        found.clear()
        for name in names:
            calibration = good_traffic.calibration(stream_of(context, name).records)
            if calibration:
                found[name] = calibration
        return True if len(found) == len(names) else None

    everybody = " and ".join(dict.fromkeys(names.values()))
    if not context.wait_until(look, within_s, f"3 s of good answers of {everybody}"):
        bad = [n for n in names if n not in found]
        seen = "; ".join(f"{n}: {good_traffic.seen(stream_of(context, n).records)}" for n in bad)
        whose = " and ".join(dict.fromkeys(names[n] for n in bad))
        raise Refused(f"{whose} was not good for 3 s within {within_s:g} s: {seen}")
    for name, calibration in found.items():
        context.journal.write(events.PROBES_CALIBRATED, stream=name, **asdict(calibration))


def stream_of(context: Context, name: str) -> Stream:
    """A stream as it is on disk now. Raises Refused when there is none."""
    found = load_stream(context.folder / DATA, name)
    if found is None:
        raise Refused(f"the measuring wrote no stream {name}")
    return found


def _whose(stream: Mapping[str, Any]) -> str:
    return f'database "{stream["database"]}"' if "database" in stream else f'service "{stream["service"]}"'
