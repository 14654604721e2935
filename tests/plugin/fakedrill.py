# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin for the tests of the plugin: a drill whose nouns only write down what they are asked.

`script.json` beside the features says what goes wrong: {"consistency.none_lost": "AssertionError: lost 3 rows",
"restoration": "residual", "begin": "EstateBusy: ...", "unknown": true}. `log.txt` gets one line for each thing asked.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import drdrill.errors
from drdrill.checkers.verdict import Restoration, Result
from drdrill.drill.about import Ended

HERE = Path.cwd()
NOUNS = ("estate", "workload", "drill", "operations", "availability", "consistency")
STRIKES = {("drill", "strike"), ("operations", "switch_over")}


def script() -> dict:
    path = HERE / "script.json"
    return json.loads(path.read_text()) if path.exists() else {}


def log(*words: object) -> None:
    with (HERE / "log.txt").open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def act(what: str) -> None:
    kind, _, message = script().get(what, "").partition(": ")
    if not kind:
        return
    if kind in signal.Signals.__members__:
        os.kill(os.getpid(), getattr(signal, kind))
        time.sleep(10)  # the signal arrives long before this ends
    if kind == "alarm":
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        time.sleep(0.2)
        return
    raise (
        getattr(drdrill.errors, kind, None) or getattr(__builtins__, kind, None) or vars(__import__("builtins"))[kind]
    )(message)


class Noun:
    def __init__(self, drill, name) -> None:
        self._drill, self._name = drill, name

    def __getattr__(self, verb: str) -> object:
        def call(*args, **kwargs):
            log(self._name, verb, args, kwargs)
            self._drill.say(f"said by {self._name}.{verb}")
            act(f"{self._name}.{verb}")
            self._drill.has_struck |= (self._name, verb) in STRIKES

        return call


class Drill:
    probes_only = False

    def __init__(self, estate, about, out, say) -> None:
        self.estate, self.about, self.say, self.has_struck = estate, about, say, False
        self.folder = out / f"drill-{len(list(out.glob('*'))) if out.exists() else 0}"
        self.folder.mkdir(parents=True)
        self.nouns = {name: Noun(self, name) for name in NOUNS}
        self.journal = SimpleNamespace(write=lambda kind, **data: log("journal", kind, data))

    @classmethod
    def begin(cls, estate, about, out, say, guardian, *, permit) -> Drill:
        assert guardian == "local"
        assert permit is not None
        log("begin", about.title, about.tags, about.language)
        act("begin")
        return cls(estate, about, out, say)

    def struck(self):
        return self.has_struck

    def step_begun(self, index):
        log("step", index)

    def step_ended(self, index, status, message):
        log("step ended", index, status, message)

    def finish(self, error):
        act("finish")
        log("finish", type(error).__name__, error)
        if error is None:
            result = Result(script().get("result", "met"))
        elif not self.has_struck:
            result = Result.REFUSED
        else:
            result = Result.MISSED if isinstance(error, AssertionError) else Result.ABORTED
        restoration = Restoration(script().get("restoration", "restored"))
        return Ended(
            result, restoration, (str(error or "all is well"),), self.folder, tuple(script().get("stopped", ()))
        )


def fake(name: str, **members: object) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module
    package, _, last = name.rpartition(".")
    setattr(sys.modules[package], last, module)


import drdrill.drill  # noqa: E402 - the fakes go into it
import drdrill.drill.plan as plans  # noqa: E402 - as above

plans._planned = lambda _estate, scenario, _leased: plans.Drill(scenario.title, scenario.where, (), 0)

fake("drdrill.drill.drill", Drill=Drill)
fake(
    "drdrill.drill.preflight",
    findings=lambda _estate, calls, **_: (
        [f"{c.where}: {script()['preflight']}" for c in calls[:1]] if "preflight" in script() else []
    ),
    closed_now=lambda _estate, _calls: [],
    probe_ways=lambda _estate, _calls, _ways: [script()["probe"]] if "probe" in script() else [],
)
