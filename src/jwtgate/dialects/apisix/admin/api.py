"""The Admin API: who may ask, what is asked for, and which part of the API answers it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from jwtgate.control.journal import event
from jwtgate.dialects.apisix.admin.callers import Callers
from jwtgate.dialects.apisix.admin.calls.access import Access
from jwtgate.dialects.apisix.admin.calls.asked import MOST_BODY_BYTES, Asked, query_of, segments_of, value_of
from jwtgate.dialects.apisix.admin.calls.replies import CORS, PREFLIGHT, Wrong, told, wrong
from jwtgate.dialects.apisix.admin.configs import Configs
from jwtgate.dialects.apisix.admin.inventory import Inventory
from jwtgate.dialects.apisix.admin.resources import METHODS
from jwtgate.dialects.apisix.admin.schemas import plugins_told, schema_told, validated
from jwtgate.dialects.apisix.admin.stamps import Stamps
from jwtgate.dialects.apisix.admin.stored import Stored
from jwtgate.dialects.apisix.objects import Invalid
from jwtgate.dialects.apisix.settings import ADMIN_KEY_VARIABLE, ApisixSettings
from jwtgate.dialects.dialect import Call, Conflict, Desk, Reply
from jwtgate.errors import ConfigError, Fault
from jwtgate.state.stores.store import StoreFailed

EXPIRY_SECONDS = 1.0
_NO_ROUTE = "404 Route Not Found"
_READ_ONLY = "the objects of this gateway come from a file and are changed there"
_CHANGES = frozenset({"PUT", "POST", "PATCH", "DELETE"})


class ApisixAdmin:
    """Answers over a node. `wall` tells seconds since 1970."""

    most_body_bytes = MOST_BODY_BYTES
    key_variable = ADMIN_KEY_VARIABLE

    def __init__(
        self, desk: Desk, settings: ApisixSettings, *, is_declarative: bool, wall: Callable[[], float] = time.time
    ) -> None:
        """`ConfigError` for settings that cannot be used."""
        self._access = Access.of(settings)
        self._is_declarative = is_declarative
        self._desk = desk
        stamps = Stamps(wall)
        stored = Stored(desk, stamps, settings.keyring)
        callers = Callers(desk, stamps, settings.keyring, secrets_are_made=not settings.strict)
        self._inventory = Inventory(stored, callers)
        self._configs = Configs(stored, callers)

    @property
    def is_open(self) -> bool:
        """Whether no key is needed."""
        return self._access.keys is None

    async def answer(self, call: Call) -> Reply:
        """What the other gateway would answer. Never raises for what a caller got wrong."""
        try:
            reply = await self._answer(call)
        except Wrong as mistake:
            reply = told(mistake.status, mistake.value)
        except Invalid as mistake:
            reply = told(400, {"error_msg": str(mistake)})
        except ConfigError as mistake:
            reply = told(400, {"error_msg": "invalid configuration: " + "; ".join(mistake.problems)})
        except Conflict as conflict:
            reply = told(409, {"error_msg": str(conflict)})
        except (StoreFailed, Fault) as trouble:
            event("admin_call_failed", level=logging.ERROR, error=trouble)
            reply = told(503, {"error_msg": "the store cannot be reached"})
        return self._with_cors(reply)

    async def tend(self) -> None:
        """Delete what was written to live for a time only, as long as this runs."""
        if self._access.keys == ():
            event("admin_key_missing", level=logging.WARNING, advice="set ADMIN_API_KEY or deployment.admin.admin_key")
        while not self._is_declarative:
            await self._inventory.expire()
            await asyncio.sleep(EXPIRY_SECONDS)

    def _with_cors(self, reply: Reply) -> Reply:
        # Where no key is needed, a page of any origin could administrate through the browser of somebody near.
        if self._access.keys is None:
            return reply
        return replace(reply, fields=(*CORS, *reply.fields))

    async def _answer(self, call: Call) -> Reply:
        segments = segments_of(call.path)
        if segments is None:
            raise wrong(_NO_ROUTE, status=404)
        if call.method == "OPTIONS":
            return Reply(200, b"", PREFLIGHT if self._access.keys is not None else ())
        if call.method == "HEAD" and not any(segments):
            return told(200)
        query = query_of(call.query)
        key = self._access.admitted(call, query)
        if call.method not in METHODS or not any(segments):
            raise wrong("not found", status=404)
        value = value_of(call) if call.method in ("PUT", "POST", "PATCH") else None
        asked = Asked(call.method, segments, query, value, f"apisix:{key.name}")
        return await self._reply(asked)

    async def _reply(self, asked: Asked) -> Reply:
        match asked.segments:
            case ("schema", "validate", *_):
                return validated(asked)
            case ("schema", *_):
                return schema_told(asked)
            case ("plugins", *_):
                return plugins_told(asked)
        if asked.method not in _CHANGES:
            return await self._part(asked)
        if self._is_declarative:
            raise wrong(_READ_ONLY, status=405)
        async with self._desk.changing():
            return await self._part(asked)

    async def _part(self, asked: Asked) -> Reply:
        if asked.segment(0) == "configs":
            return await self._configs.answer(asked)
        return await self._inventory.answer(asked)
