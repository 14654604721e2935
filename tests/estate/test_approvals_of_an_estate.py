# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""`approvals:` of an estate file: keys that are keys, one for each person, and as many persons as are needed."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from teams import ESTATE

from drdrill.errors import BadInput
from drdrill.estate.load import load

if TYPE_CHECKING:
    from pathlib import Path

ANNA, BAO = (f"ed25519:{base64.b64encode(bytes([n] * 32)).decode()}" for n in (1, 2))


def written(folder: Path, approvals: str) -> str:
    path = folder / "clinic.yaml"
    path.write_text(f"{ESTATE}production: true\napprovals: {approvals}\n")
    return str(path)


def test_they_are_read(tmp_path: Path) -> None:
    estate = load(written(tmp_path, f'{{needed: 2, keys: {{anna: "{ANNA}", bao: "{BAO}"}}}}'))
    assert estate.production
    assert estate.approvals is not None
    assert (estate.approvals.needed, estate.approvals.keys) == (2, {"anna": ANNA, "bao": BAO})


@pytest.mark.parametrize(
    ("approvals", "words"),
    [
        (f'{{needed: 2, keys: {{anna: "{ANNA}"}}}}', "2 persons are needed, and 1 may approve"),
        (f'{{keys: {{anna: "{ANNA}", bao: "{ANNA}"}}}}', 'this is the key of "anna" as well'),
        ('{keys: {anna: "ssh-ed25519 AAAA"}}', "a public key is"),
        ('{keys: {anna: "ed25519:AAAA"}}', "a public key is"),
        (f'{{needed: 0, keys: {{anna: "{ANNA}"}}}}', "greater than or equal to 1"),
        ("{keys: {}}", "at least 1"),
        (f'{{need: 1, keys: {{anna: "{ANNA}"}}}}', "nobody knows this key"),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, approvals: str, words: str) -> None:
    with pytest.raises(BadInput, match=r"clinic\.yaml:3\d: .*" + words):
        load(written(tmp_path, approvals))
