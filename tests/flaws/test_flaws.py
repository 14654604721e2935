# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Each flaw is something deliberately wrong with the lab or the measuring. A drill that ends in met with one of them is a lie."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from flaws.catalogue import COLLECTION, FLAWS, OWN, Flaw
from flaws.track_record import Caught

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Labs, Ran


MARKS = {"pocket": pytest.mark.lab, "network": pytest.mark.network}


@pytest.mark.parametrize("flaw", [pytest.param(flaw, id=flaw.name, marks=MARKS[flaw.on]) for flaw in FLAWS])
def test_the_drill_is_not_fooled_by(flaw: Flaw, labs: Labs, tmp_path: Path, caught_now: dict[str, Caught]):
    lab = labs.get(*flaw.lab, fresh=flaw.own_lab, name=flaw.on)
    if flaw.before:
        flaw.before(lab)
    # Features beside tests would be run with the tests' own conftest.
    drill = shutil.copy(flaw.drill, tmp_path) if flaw.drill.is_relative_to(OWN) else flaw.drill
    ran = lab.run(f"flaw-{flaw.name}", drill, during=flaw.during, env=flaw.environment(tmp_path))
    assert ran.status == flaw.status, ran.output
    if flaw.caught_by == COLLECTION:
        found = refused_at_collection(flaw, ran)
    else:
        assert (ran.result, ran.restoration) == (flaw.result, flaw.restoration), ran.output
        found = Caught(flaw.verdict, ran.result, ran.restoration, caught(flaw, ran), seconds(ran))
    flaw.also(ran)
    caught_now[flaw.name] = found


def caught(flaw: Flaw, ran: Ran) -> str:
    """What the check that claims this flaw said of it. It has to be what the flaw expects, and the terminal has to show it."""
    said = [
        e.data["message"]
        for e in ran.recording.journal.of("check", "assumption")
        if flaw.caught_by in {e.data.get("check"), e.data.get("assumption")} and e.data["verdict"] == flaw.verdict
    ]
    assert said, f"{flaw.caught_by} did not say {flaw.verdict}:\n{ran.output}"
    best = max(said, key=lambda message: sum(bool(re.search(words, message)) for words in flaw.words))
    for words in flaw.words:
        assert re.search(words, best), f"{words!r} is not in what {flaw.caught_by} said: {best}"
    assert " ".join(best.split())[:60] in " ".join(ran.output.split()), ran.output
    return best


def refused_at_collection(flaw: Flaw, ran: Ran) -> Caught:
    """Found before a drill was begun: the finding stands on the terminal, and there is no drill."""
    assert ran.folder is None, ran.output
    said = " ".join(ran.output.partition("nothing was touched:")[2].split())
    for words in flaw.words:
        assert re.search(words, said), f"{words!r} is not in what was said: {ran.output}"
    message = re.sub(r"/\S+/(?=[\w.]+:\d)", "", said)  # Without the folder of this run.
    return Caught(flaw.verdict, flaw.result, "restored", message, 0.0)


def seconds(ran: Ran) -> float:
    return float(ran.last("drill.ended")["seconds"])
