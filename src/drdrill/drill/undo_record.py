# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""An undo record as JSON, and what it must look like before anything is done with it. Pure.

It comes from a disk, or from the other end of a line, and what it says is later done with the right of root. So `from_json`
believes its form only, and `against` asks the estate and the registered fault about everything that it names.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from drdrill.connect.capabilities import STRIKING
from drdrill.errors import BadInput
from drdrill.faults.fault import Undo
from drdrill.faults.registry import of_undo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drdrill.estate.model import Estate
    from drdrill.faults.fault import Fault

VERSION: Final = 1
"""What this drdrill writes. A newer one that changes what a record means counts on, and writes as `compatible_with` the oldest
version whose reader still heals it rightly."""
_TAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,180}")
_QUOTED: Final = re.compile(r"'[^']*'|\"'\"")
_PLAIN: Final = re.compile(r"[\w@%+=:,./ -]*")
_TEXTS: Final = ("fault", "hold", "drill", "estate", "title", "why", "command")


def to_json(undo: Undo) -> dict[str, Any]:
    """An undo record as JSON values."""
    return {**asdict(undo), "hosts": list(undo.hosts), "sites": list(undo.sites)}


def from_json(data: Mapping[str, Any]) -> Undo:
    """The record again. A newer version's unknown keys are ignored, where it says that this version may.

    Raises:
        BadInput: it is none, it is of a version that this drdrill must not read, or something in it is not well formed.
    """
    if not isinstance(data, dict):
        raise BadInput("this is not an undo record: it is no mapping")
    _readable(data)
    known = {name: data[name] for name in Undo.__dataclass_fields__ if name in data}
    try:
        undo = Undo(**{**known, "hosts": tuple(data["hosts"]), "sites": tuple(data["sites"])})
    except (KeyError, TypeError) as error:
        raise BadInput(f"this is not an undo record: {error}") from error
    if wrong := next(_ill_formed(undo), None):
        raise BadInput(f"this is not an undo record: {wrong}")
    return undo


def tagged(words: object) -> bool:
    """Whether this can be the name of a hold or a drill: it becomes the name of a file, of a table and of a unit."""
    return isinstance(words, str) and _TAG.fullmatch(words) is not None


def against(estate: Estate, undo: Undo) -> Fault:
    """The fault that heals this record, once everything that the record names is known to exist. Touches nothing.

    Raises:
        BadInput: the record names what the estate or the fault does not have, so nothing is done with it.
    """
    if wrong := next(_ill_formed(undo), None) or next(_unknown(estate, undo), None):
        raise BadInput(f"the undo record of {undo.hold!r} is not believed: {wrong}")
    try:
        fault = of_undo(undo)
        fault.candidates(estate)
    except BadInput as error:
        raise BadInput(f"the undo record of {undo.hold!r} is not believed: {error}") from error
    if undo.way_in.keys() != fault.needs:
        needs, has = ", ".join(sorted(fault.needs)), ", ".join(sorted(undo.way_in)) or "nothing"
        raise BadInput(
            f'the undo record of {undo.hold!r} is not believed: "{undo.fault}" is healed by {needs}, and it names {has}'
        )
    return fault


def _readable(data: Mapping[str, Any]) -> None:
    version, since = data.get("version", VERSION), data.get("compatible_with")
    if not _counts(version) or not (since is None or _counts(since)):
        raise BadInput("this is not an undo record: its version is no number")
    if version > VERSION and (since is None or since > VERSION):
        says = "does not say that an older one may read it" if since is None else f"says that {since} is the oldest"
        raise BadInput(
            f"a newer drdrill wrote it (version {version} of undo records; this one reads {VERSION}), and it {says}: "
            "heal with that drdrill"
        )


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _ill_formed(undo: Undo) -> Iterator[str]:
    for name in _TEXTS:
        text = getattr(undo, name)
        if not isinstance(text, str) or not text.isprintable():
            yield f"its {name} is no line of text: {text!r}"
    yield from (
        f"its {name} cannot be one: {getattr(undo, name)!r}"
        for name in ("hold", "drill")
        if not tagged(getattr(undo, name))
    )
    for kind, names in (("host", undo.hosts), ("site", undo.sites)):
        yield from (
            f"a {kind} is no name: {name!r}" for name in names if not isinstance(name, str) or not name.isprintable()
        )
    if not isinstance(undo.way_in, dict) or not all(isinstance(name, str) for name in undo.way_in.values()):
        yield f"its ways in are not by name: {undo.way_in!r}"
    if not isinstance(undo.params, dict):
        yield f"its parameters are no mapping: {undo.params!r}"
    else:
        yield from (
            f"a parameter is no line of text: {text!r}" for text in _texts(undo.params) if not text.isprintable()
        )
        for name, value in undo.params.items():
            if isinstance(value, list | tuple) and not all(_named_or_pair(entry) for entry in value):
                yield f"its {name} are neither names nor pairs of names"
    # A person is going to type it.
    if isinstance(undo.command, str) and not _PLAIN.fullmatch(_QUOTED.sub("", undo.command)):
        yield f"its command is more than one plain command: {undo.command!r}"


def _unknown(estate: Estate, undo: Undo) -> Iterator[str]:
    if undo.estate != estate.name:
        yield f'it is of the estate "{undo.estate}", and this is "{estate.name}"'
    paired = {text for value in undo.params.values() if isinstance(value, list | tuple) for text in _texts(value)}
    yield from (
        f"{estate.path} has no host {host!r}" for host in (*undo.hosts, *sorted(paired)) if host not in estate.hosts
    )
    yield from (f"{estate.path} has no site {site!r}" for site in undo.sites if site not in estate.sites)
    for capability, name in undo.way_in.items():
        if capability not in STRIKING:
            yield f"nothing is struck by {capability!r}"
        elif not any(name in host.ways_in(capability) for host in estate.hosts.values()):
            yield f"{estate.path} names no way in {name!r} for {capability}"


def _named_or_pair(entry: object) -> bool:
    if isinstance(entry, list | tuple):
        return len(entry) == 2 and all(isinstance(name, str) for name in entry)  # noqa: PLR2004 - a pair
    return isinstance(entry, str)


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _texts(key)
            yield from _texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
