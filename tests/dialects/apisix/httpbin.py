"""What the examples ask of the upstream `httpbin.org`: `/headers` and `/get` tell what arrived."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl

from tests.integration.background_server import BackgroundServer, QuietHandler


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: Httpbin

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        fields = {
            "-".join(part.capitalize() for part in name.split("-")): value for name, value in self.headers.items()
        }
        told: dict[str, Any] = {"headers": fields}
        if path != "/headers":
            host = fields.get("X-Forwarded-Host", fields["Host"])
            origin = fields.get("X-Forwarded-For", "")
            told |= {"args": dict(parse_qsl(query)), "origin": origin, "url": f"http://{host}{self.path}"}
        self.answer(200, json.dumps(told).encode())


class Httpbin(BackgroundServer):
    """Runs inside `with`. `place` is its host and port."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.place = f"127.0.0.1:{self.server_port}"
