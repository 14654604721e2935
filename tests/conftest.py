# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What every test gets: a state folder of its own, and for those that are marked so a real lab, which the next may use too."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from flaws.catalogue import FLAWS, of_the_day
from harness import labs as all_labs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Labs

    from drdrill.estate.model import Estate


@pytest.fixture(autouse=True)
def own_state(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the undo log or the lock of a person. Tests with a lab keep DRDRILL_STATE: their lab lives there."""
    if not any(request.node.get_closest_marker(marker) for marker in ("lab", "network")):
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
    """`--all` runs the long tests too, `--flaws` chooses flaws by name."""
    parser.addoption("--all", action="store_true", help="also the long tests: repeated healthy drills, whole matrices")
    parser.addoption("--flaws", metavar="NAME,...", help="these flaws instead of the five whose turn it is; `all`")
    parser.addoption(
        "--track-record", action="store_true", help="write docs/track-record.md from this run of all flaws"
    )


def chosen_flaws(config: pytest.Config) -> tuple[str, ...]:
    """The names of the flaws that run. Raises UsageError for a name that is none."""
    known = tuple(flaw.name for flaw in FLAWS)
    asked = config.getoption("--flaws")
    if asked is None:
        return known if config.getoption("--all") else of_the_day(datetime.now(UTC).date().toordinal())
    if asked == "all":
        return known
    names = tuple(asked.split(","))
    if wrong := [name for name in names if name not in known]:
        raise pytest.UsageError(f"no flaw is called {', '.join(wrong)}; there are {', '.join(known)}")
    return names


def pytest_report_header(config: pytest.Config) -> str:
    """Whoever reads the output of another machine can repeat it."""
    names = chosen_flaws(config)
    return f"flaws: {len(names)} of {len(FLAWS)}, to repeat them --flaws={','.join(names)}"


NEEDS_ROOT = "it needs root, and this is an ordinary user: sudo ./scripts/test; CI runs it"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that need root say so to an ordinary user. Whatever else they need and do not find makes them fail."""
    needing = [m for m in ("network", "root") if item.get_closest_marker(m)]
    if needing and os.geteuid() != 0:
        pytest.skip(NEEDS_ROOT)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the long tests without `--all`, and the flaws whose turn it is not; the summary counts them as deselected."""
    out = [] if config.getoption("--all") else [item for item in items if item.get_closest_marker("long")]
    flaws = chosen_flaws(config)
    out += [item for item in items if (flaw := _flaw(item)) is not None and flaw not in flaws and item not in out]
    config.hook.pytest_deselected(items=out)
    # One lab at a time: what needs the same one stands together, or each change would raise another.
    items[:] = sorted(
        (item for item in items if item not in out), key=lambda i: i.get_closest_marker("network") is not None
    )


def _flaw(item: pytest.Item) -> str | None:
    """The name of the flaw that a test plants, if it plants one."""
    parameters = getattr(item, "callspec", None)
    flaw = parameters.params.get("flaw") if parameters else None
    return getattr(flaw, "name", None)


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
    from drdrill.estate.load import load  # noqa: PLC0415 - only tests on a lab pay

    assert pocket_state.is_dir()
    return load("pocket")


@pytest.fixture
def network_state(labs: Labs, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same of a network lab."""
    state = labs.get(name="network").state
    monkeypatch.setenv("DRDRILL_STATE", str(state))
    return state


@pytest.fixture
def network_estate(network_state: Path) -> Iterator[Estate]:
    """The estate of that lab, with the test's own thread standing in its networks."""
    from drdrill.connect import enter  # noqa: PLC0415 - only tests on a lab pay
    from drdrill.estate.load import load  # noqa: PLC0415 - only tests on a lab pay

    assert network_state.is_dir()
    estate = load("network")
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter.enter(estate)
        yield estate
    finally:
        enter.step(outside)
        os.close(outside)
