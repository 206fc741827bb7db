"""Kong's Admin API over a node of ours: each call finds its entities, changes them, and keeps all of it or nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from hmac import compare_digest
from urllib.parse import unquote

from jwtgate.dialects.dialect import Call, Conflict, Desk, Objects, Reply
from jwtgate.dialects.kong.admin import information
from jwtgate.dialects.kong.admin.answers import Failure, answer, not_allowed, schema_violation
from jwtgate.dialects.kong.admin.changes import Changes
from jwtgate.dialects.kong.admin.declarations import answer_config
from jwtgate.dialects.kong.admin.key_sets import answer_key_sets, due, rotate_due
from jwtgate.dialects.kong.admin.resources import Resources
from jwtgate.dialects.kong.admin.shelves import DECLARED, Shelves
from jwtgate.errors import ConfigError
from jwtgate.state.stores.store import StoreFailed

_LOG = logging.getLogger(__name__)
_READS = ("GET", "HEAD")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MOST_TRIES = 5
_GATEWAY = "gateway"
_ASKED_FOR = "kong-admin-token"
KEY_VARIABLE = "KONG_ADMIN_TOKEN"

Read = Callable[[Sequence[tuple[str, bytes]]], Objects | None]


class KongAdmin:
    """An `AdminApi`. `read` is the dialect's own; `wall` gives seconds since 1970.

    With a `token`, callers have to show it in the field `Kong-Admin-Token`.
    """

    most_body_bytes = 64 * 1024 * 1024
    key_variable = KEY_VARIABLE

    def __init__(
        self,
        desk: Desk,
        read: Read,
        *,
        is_declarative: bool,
        token: str | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._desk = desk
        self._token = token
        self._read = read
        self._is_declarative = is_declarative
        self._wall = wall

    @property
    def is_open(self) -> bool:
        """Kong's Admin API asks nobody for a key, unless it was given a token."""
        return not self._token

    async def answer(self, call: Call) -> Reply:
        """What Kong would answer."""
        if self._token and not compare_digest((call.value(_ASKED_FOR) or "").encode(), self._token.encode()):
            return answer(401, {"message": "Unauthorized"})
        if call.method == "OPTIONS":
            return Reply(204, fields=(("Allow", ", ".join(_METHODS)),))
        if len(call.body) > self.most_body_bytes:
            return answer(413, {"message": "The body is too large"})
        try:
            if call.method in _READS:
                read = Call("GET", call.path, call.query, call.fields, b"", call.client)
                return await self._answered(read, await self._shelves(call.client))
            async with self._desk.changing():
                return await self._changed(call)
        except Failure as failure:
            return failure.reply
        except ConfigError as error:
            return schema_violation({"@entity": list(error.problems)}).reply
        except (StoreFailed, Conflict) as failed:
            _LOG.warning("the store failed: %s", failed)
            return answer(500, {"code": 8, "name": "database error", "message": "the store failed", "fields": {}})

    async def tend(self, pause_seconds: float = 1.0) -> None:
        """Finish what a sudden end left half done, and rotate key sets that are due, for ever."""
        try:
            async with self._desk.changing():
                await (await self._shelves(_GATEWAY)).settle()
        except (ConfigError, StoreFailed, Conflict) as failed:
            _LOG.warning("consumers from before are still there: %s", failed)
        while True:
            await asyncio.sleep(pause_seconds)
            try:
                await self.tend_once()
            except (ConfigError, StoreFailed, Conflict) as failed:
                _LOG.warning("key sets could not be rotated: %s", failed)

    async def tend_once(self) -> None:
        """Rotate the key sets that are due now."""
        if not due((await self._desk.kept()).objects, self._now()):
            return
        async with self._desk.changing():
            shelves = await self._shelves(_GATEWAY)
            await rotate_due(shelves, self._now())
            await shelves.commit()

    async def _changed(self, call: Call) -> Reply:
        left = _MOST_TRIES
        while True:
            shelves = await self._shelves(call.client)
            reply = await self._answered(call, shelves)
            try:
                await shelves.commit()
            except Conflict:
                left -= 1
                if left == 0:
                    raise
                continue
            return reply

    async def _shelves(self, who: str) -> Shelves:
        return Shelves(self._desk, await self._desk.kept(), who, is_declarative=self._is_declarative)

    def _now(self) -> int:
        return int(self._wall())

    async def _answered(self, call: Call, shelves: Shelves) -> Reply:
        now, plugins = self._now(), shelves.objects.get("plugins", {}).values()
        match _segments(call.path):
            case []:
                return _only_read(call, information.node(plugins, is_declarative=shelves.is_declarative))
            case ["status"]:
                return _only_read(call, information.status(shelves.objects.get(DECLARED)))
            case ["config"]:
                return await answer_config(call, shelves, self._read)
            case ["plugins", "enabled"]:
                return _only_read(call, information.enabled_plugins())
            case ["schemas", *rest]:
                return await information.schemas(call, rest, Changes(shelves, now))
            case ["jwt-signer", "jwks", *rest]:
                return await answer_key_sets(call, rest, shelves, now)
            case segments:
                return await Resources(shelves, now).answer(call, segments)


def _segments(path: str) -> list[str]:
    """The parts of a path, each decoded by itself, so that a slash may stand in a name."""
    return [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []


def _only_read(call: Call, reply: Reply) -> Reply:
    if call.method != "GET":
        raise not_allowed("GET")
    return reply
