# SPDX-FileCopyrightText: 2026 the drdrill authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's application: registrations with a key that the client chose. `python -m drdrill.lab.registration CONFIG`.

    POST /registrations {"key": "..."}   201 after the commit was acknowledged, and only then
                                         409 when the key exists already, with what was registered: a retry is no harm
                                         400 when it is no registration; 503 when nobody can say whether it took effect
    GET  /registrations/count            {"count": n}
    GET  /healthz                        200 {"ready": true, "site": ...} when a commit that began after this request came
                                         in was acknowledged, else 503 {"ready": false, "site": ..., "why": ...}

Every answer carries `X-Site`: the site of the application that gave it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from drdrill.lab.sessions import TakenError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from drdrill.lab.sessions import Sessions

_LONGEST_KEY: Final = 200
_HEALTH_S: Final = 2.0


class Heartbeat:
    """Real commits as proof of health. All that ask while one is under way share the next one.

    Args:
        commit: one commit; raises when it was not acknowledged.
    """

    def __init__(self, commit: Callable[[], Awaitable[object]]) -> None:
        self._commit = commit
        self._next: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def beat(self) -> None:
        """Return when a commit that began after this call was acknowledged. Raises what the commit raised, TimeoutError."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        mine = self._next
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        async with asyncio.timeout(_HEALTH_S):
            await asyncio.shield(mine)

    async def _work(self) -> None:
        while self._next is not None:
            waiting, self._next = self._next, None
            try:
                await self._commit()
            except Exception as error:  # noqa: BLE001 - whatever it was, those that wait are told
                waiting.set_exception(error)
                waiting.exception()  # Read, for the case that all of them have gone.
            else:
                waiting.set_result(None)


class Registration:
    """The handlers.

    Args:
        site: where this application runs.
        sessions: its way to the database.
    """

    def __init__(self, site: str, sessions: Sessions) -> None:
        self.site = site
        self.sessions = sessions
        self.heartbeat = Heartbeat(lambda: sessions.execute(sessions.statements.beat, (site,)))

    async def register(self, request: web.Request) -> web.Response:
        """One registration."""
        try:
            key = (await request.json())["key"]
        except (ValueError, TypeError, KeyError):
            key = None
        if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY or "\0" in key:
            return web.json_response({"error": f'send {{"key": TEXT}} with 1 to {_LONGEST_KEY} characters'}, status=400)
        try:
            await self.store(key)
        except UnavailableError as error:
            return web.json_response({"key": key, "error": str(error)}, status=503)
        except TakenError:
            # The key is the whole registration, so what is there is what the client sent. It is there for good: the row is
            # visible only once its own commit was acknowledged.
            return web.json_response({"key": key, "payload": "same"}, status=409)
        return web.json_response({"key": key}, status=201)

    async def store(self, key: str) -> None:
        """Return once the commit was acknowledged. Raises UnavailableError, TakenError."""
        await self.sessions.execute(self.sessions.statements.register, (key, self.site))

    async def count(self, _request: web.Request) -> web.Response:
        """How many registrations there are."""
        try:
            rows = await self.sessions.execute(self.sessions.statements.count)
        except UnavailableError as error:
            return web.json_response({"error": str(error)}, status=503)
        return web.json_response({"count": rows[0][0]})

    async def healthz(self, _request: web.Request) -> web.Response:
        """The truth about health."""
        try:
            await self.heartbeat.beat()
        except TimeoutError:
            why = f"no commit was acknowledged within {_HEALTH_S:g} s"
        except UnavailableError as error:
            why = str(error)
        else:
            return web.json_response({"ready": True, "site": self.site})
        return web.json_response({"ready": False, "site": self.site, "why": why}, status=503)

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application()
        app.router.add_post("/registrations", self.register)
        app.router.add_get("/registrations/count", self.count)
        app.router.add_get("/healthz", self.healthz)
        app.on_response_prepare.append(self._sign)
        app.cleanup_ctx.append(self._run_sessions)
        return app

    async def _sign(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Site"] = self.site

    async def _run_sessions(self, _app: web.Application) -> AsyncIterator[None]:
        self.sessions.start()
        yield
        await self.sessions.stop()


def _sessions(config: dict[str, Any]) -> Sessions:
    """The way to the database of this lab. Its driver is on the machine where it is used, and on no other."""
    if config.get("engine") == "mariadb":
        from drdrill.lab.mariadb_sessions import MariadbSessions, Member  # noqa: PLC0415 - the driver of this engine only

        return MariadbSessions({name: Member(**at) for name, at in config["databases"].items()}, config["login"])
    from drdrill.lab.postgresql_sessions import Database, PostgresqlSessions  # noqa: PLC0415 - the driver of this engine only

    return PostgresqlSessions({name: Database(**at) for name, at in config["databases"].items()}, config["login"])


async def _serve(config: dict[str, Any]) -> web.Application:
    sessions = _sessions(config)
    if config["flaws"]:
        from drdrill.lab import flawed  # noqa: PLC0415 - what is wrong on purpose is loaded by a lab that asks for it

        return flawed.registration(config["flaws"])(config["site"], sessions).app()
    return Registration(config["site"], sessions).app()


def main() -> None:
    """Serve until a signal."""
    config = json.loads(Path(sys.argv[1]).read_text())
    web.run_app(_serve(config), host=config.get("host", "127.0.0.1"), port=config["port"], access_log=None, print=None)


if __name__ == "__main__":
    main()
