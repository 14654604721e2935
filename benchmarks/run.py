# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""All benchmarks, or those that are named: `benchmarks/run.py [NAME]... [--json FILE]`. Prints a table with ratios."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from figure import shown
from rich.console import Console
from rich.table import Table
from tools import ROOT

if TYPE_CHECKING:
    from figure import Figure

ALL = ("plugin_import", "report", "lab", "drill", "ledger", "healing", "network", "ledger_galera")
NAMED = ("heal_on_abort",)
"""Only when it is asked for: a peer has to be installed, and it takes a quarter of an hour."""
AS_ROOT = ("network", "ledger_galera")


def main() -> None:
    """Measure one after the other: two at once would measure each other."""
    parser = argparse.ArgumentParser(description="Our figures beside a named peer or limit, measured in the same run.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of: {', '.join(ALL)} (default: all of these); or {', '.join(NAMED)}"
    )
    parser.add_argument(
        "--json", type=Path, default=ROOT / "reports" / "out" / "bench.json", help="where the figures go"
    )
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in (*ALL, *NAMED)]:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join((*ALL, *NAMED))}")
    console = Console(width=None if Console().is_terminal else 140)
    figures: list[Figure] = []
    for name in options.names or ALL:
        if name in AS_ROOT and os.geteuid() != 0:
            console.print(f"left out     {name}: the network lab needs root", highlight=False)
            continue
        console.print(f"measuring    {name}", highlight=False)
        with tempfile.TemporaryDirectory(prefix="drdrill-bench-") as folder:
            figures += importlib.import_module(name).measure(Path(folder))
    console.print(table(figures))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(
        json.dumps({"machine": machine(), "figures": [f.as_json() for f in figures]}, indent=1) + "\n"
    )
    console.print(f"figures      {options.json}", highlight=False, soft_wrap=True)


def table(figures: list[Figure]) -> Table:
    """What people see."""
    made = Table("what", "ours", "", "beside", "theirs", "ratio", "aim", box=None, pad_edge=False, header_style="bold")
    for f in figures:
        aim = f"{'>=' if f.more_is_better else '<='} {f.aim:g}"
        style = "green" if f.good else "red"
        ratio = f"[{style}]{f.ratio:.2f}[/]"
        made.add_row(f.what, shown(f.ours), f.unit, f.beside, shown(f.theirs), ratio, aim)
        if f.note:
            made.add_row(f"  [dim]{f.note}[/]")
    return made


def machine() -> dict[str, object]:
    """Where and with what it was measured."""
    load = os.getloadavg()
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load before": round(load[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "drdrill": version("drdrill"),
        "pytest": version("pytest"),
    }


if __name__ == "__main__":
    main()
