"""An HTTP server of the tests on the loopback: an upstream that echoes or takes its time, and a key set."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler

from tests.integration.background_server import BackgroundServer, QuietHandler


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: "LoopbackServer"

    def do_GET(self) -> None:
        name, _, seconds = self.path.partition("?")[0].strip("/").partition("/")
        if name == "slow":
            self.server.slow_requests.release()
            time.sleep(float(seconds))
        if name == "jwks":
            self.server.jwks_requests += 1
            self.answer(200, json.dumps(self.server.jwks).encode())
            return
        self.answer(200, json.dumps({name.lower(): value for name, value in self.headers.items()}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"{}")


class LoopbackServer(BackgroundServer):
    """Runs inside `with`. `/slow/SECONDS` takes so long, `/jwks` gives `jwks`, all else echoes the request's fields."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.jwks: object = {"keys": []}
        self.jwks_requests = 0
        self.slow_requests = threading.Semaphore(0)
