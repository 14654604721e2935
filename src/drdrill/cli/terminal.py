# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a command says, on a terminal that may go away at any moment: printing never fails a heal."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

import click


def say(words: str, *, err: bool = False, **style: Any) -> None:
    """Print one line. A closed pipe, a full disk under a log and a terminal that went away are no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        click.secho(words, err=err, **style)


def ensure() -> None:
    """Open what was closed of standard input, output and error, as some schedulers start their jobs.

    Otherwise the next file that is opened becomes the standard output, and a line for the terminal lands in a journal.
    """
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # The lowest number that is free: this one.
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))


def settle() -> None:
    """Let go of what nobody reads any more, so that the exit status stays ours: Python's own would be 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
                stream.flush()
