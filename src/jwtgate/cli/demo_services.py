"""The neighbours of the gateway in the demonstration: an issuer, and an upstream that answers what it was sent.

Both serve the loopback only. The issuer gives anybody any token, which is the opposite of what an issuer is for.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.state.issued_tokens import random_id
from jwtgate.verifier import sign

HOST = "127.0.0.1"
LIFE_SECONDS = 300
AUDIENCE = "https://orders.example"
_FORM_LIMIT_BYTES = 16 * 1024


class Service(ThreadingHTTPServer):
    """A server on a port of the loopback, on threads of its own, while inside `with`."""

    daemon_threads = True

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((HOST, port), handler)
        self.address = f"http://{HOST}:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None = None, error: object = None, trace: TracebackType | None = None
    ) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, value: object) -> None:
        """Send this value as JSON, or this text as it is."""
        is_text = isinstance(value, str)
        body = (value if isinstance(value, str) else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if is_text else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        """The request's body, as far as it may go."""
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _FORM_LIMIT_BYTES))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named so by http.server
        """Nothing: the story tells what happens."""


class Issuer(Service):
    """An issuer with two fresh keys, its metadata, its JWK Set, and a token endpoint."""

    def __init__(self, port: int) -> None:
        self.keys = {alg: generate_key(alg).bound_to(alg) for alg in ("RS256", "ES256")}
        super().__init__(port, _IssuerHandler)

    def token(self, form: dict[str, str]) -> str:
        """A token as the form asks: `scope`, `audience`, `subject`, `alg`, and `expired=1` for one of yesterday."""
        now = int(time.time()) - (86400 if form.get("expired") == "1" else 0)
        claims: dict[str, JSON] = {
            "iss": self.address,
            "sub": form.get("subject", "alice"),
            "aud": form.get("audience", AUDIENCE),
            "client_id": form.get("client_id", "demo-client"),
            "scope": form.get("scope", ""),
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "jti": random_id(),
        }
        return sign(claims, self.keys[form.get("alg", "RS256")], typ="at+jwt")


class _IssuerHandler(_Handler):
    server: Issuer

    def do_GET(self) -> None:
        """Serve the metadata and the keys (OpenID Connect Discovery 1.0, RFC 7517)."""
        issuer = self.server.address
        if self.path == "/.well-known/openid-configuration":
            self.answer(
                200,
                {
                    "issuer": issuer,
                    "jwks_uri": f"{issuer}/jwks",
                    "token_endpoint": f"{issuer}/token",
                    "grant_types_supported": ["client_credentials"],
                    "id_token_signing_alg_values_supported": sorted(self.server.keys),
                },
            )
        elif self.path == "/jwks":
            self.answer(200, KeySet(key.public() for key in self.server.keys.values()).to_jwks())
        else:
            self.answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        """Answer a token request (RFC 6749 section 4.4). `plain=1`: with the token alone."""
        form = {name: values[0] for name, values in parse_qs(self.body().decode("latin-1")).items()}
        if self.path != "/token":
            self.answer(404, {"error": "not_found"})
        elif form.get("grant_type") != "client_credentials":
            self.answer(400, {"error": "unsupported_grant_type"})
        elif form.get("alg", "RS256") not in self.server.keys:
            self.answer(400, {"error": "invalid_request"})
        elif form.get("plain") == "1":
            self.answer(200, self.server.token(form) + "\n")
        else:
            token = self.server.token(form)
            self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": LIFE_SECONDS})


class Echo(Service):
    """An upstream that answers with the method, the path and the header fields it was sent."""

    def __init__(self, port: int) -> None:
        super().__init__(port, _EchoHandler)


class _EchoHandler(_Handler):
    def do_GET(self) -> None:
        """Answer what was seen."""
        self.body()
        self.answer(200, {"method": self.command, "path": self.path, "fields": list(self.headers.items())})

    do_POST = do_GET  # noqa: N815 - named so by http.server
