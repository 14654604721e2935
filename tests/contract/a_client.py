# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""One client of a database, in a process of its own, since it has to stand where clients stand: `a_client.py JSON`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from drdrill.connect.sql import SqlFailed
from drdrill.engines.registry import engine_for
from drdrill.estate.load import load


async def one_client(told: dict[str, Any]) -> None:
    """Ask every member, find one that writes, and write the same key twice: the second time it must be refused for sure."""
    engine = engine_for(load(told["estate"]), told["database"])
    client = engine.client({host: (name, port) for host, (name, port) in told["addresses"].items()})
    async with asyncio.timeout(20):
        for host in told["addresses"]:
            session = await client.reach(host)
            assert await session.accepts_writes() is (host in told["writers"])
            assert await session.commit() is (host in told["writers"])
            session.close()
        session = await client.writer()
        await session.write(told["table"], told["key"])
        with pytest.raises(SqlFailed) as caught:
            await session.write(told["table"], told["key"])
        assert caught.value.code
        assert engine.classify("statement", caught.value.code) == "fail"
        session.close()


if __name__ == "__main__":
    asyncio.run(one_client(json.loads(sys.argv[1])))
