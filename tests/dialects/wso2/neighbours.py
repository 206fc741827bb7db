"""The backend of the examples: it answers with the request it received. And an issuer's key set."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.integration.background_server import BackgroundServer, QuietHandler


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: Backend

    def do_GET(self) -> None:
        if self.path == "/jwks":
            self.answer(200, json.dumps({"keys": self.server.keys}).encode())
            return
        self.server.requests += 1
        fields = [[name.lower(), value] for name, value in self.headers.items()]
        self.answer(200, json.dumps({"path": self.path, "fields": fields}).encode())


class Backend(BackgroundServer):
    """Runs inside `with`. `requests` is how many it received, `keys` what it publishes at `/jwks`."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.requests = 0
        self.keys: list[dict[str, Any]] = []
