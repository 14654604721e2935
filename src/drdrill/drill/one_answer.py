# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One question to one endpoint, before a drill: does it answer as it promises? Measuring does not happen here.

A vantage point that is a place to run in, such as a host with networks of its own, is asked from there, by a process that is
started there: `python -m drdrill.drill.one_answer`, with the question on its standard input and the answer on its output.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from drdrill.estate.model import HttpProbe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drdrill.connect.capabilities import Vantages

STARTING_S: Final = 5.0
"""What a process may take to begin at its vantage point, beyond the time that the endpoint has."""


@dataclass(frozen=True)
class Answer:
    """What came back. `wrong` says what is wrong with it, or is None."""

    wrong: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


def ask_from(vantages: Vantages, vantage: str, url: str, probe: HttpProbe, within_s: float) -> Answer:
    """Ask once from this vantage point. Raises what the vantage point raises, and never for what the endpoint does.

    `url` is the endpoint's, as the estate file has it.
    """
    # An estate in memory has no sockets; what its own endpoints answer it knows itself.
    if (told := getattr(vantages, "told", None)) and (look := told(vantage, url)):
        return Answer(None if look.answer else look.words)
    address = vantages.address(vantage, url)
    here = [sys.executable, "-m", "drdrill.drill.one_answer"]
    command = vantages.command(vantage, here)
    if list(command) == here:
        return ask(address, probe, within_s)
    return _asked_there(command, vantage, {"url": address, "within_s": within_s, "probe": asdict(probe)})


def _asked_there(command: Sequence[str], vantage: str, question: Mapping[str, Any]) -> Answer:
    within_s = question["within_s"] + STARTING_S
    try:
        ran = subprocess.run(
            command, input=json.dumps(question), capture_output=True, text=True, timeout=within_s, check=False
        )
        return Answer(**json.loads(ran.stdout))
    except subprocess.TimeoutExpired:
        return Answer(f"{question['url']} could not be asked from {vantage} within {within_s:g} s")
    except (OSError, ValueError, TypeError) as error:
        said = error if isinstance(error, OSError) else " ".join(ran.stderr.split())[-200:]
        return Answer(f"{question['url']} could not be asked from {vantage}: {said}")


def ask(url: str, probe: HttpProbe, within_s: float) -> Answer:
    """Ask once, on a fresh connection, within this many seconds. Never raises for what the endpoint does."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=within_s)
    try:
        connection.request(probe.method, parts.path.rstrip("/") + probe.path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read(1_000_000)
        headers = {k.lower(): v for k, v in response.getheaders()}
    except (OSError, http.client.HTTPException) as error:
        return Answer(f"{url} does not answer within {within_s:g} s ({error or type(error).__name__})")
    finally:
        connection.close()
    if response.status != probe.expect_status:
        return Answer(f"{url}{probe.path} answers {response.status}, not {probe.expect_status}", headers)
    if probe.expect_json is not None and not _holds(body, probe.expect_json):
        return Answer(
            f"{url}{probe.path} answers {body[:80]!r}, which does not contain {dict(probe.expect_json)}", headers
        )
    return Answer(None, headers)


def _holds(body: bytes, expected: Mapping[str, Any]) -> bool:
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and all(found.get(k) == v for k, v in expected.items())


def main() -> None:
    """Answer the one question on standard input."""
    question = json.load(sys.stdin)
    json.dump(asdict(ask(question["url"], HttpProbe(**question["probe"]), question["within_s"])), sys.stdout)


if __name__ == "__main__":
    main()
