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
        if "Transfer-Encoding" in self.headers:
            self._read_chunks()
        fields = [[name.lower(), value] for name, value in self.headers.items()]
        self.answer(200, json.dumps({"path": self.path, "fields": fields}).encode())

    def _read_chunks(self) -> None:
        """Read the body and its trailers, which would be taken for the next request otherwise."""
        while size := int(self.rfile.readline(), 16):
            self.rfile.read(size + 2)
        while self.rfile.readline().strip():
            pass


class Backend(BackgroundServer):
    """Runs inside `with`. `requests` is how many it received, `keys` what it publishes at `/jwks`."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.requests = 0
        self.keys: list[dict[str, Any]] = []
