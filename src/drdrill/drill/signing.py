# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Keys and signatures of those who approve: Ed25519 by the package `cryptography`, imported late."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from typing import TYPE_CHECKING, Any, Final

from drdrill.errors import BadInput, MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

KIND: Final = "ed25519:"
_LOOSE: Final = 0o077


def new_key(path: Path) -> str:
    """Make a key pair: the private one in a new file with mode 0600, the public one is given back. Raises BadInput."""
    ed25519 = _ed25519()
    from cryptography.hazmat.primitives import serialization as as_  # noqa: PLC0415 - an extra

    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(as_.Encoding.PEM, as_.PrivateFormat.PKCS8, as_.NoEncryption())
    try:
        # Only if nothing is there, and tight from the first byte on.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(pem)
    except FileExistsError as error:
        raise BadInput(f"{path}: is there already, and a key is never written over") from error
    except OSError as error:
        raise BadInput(f"{path}: the key cannot be written there ({error.strerror})") from error
    return public(key)


def read_key(path: Path) -> Any:
    """The private key in a file of ours that nobody else can read. Raises BadInput."""
    _ed25519()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - an extra

    try:
        with path.open("rb") as file:
            seen = os.fstat(file.fileno())
            raw = file.read(65536)
    except OSError as error:
        raise BadInput(f"{path}: the key cannot be read ({error.strerror})") from error
    if seen.st_mode & _LOOSE:
        raise BadInput(
            f"{path}: others can read or write this key (mode {stat.S_IMODE(seen.st_mode):04o}), so it proves nothing; "
            f"chmod 600 {path}, and if others were there, make a new one"
        )
    if seen.st_uid != os.geteuid():
        raise BadInput(f"{path}: this key belongs to another user of this machine")
    try:
        key = load_pem_private_key(raw, None)
    except (ValueError, TypeError) as error:
        raise BadInput(f"{path}: is no key as `drdrill approve --new-key` writes it") from error
    if not isinstance(key, _ed25519().Ed25519PrivateKey):
        raise BadInput(f"{path}: is a key of another kind; make one with drdrill approve --new-key FILE")
    return key


def public(key: Any) -> str:
    """The public key, as it stands in an estate file."""
    return KIND + base64.b64encode(key.public_key().public_bytes_raw()).decode()


def sign(key: Any, signed: bytes) -> str:
    """The signature of a key under these bytes."""
    return base64.b64encode(key.sign(signed)).decode()


def verifies(public_key: str, signature: str, signed: bytes) -> bool:
    """Whether this key made this signature under these bytes."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra

    with contextlib.suppress(InvalidSignature, ValueError):
        raw = base64.b64decode(public_key.removeprefix(KIND), validate=True)
        _ed25519().Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature, validate=True), signed)
        return True
    return False


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("cryptography", "approve", "an approval") from error
    return ed25519
