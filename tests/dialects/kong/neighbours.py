"""Everybody a gateway talks to, on the loopback: an echoing upstream, an issuer, and an authorization server."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from tests.integration.background_server import BackgroundServer, QuietHandler

from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import sign_token

ISS = "https://issuer.example/auth/realms/demo"
CERTS, INTROSPECT, PRIVATE = (
    "/auth/realms/demo/protocol/openid-connect/certs",
    "/oauth/v2/oauth-introspect",
    "/private-jwks",
)
AS_SECRET = "Basic YWRtaW46YWRtaW4="
KEY = generate_key("RS256", kid="issuer-1")
OTHER_KEY = generate_key("RS256", kid="issuer-1")


FUTURE, PAST = 10**9, -(10**9)
"""Seconds from now."""


def from_now(members: dict[str, Any]) -> dict[str, Any]:
    """These members, whose numbers are seconds from now, as points in time."""
    now = int(time.time())
    return {name: now + value if isinstance(value, int) else value for name, value in members.items()}


def claims(**changes: Any) -> dict[str, Any]:
    """Claims of a good token with these changes; None takes a claim away."""
    now = int(time.time())
    whole = {"iss": ISS, "sub": "alice", "aud": "demo", "iat": now, "exp": now + 300, "jti": "one", **changes}
    return {name: value for name, value in whole.items() if value is not None}


def token(key: Key = KEY, alg: str = "RS256", **changes: Any) -> str:
    """A token of the issuer with these claims changed."""
    return sign_token(claims(**changes), key, alg=alg)


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: Neighbours

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        if path == INTROSPECT:
            self._introspect(body)
            return
        if path in self.server.key_sets:
            self.server.fetched.append((path, self.headers.get("Authorization")))
            self._answer(200, {"keys": self.server.key_sets[path]})
            return
        told = {"method": self.command, "path": self.path, "body": body.decode("latin-1")}
        self._answer(200, {**told, "fields": [[name.lower(), value] for name, value in self.headers.items()]})

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_OPTIONS(self) -> None:
        self._serve()

    def _introspect(self, body: bytes) -> None:
        form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        self.server.asked.append({**form, "authorization": self.headers.get("Authorization")})
        self.server.answers.wait()
        if self.server.is_down:
            self.close_connection = True
            return
        if self.headers.get("Authorization") != AS_SECRET:
            self._answer(401, {})
            return
        self._answer(200, self.server.opaque.get(form.get("token", ""), {"active": False}))

    def _answer(self, status: int, value: object) -> None:
        self.answer(status, json.dumps(value).encode())


class Neighbours(BackgroundServer):
    """Runs inside `with`. `asked` is what was introspected, `fetched` which key set was read, and how."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        self.begin_anew()

    def begin_anew(self) -> None:
        """Have the key sets of the beginning, know no opaque token, and forget who asked."""
        self.key_sets: dict[str, list[dict[str, Any]]] = {CERTS: [dict(KEY.public().to_jwk())]}
        self.opaque: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, str | None]] = []
        self.fetched: list[tuple[str, str | None]] = []
        self.is_down = False
        self.answers = threading.Event()
        self.answers.set()

    @property
    def certs(self) -> str:
        return f"{self.url}{CERTS}"

    @property
    def introspection(self) -> str:
        return f"{self.url}{INTROSPECT}"
