"""The doors of a dialect's Admin API: the addresses it answers at, beside the node it is served by."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from jwtgate.admin.access.pages import is_loopback, is_of_a_name_led_here, is_of_another_origin
from jwtgate.admin.listening import Serving, bound, serve
from jwtgate.config.sections.section import parse_address
from jwtgate.control.journal import event
from jwtgate.dialects.dialect import AdminApi, Call, Reply, Settings
from jwtgate.errors import ConfigError
from jwtgate.gateway.listening.certificates import server_tls
from jwtgate.policy import sources
from jwtgate.policy.plan import Tls

_Message = MutableMapping[str, Any]
_OF_A_PAGE = Reply(
    403, b'{"message":"Pages of others may not use the Admin API"}\n', (("Content-Type", "application/json"),)
)
_FAILED = Reply(500, b'{"message":"The gateway failed"}\n', (("Content-Type", "application/json"),))


class Doors:
    """An Admin API at its addresses. What the document says of ours is not looked at."""

    def __init__(self, api: AdminApi, settings: Settings) -> None:
        self._api = api
        self._settings = settings
        self._serving: list[Serving] = []
        self._tending: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> list[str]:
        """Where it answers now."""
        return [serving.address for serving in self._serving]

    async def adopt(self, settings: sources.Administration | None) -> None:
        """Be there. `ConfigError` when an address cannot be used."""
        del settings
        if self._serving:
            return
        places = [(address, False) for address in self._settings.admin_listen]
        places += [(address, True) for address in self._settings.admin_tls_listen]
        for address, is_tls in places:
            self._check_reach(address)
            context = server_tls(self._certificate()) if is_tls else None
            serving = serve(Door(self._api), bound(*parse_address(address), what="Admin API"), context)
            self._serving.append(serving)
            event("admin_listening", address=serving.address, tls=is_tls)
        self._tending = asyncio.create_task(self._api.tend())

    def _check_reach(self, address: str) -> None:
        """`ConfigError` where everybody could reach an Admin API that asks for no key (SEC-146)."""
        if self._api.is_open and not is_loopback(parse_address(address)[0]):
            asking = f"set {self._api.key_variable} to have it ask for one"
            raise ConfigError(f"Admin API: {address}: it asks for no key, so it may listen on loopback only; {asking}")

    def _certificate(self) -> Tls:
        settings = self._settings
        if settings.certificate is None or settings.private_key is None:
            raise ConfigError("The Admin API is to speak TLS and has no certificate.")
        return Tls(settings.certificate, settings.private_key)

    async def close(self) -> None:
        """Answer what was asked, and close."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        for serving in self._serving:
            await serving.close()
        self._serving = []


class Door:
    """An Admin API as an ASGI application: a request read whole, an answer given whole."""

    def __init__(self, api: AdminApi) -> None:
        self._api = api

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if self._api.is_open and _is_of_a_page(scope):
            reply = _OF_A_PAGE
        else:
            body = await _body(receive, self._api.most_body_bytes)
            if body is None:
                return
            reply = await self._answer(_call(scope, body))
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.fields]
        fields.append((b"content-length", b"%d" % len(reply.body)))
        start = {"type": "http.response.start", "status": reply.status, "headers": fields}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, call: Call) -> Reply:
        try:
            return await self._api.answer(call)
        except Exception as error:  # a bug of ours must not end what serves
            event("admin_failed", level=logging.ERROR, error=error, method=call.method)
            return _FAILED


def _is_of_a_page(scope: _Message) -> bool:
    """Whether nobody but a page meant this. What it only asks for, a page of another origin cannot read."""
    changes = scope["method"] not in ("GET", "HEAD", "OPTIONS")
    return is_of_a_name_led_here(scope) or (changes and is_of_another_origin(scope))


async def _body(receive: Callable[[], Awaitable[_Message]], most_bytes: int) -> bytes | None:
    """The whole body, or the beginning of one that is too large: more than so many bytes, and not all.

    None when its sender was lost on the way: half a form looks like a whole one.
    """
    read = bytearray()
    while len(read) <= most_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        read += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(read)


def _call(scope: _Message, body: bytes) -> Call:
    fields = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    client = scope["client"][0] if scope.get("client") else "127.0.0.1"
    return Call(scope["method"], path, query, fields, body, client)
