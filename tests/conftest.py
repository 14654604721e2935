# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every test gets: a state folder of its own, and for those that are marked so one pocket lab for the whole run."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from harness import labs as all_labs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Labs

    from drdrill.estate.model import Estate


@pytest.fixture(autouse=True)
def own_state(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the undo log or the lock of a person. Tests marked `lab` keep DRDRILL_STATE: their lab lives there."""
    if request.node.get_closest_marker("lab") is None:
        monkeypatch.setenv("DRDRILL_STATE", str(tmp_path / "state"))


def pytest_configure() -> None:
    """Start from the signals of a foreground process, whatever started us.

    A shell gives its background jobs an ignored SIGINT and nohup an ignored SIGHUP. A drill honours both, as it should; what
    the tests send must arrive all the same, here and in the processes that they start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for signum in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(signum, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--all` runs the long tests too."""
    parser.addoption("--all", action="store_true", help="also the long tests: repeated healthy drills, whole matrices")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the long tests without `--all`; the summary counts them as deselected, never as passed."""
    if config.getoption("--all"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    """Real pocket labs, one at a time."""
    with all_labs(tmp_path_factory.mktemp("labs")) as manager:
        yield manager


@pytest.fixture
def pocket_state(labs: Labs, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a healthy pocket lab that is up; `DRDRILL_STATE` points at it. Whoever uses it leaves it whole."""
    state = labs.get().state
    monkeypatch.setenv("DRDRILL_STATE", str(state))
    return state


@pytest.fixture
def pocket_estate(pocket_state: Path) -> Estate:
    """The estate of that lab."""
    from drdrill.estate.load import load  # noqa: PLC0415

    assert pocket_state.is_dir()
    return load("pocket")
