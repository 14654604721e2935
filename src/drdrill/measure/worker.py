# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A process that measures: `python -m drdrill.measure.worker SPEC.json`, started by `workers.Worker`.

Commands come as JSON lines on standard input: {"do": "go"}, {"do": "pause", "n": 1}, {"do": "resume"}, {"do": "stop"}. The end of
the input stops it at once: when the runner is killed, nothing of it stays behind. Status goes to standard output, one JSON
object a line: loaded (it waits for `go`), ready, controls (which wrong answers its probes were shown, and which they believed),
paused (with the mark: the last number that was planned), quiet (nothing is in flight), resumed, ended, failed (why). Paused and
quiet carry the `n` of the pause that they answer.
It imports asyncio and little else: on a small machine a worker must not slow down what it measures by being born.
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.measure.sink import Unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    Begin = Callable[[Path, int], tuple[asyncio.Future[None], Any]]

LEAD_NS = 200_000_000
"""From being ready to the first attempt: the first group of intents has to reach the disk before."""


def say(**status: Any) -> None:
    """One status line for the runner."""
    sys.stdout.write(json.dumps({**status, "t": time.monotonic_ns()}) + "\n")
    sys.stdout.flush()


async def measure(spec: Mapping[str, Any]) -> None:
    """Run probes or a writer until told to stop."""
    folder = Path(spec["folder"])
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    begin = _probes(spec) if spec["role"] == "probes" else _writes(spec)
    if spec.get("waits"):
        # All of a drill begin together, once the last has loaded: what is being loaded takes the time of what measures.
        say(status="loaded")
        line = await commands.readline()
        if not line or json.loads(line)["do"] != "go":
            return
    t0 = time.monotonic_ns() + LEAD_NS
    work, writer = begin(folder, t0)
    say(status="ready", t0_ns=t0)
    obeying = asyncio.ensure_future(_obey(commands, writer))
    controlling = asyncio.ensure_future(_control(spec))
    done, _ = await asyncio.wait({work, obeying}, return_when=asyncio.FIRST_COMPLETED)
    if work in done:  # it never ends by itself but with an error, which is shown
        await work
    work.cancel()
    controlling.cancel()
    await asyncio.wait({work, controlling})


async def _control(spec: Mapping[str, Any]) -> None:
    """Show the probes of this worker what they must call bad, and say what they called good."""
    if spec["role"] != "probes":
        return
    if (
        "database" in spec
    ):  # What a member may be asked is the engine's; a wrong answer to it has no loopback server yet.
        say(status="controls", found=[])
        return
    from drdrill.measure.controls import controls  # noqa: PLC0415 - a worker loads its own role only

    say(status="controls", found=await controls(spec["streams"]))


def _probes(spec: Mapping[str, Any]) -> Begin:
    """What runs the streams of one vantage point: of services, or of the members of a database."""
    run: Callable[[Path, int], Coroutine[None, None, None]]
    if "database" in spec:
        from drdrill.measure.sql_probes import SqlProbes  # noqa: PLC0415 - a worker loads its own role only

        run = SqlProbes(spec).run
    else:
        from drdrill.measure import probes  # noqa: PLC0415 - a worker loads its own role only

        run = partial(probes.run, spec)
    return lambda folder, t0: (asyncio.ensure_future(run(folder, t0)), None)


def _writes(spec: Mapping[str, Any]) -> Begin:
    """A writer: through a service, or into the table of a database."""
    from drdrill.measure.writes import Way, Writer  # noqa: PLC0415 - a worker loads its own role only

    way: Way
    if "table" in spec:
        from drdrill.measure.sql import engine_of  # noqa: PLC0415 - a worker loads its own role only
        from drdrill.measure.sql_writes import SqlWay  # noqa: PLC0415 - a worker loads its own role only

        way = SqlWay(spec, *engine_of(spec))
    else:
        from drdrill.measure.http_writes import HttpWay  # noqa: PLC0415 - a worker loads its own role only

        way = HttpWay(spec)

    def begin(folder: Path, t0: int) -> tuple[asyncio.Future[None], Any]:
        writer = Writer(spec, folder, t0, say, way)
        return asyncio.ensure_future(_grouped(writer)), writer

    return begin


async def _grouped(writer: Any) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.run(tasks))


async def _obey(commands: asyncio.StreamReader, writer: Any) -> None:
    """Carry out commands until `stop` or the end of the input."""
    while line := await commands.readline():
        told = json.loads(line)
        match told["do"]:
            case "pause" if writer:
                writer.pause(told["n"])
            case "resume" if writer:
                writer.resume()
            case "stop":
                return


def main() -> None:
    """Read the specification and measure."""
    # The runner's terminal sends Ctrl-C to everyone; the measuring goes on until the heal is done and the runner says stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    spec = json.loads(Path(sys.argv[1]).read_text())
    try:
        if spec["role"] == "claims":
            from drdrill.measure import claims  # noqa: PLC0415 - a worker loads its own role only

            claims.run(spec, say)
        else:
            asyncio.run(measure(spec))
    except (Unwritable, ExceptionGroup) as error:
        if (reason := unwritable(error)) is None:
            raise
        # Over the pipe, since the log that would take a traceback lies on the same full disk.
        say(status="failed", words=str(reason))
        sys.exit(1)
    say(status="ended")


def unwritable(error: BaseException) -> Unwritable | None:
    """The full disk in an error, or in a group of errors of tasks."""
    if isinstance(error, ExceptionGroup):
        return next((found for inner in error.exceptions if (found := unwritable(inner))), None)
    return error if isinstance(error, Unwritable) else None


if __name__ == "__main__":
    main()
