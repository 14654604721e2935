# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""Which engine a database has, by the name that the estate file gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drdrill.connect.parts import Parts

if TYPE_CHECKING:
    from drdrill.engines.engine import Engine
    from drdrill.estate.model import Estate

ENGINES: Final = Parts(
    "database engine",
    "drdrill.engines",
    {
        "postgresql": "drdrill.engines.postgresql:PostgreSQL",
        "galera": "drdrill.engines.galera:Galera",
        "fake": "drdrill.engines.fake:FakeEngine",
    },
)
"""Name -> a class whose constructor takes the estate and one of its databases."""


def engine_for(estate: Estate, database: str) -> Engine:
    """The engine of a database, by its canonical name or aka. Raises BadInput when there is none of that name."""
    found = estate.database_named(database)
    engine: Engine = ENGINES.load(found.engine)(estate, found)
    return engine
