# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Read an estate file: every error at once, each with file and line, what was found and what was expected."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drdrill.errors import BadInput, Findings, Refused
from drdrill.estate import state
from drdrill.estate.build import build
from drdrill.estate.references import dangling, senseless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drdrill.estate.model import Estate

_PLACE = tuple[str | int, ...]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def find(name: str, folder: Path | None = None) -> Path:
    """The file that `--estate NAME` means: a path, `./fixtures/estates/NAME.yaml`, or one that ships with drdrill.

    Raises:
        BadInput: there is no such file; the message lists what there is.
    """
    given = Path(name)
    if given.suffix in {".yaml", ".yml"} or os.sep in name:
        if given.is_file():
            return given
        if given.is_dir():
            raise BadInput(f"{name}: is a folder; give the path of an estate file")
        raise BadInput(f"{name}: there is no such estate file")
    shelves = [(folder or Path.cwd()) / "fixtures" / "estates", *_shipped()]
    for shelf in shelves:
        if (shelf / f"{name}.yaml").is_file():
            return shelf / f"{name}.yaml"
    known = sorted({p.stem for shelf in shelves for p in shelf.glob("*.yaml")})
    raise BadInput(f'there is no estate "{name}": give the path of a file, or one of {", ".join(known) or "none"}')


def _shipped() -> list[Path]:
    # By name and without importing it: nothing in the engine depends on the four rooms of the top level.
    spec = importlib.util.find_spec("drdrill.fixtures")
    return [Path(spec.origin).parent / "estates"] if spec and spec.origin else []


def load(name: str, *, folder: Path | None = None, lab: bool = True) -> Estate:
    """Read and check an estate.

    Args:
        name: a path or a name, as for `find`.
        folder: where to look for names; the current folder if not given.
        lab: whether `${lab.NAME}` must have its values now. Without, they stay as they are written: enough to check
            names and plans, not enough to drill.

    Raises:
        Findings: all that is wrong with the file.
        Refused: the file is good but its lab is not up; the message is the line to type.
    """
    path = find(name, folder)
    tree, line_of = _read(path)
    findings: list[tuple[int, str]] = []

    def found(place: _PLACE, words: str) -> None:
        line = line_of(place)
        findings.append((line, f"{path}:{line}: {'.'.join(map(str, place)) or 'the file'}: {words}"))

    about_lab = str(tree["lab"]) if isinstance(tree, dict) and tree.get("lab") else None
    values = _lab_values(about_lab) if lab and about_lab else None
    tree = _substitute(tree, (), found, values)
    part = _checked(tree, found)
    for place, words in [*dangling(tree), *(senseless(part) if part is not None else ())]:
        found(place, words)
    if findings or part is None:
        raise Findings([words for _, words in sorted(findings, key=lambda f: f[0])])
    if lab and about_lab and values is None:
        raise Refused(f"the {about_lab} lab is not up, so its addresses are not known: drdrill lab up {about_lab}")
    return build(part, path)


def _read(path: Path) -> tuple[Any, Callable[[_PLACE], int]]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - kept out of the plugin's import path
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - kept out of the plugin's import path

    try:
        tree = YAML(typ="rt").load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}" if mark else ""
        raise BadInput(f"{path}{where}: is not YAML: {error.problem or error.context}") from error
    except YAMLError as error:
        raise BadInput(f"{path}: is not YAML: {error}") from error
    if not isinstance(tree, dict):
        raise BadInput(f"{path}:1: an estate file is a mapping that begins with `estate: NAME`")

    def line_of(place: _PLACE) -> int:
        node: Any = tree
        line = 1
        for key in place:
            try:
                marks: Any = node.lc  # ruamel keeps lines beside its own dicts and lists
                at = marks.item(key) if isinstance(node, list) else marks.key(key)
                node, line = node[key], at[0] + 1
            except (KeyError, IndexError, AttributeError, TypeError):
                break
        return line

    return tree, line_of


def _lab_values(lab: str) -> Mapping[str, str] | None:
    # Under the lab's own name, as `lab up` wrote it: an estate of any name may stand on it.
    path = state.folder(lab) / "lab" / "lab.json"
    try:
        values = json.loads(path.read_text())
    except OSError:
        return None
    except ValueError as error:
        raise BadInput(f"{path}: is not what `drdrill lab up {lab}` wrote; raise the lab again") from error
    return {k: str(v) for k, v in values.items()}


def _substitute(node: Any, place: _PLACE, found: Callable[[_PLACE, str], None], lab: Mapping[str, str] | None) -> Any:
    """Plain dicts and lists, with `${ENV}` and `${lab.NAME}` filled in."""
    if isinstance(node, dict):
        return {str(k): _substitute(v, (*place, k), found, lab) for k, v in node.items()}
    if isinstance(node, list):
        return [_substitute(v, (*place, i), found, lab) for i, v in enumerate(node)]
    if not isinstance(node, str):
        return node

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("lab."):
            if lab is None:
                return match[0]
            if name[4:] in lab:
                return lab[name[4:]]
            found(place, f"the lab knows no {name[4:]}; is it a lab of another version?")
        elif name in os.environ:
            return os.environ[name]
        else:
            found(place, f"the environment variable {name} is not set")
        return match[0]

    return _VARIABLE.sub(fill, str(node))


def _checked(tree: Any, found: Callable[[_PLACE, str], None]) -> Any:
    from pydantic import ValidationError  # noqa: PLC0415 - 170 ms of import that a guest must not pay

    from drdrill.estate.schema import EstatePart  # noqa: PLC0415 - kept out of the plugin's import path

    try:
        return EstatePart.model_validate(tree)
    except ValidationError as error:
        for place, words in _explained(error):
            found(place, words)
        return None


_EXPECTED = {
    "model_type": "a mapping is expected",
    "dict_type": "a mapping is expected",
    "int_type": "a whole number is expected",
    "int_parsing": "a whole number is expected",
    "float_type": "a number is expected",
    "float_parsing": "a number is expected",
    "bool_type": "true or false is expected",
    "bool_parsing": "true or false is expected",
    "string_type": "a text is expected",
    "tuple_type": "a list is expected",
}


def _explained(error: Any) -> Iterator[tuple[_PLACE, str]]:
    seen: set[_PLACE] = set()
    for item in error.errors(include_url=False):
        place = tuple(p for p in item["loc"] if p not in {"[key]", "literal['writer']", "dict[str,str]"})
        match item["type"]:
            case "extra_forbidden":
                words = "nobody knows this key; is it misspelt?"
            case "missing":
                words, place = f'"{place[-1]}" is missing', place[:-1]
            case "value_error":
                words = str(item["ctx"]["error"])
            case _:
                words = f"{_EXPECTED.get(item['type'], item['msg'].lower())}, found {_short(item['input'])}"
                if place in seen:
                    continue  # What may be one of two things is wrong once.
                seen.add(place)
        yield place, words


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - what fits on a line
