"""What the examples ask of the upstream `httpbin.org`: `/headers` and `/get` tell what arrived."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
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
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Httpbin(ThreadingHTTPServer):
    """Runs inside `with`. `place` is its host and port."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.place = f"127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
