# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The estate file, as pydantic checks it: keys, types, and what each value must look like.

References between parts (a host's site, a service's database) are checked in `load`, with the same findings.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from drdrill.errors import BadInput
from drdrill.estate import durations

_NAME = re.compile(r"[\w][\w.-]*")


def _seconds(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError('a duration has a unit: "10 s", "500 ms", "2 min"')  # noqa: TRY004 - pydantic reports ValueError
    try:
        return durations.seconds(value)
    except BadInput as error:
        raise ValueError(str(error)) from error


def _tuple(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("a name is made of letters, digits, dots, dashes and underscores")
    return value


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value))


def _address(value: str) -> str:
    return str(ipaddress.ip_address(value))


def _public_key(value: Any) -> str:
    kind, _, written = str(value).partition(":")
    try:
        raw = base64.b64decode(written, validate=True)
    except ValueError:
        raw = b""
    if kind != "ed25519" or len(raw) != 32:  # noqa: PLR2004 - of every such key
        raise ValueError('a public key is "ed25519:" and 44 signs, as `drdrill approve --new-key FILE` prints it')
    # A key has more than one spelling in base64; persons are told apart by their keys.
    return f"{kind}:{base64.b64encode(raw).decode()}"


Seconds = Annotated[float, BeforeValidator(_seconds)]
Several = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Name = Annotated[str, BeforeValidator(_name)]
PublicKey = Annotated[str, BeforeValidator(_public_key)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_tuple)]
Addresses = Annotated[tuple[Annotated[str, AfterValidator(_address)], ...], BeforeValidator(_tuple)]


class Part(BaseModel):
    """A part of the file. Unknown keys are refused: a misspelt limit must never be a missing limit."""

    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)


class SitePart(Part):
    """`sites: {NAME: ...}`. `networks` are the address ranges of its hosts, for cuts by address."""

    campus: str
    networks: Networks = ()
    votes_only: bool = False
    aka: Several = ()


class VantagePart(Part):
    """`vantage: {NAME: ...}`. `at` is a way in ("lab", "local"); `site` is absent for the client network."""

    at: str = "local"
    site: str | None = None
    host: str | None = None


class HostPart(Part):
    """`hosts: {NAME: ...}`. Every key that is a capability lists the ways in, in the order in which they are tried.

    A way in is a name, or a URL whose scheme is the name: `ssh://root@10.79.1.11`. `address` is where the host's own traffic
    comes from and goes to, not where it is managed.
    """

    role: Literal["database", "application", "entry", "arbitrator", "client", "probe", "router"]
    site: str | None = None
    votes: bool = False
    address: Addresses = ()
    shell: Several = ()
    power: Several = ()
    links: Several = ()
    freeze: Several = ()
    entry: Several = ()


class Expect(Part):
    """What a good answer is."""

    status: int = 200
    # A YAML key named `json`; pydantic's own method of that name is why the field is called otherwise here.
    contains: dict[str, Any] | None = Field(default=None, alias="json")


class ProbePart(Part):
    """`probe:` of a service."""

    method: Literal["GET", "HEAD", "POST"] = "GET"
    path: str = "/"
    expect: Expect = Expect()
    rate: float = Field(default=20.0, ge=1, le=200)


class WritePart(Part):
    """`write:` of a service."""

    path: str
    body: str
    method: Literal["POST", "PUT"] = "POST"
    ok: int = 201
    content_type: str = "application/json"

    @field_validator("body")
    @classmethod
    def _has_key(cls, value: str) -> str:
        if "{key}" not in value:
            raise ValueError('the body must carry "{key}": a write without its own key cannot be found again')
        return value


class ServedBy(Part):
    """How a drill knows which site serves: a header of the answer, or where a database's writer is."""

    header: str | None = None
    writer: str | None = None


class ServicePart(Part):
    """`services: {NAME: ...}`."""

    endpoints: dict[str, str] = Field(min_length=1)
    hosts: dict[Literal["application", "entry"], Several] = {}
    database: str | None = None
    served_by: ServedBy
    probe: ProbePart = ProbePart()
    write: WritePart | None = None
    rto: Seconds
    latency: Seconds
    stable: Seconds
    aka: Several = ()

    @field_validator("endpoints")
    @classmethod
    def _http(cls, value: dict[str, str]) -> dict[str, str]:
        for site, url in value.items():
            if not url.startswith(("http://", "https://")):
                raise ValueError(f'the endpoint at "{site}" must be a URL that begins with http:// or https://')
        return value


class TablePart(Part):
    """`tables: {NAME: {key: COLUMN}}` of a database."""

    key: str


class DatabasePart(Part):
    """`databases: {NAME: ...}`. `nodes` maps a host to what the engine needs; its keys are the engine's business.

    One of them is common to all: `address`, the URL at which clients reach that member, as `endpoints` are for services.
    """

    engine: str
    rpo: Seconds
    fencing: Seconds
    recovery: Seconds
    tables: dict[str, TablePart]
    nodes: dict[str, dict[str, str]] = Field(min_length=1)
    write: Literal["writer"] | dict[str, str] = "writer"
    latency: Seconds = 1.0
    aka: Several = ()


class LimitsPart(Part):
    """`limits:`. What is not written here is as small as it can be."""

    sites_down: int = Field(default=1, ge=0)
    hosts_down: int = Field(default=1, ge=0)
    longest_fault: Seconds = 600.0


class ApprovalsPart(Part):
    """`approvals:`. Each person has one name and one key."""

    needed: int = Field(default=1, ge=1)
    keys: dict[Name, PublicKey] = Field(min_length=1)


class SshPart(Part):
    """`ssh:`. `config` is a file as for `ssh -F`; `sudo` says that commands which need the right of root get it so."""

    config: str | None = None
    sudo: bool = False


class EstatePart(Part):
    """The whole file."""

    estate: Name
    lab: str | None = None
    enter: str | None = None
    production: bool = False
    ssh: SshPart = SshPart()
    sites: dict[Name, SitePart] = Field(min_length=1)
    vantage: dict[Name, VantagePart] = Field(min_length=1)
    hosts: dict[Name, HostPart] = Field(min_length=1)
    services: dict[Name, ServicePart] = Field(min_length=1)
    databases: dict[Name, DatabasePart] = {}
    limits: LimitsPart
    approvals: ApprovalsPart | None = None
