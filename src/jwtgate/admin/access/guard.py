"""What stands before everything else: who asks, from where, and what every answer carries (SEC-146).

Nobody is known by a cookie. A client certificate is sent by browsers on their own, so a page of another origin is
refused here, whatever it asks for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from jwtgate.admin.access.attempts import Attempts
from jwtgate.admin.access.operators import Operators, bearer_token
from jwtgate.admin.access.pages import is_of_another_origin
from jwtgate.admin.exchange.problems import Problem
from jwtgate.policy.sources import Operator

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPERATOR, CERTIFICATE = "operator", "certificate"
"""Keys of the state of a request: who asks, and the certificate the connection was opened with."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="jwtgate admin"'}
_ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NOTHING = b"default-src 'none'; frame-ancestors 'none'"


class Guard:
    """Lets through what an operator may ask.

    `public`: paths anybody may get. `reading`: paths that change nothing, whatever the method.
    """

    def __init__(
        self, app: App, *, operators: Operators, attempts: Attempts, public: Iterable[str], reading: Iterable[str]
    ) -> None:
        self.app = app
        self.attempts = attempts
        self._public = frozenset(public)
        self._reading = frozenset(reading)
        self.operators = operators

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # The path stays as it was sent: a name may hold an encoded slash, and is decoded once it was found.
        path = scope["raw_path"].decode("ascii", "replace")
        guarded = _with_fields(send)
        try:
            _refuse_other_origins(scope)
            if not (path in self._public and scope["method"] == "GET"):
                operator = scope["state"][OPERATOR] = self._operator(scope)
                if path not in self._reading:
                    _refuse_changes(scope, operator)
        except Problem as problem:
            await problem.response()(scope, receive, guarded)
            return
        await self.app({**scope, "path": path}, receive, guarded)

    def _operator(self, scope: Scope) -> Operator:
        """Who asks. Raises `Problem` 401 or 429."""
        certificate = scope["state"].get(CERTIFICATE)
        known = self.operators.by_certificate(certificate) if certificate else None
        if known is not None:
            return known
        address = scope["client"][0] if scope["client"] else ""
        wait_seconds = self.attempts.wait_seconds(address)
        if wait_seconds:
            detail = "Too many wrong credentials came from this address."
            raise Problem(429, "credentials", detail, fields={"Retry-After": str(wait_seconds)})
        authorization = _values(scope, b"authorization")
        if not authorization:
            raise Problem(401, "credentials", "An operator's token is needed.", fields=_CHALLENGE)
        token = bearer_token(authorization)
        operator = self.operators.by_token(token) if token else None
        if operator is None:
            self.attempts.failed(address)
            fields = {"WWW-Authenticate": _CHALLENGE["WWW-Authenticate"] + ', error="invalid_token"'}
            raise Problem(401, "credentials", "The token is not that of an operator.", fields=fields)
        return operator


def _refuse_changes(scope: Scope, operator: Operator) -> None:
    """Raises `Problem` for what changes something, from an operator who may not."""
    if not operator.may_write and scope["method"] not in _SAFE:
        raise Problem(403, "operators", "This operator may look and not change.")


def _refuse_other_origins(scope: Scope) -> None:
    """Raises `Problem` for what a browser sends on behalf of a page that is not ours."""
    if is_of_another_origin(scope):
        raise Problem(403, "origins", "Pages of other origins may not use the Admin API.")


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for field, value in scope["headers"] if field == name]


def _with_fields(send: Send) -> Send:
    """Sends what it is given, with the fields every answer carries."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            fields = list(message["headers"])
            given = {name.lower() for name, _ in fields}
            policy = () if b"content-security-policy" in given else ((b"content-security-policy", _NOTHING),)
            message = {**message, "headers": [*fields, *(f for f in _ALWAYS if f[0] not in given), *policy]}
        await send(message)

    return sending
