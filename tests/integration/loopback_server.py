"""An HTTP server of the tests on the loopback: an upstream that echoes or waits to be told to, and a key set."""

import json
import threading
from http.server import BaseHTTPRequestHandler

from tests.integration.background_server import BackgroundServer, QuietHandler

PATIENCE_SECONDS = 30


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: "LoopbackServer"

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/")
        if name == "held":
            self.server.hold()
        if name == "jwks":
            self.server.jwks_requests += 1
            self.answer(200, json.dumps(self.server.jwks).encode())
            return
        self.answer(200, json.dumps({name.lower(): value for name, value in self.headers.items()}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"{}")


class LoopbackServer(BackgroundServer):
    """Runs inside `with`. `/held` answers when it is let go, `/jwks` gives `jwks`; all echo the request's fields."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.jwks: object = {"keys": []}
        self.jwks_requests = 0
        self._held = threading.Semaphore(0)
        self._let_go = threading.Semaphore(0)

    def hold(self) -> None:
        """Keep a request, for the handler of it."""
        self._held.release()
        self._let_go.acquire(timeout=PATIENCE_SECONDS)

    def wait_until_held(self, requests: int = 1) -> None:
        """Wait until this many requests are held."""
        for _ in range(requests):
            assert self._held.acquire(timeout=PATIENCE_SECONDS)

    def let_go(self, requests: int = 1) -> None:
        """Have this many held requests answered."""
        self._let_go.release(requests)
