# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One question before a drill, from here or from a place to run in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scripted import Script

from drdrill.drill.one_answer import ask_from
from drdrill.estate.model import HttpProbe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROBE = HttpProbe(path="/healthz", expect_json={"ready": True})


class There:
    """A vantage point that is entered by a command."""

    name = "there"

    def __init__(self, *prefix: str) -> None:
        self.prefix = prefix

    def address(self, vantage: str, url: str) -> str:
        del vantage
        return url

    def command(self, vantage: str, argv: Sequence[str]) -> Sequence[str]:
        del vantage
        return [*self.prefix, *argv]


@pytest.fixture
def service() -> Iterator[Script]:
    script = Script()
    yield script
    script.close()


@pytest.mark.parametrize("prefix", [(), ("/usr/bin/env", "A_PLACE=there")], ids=["here", "there"])
def test_an_endpoint_that_answers_as_it_promises_is_well(service: Script, prefix: tuple[str, ...]) -> None:
    found = ask_from(There(*prefix), "client", service.url, PROBE, 2.0)
    assert found.wrong is None
    assert "content-length" in found.headers


@pytest.mark.parametrize("prefix", [(), ("/usr/bin/env", "A_PLACE=there")], ids=["here", "there"])
def test_an_endpoint_that_does_not_answer_is_said(prefix: tuple[str, ...]) -> None:
    found = ask_from(There(*prefix), "client", "http://127.0.0.1:9", PROBE, 1.0)
    assert found.wrong is not None
    assert "does not answer within 1 s" in found.wrong


def test_a_place_that_cannot_be_entered_is_no_word_of_the_endpoint(service: Script) -> None:
    found = ask_from(There("/bin/sh", "-c", "echo no such place >&2; exit 1"), "client", service.url, PROBE, 1.0)
    assert found.wrong is not None
    assert "could not be asked from client: no such place" in found.wrong


def test_a_command_that_is_not_there_is_said(service: Script) -> None:
    found = ask_from(There("/nowhere/nsenter"), "client", service.url, PROBE, 1.0)
    assert found.wrong is not None
    assert "could not be asked from client" in found.wrong
