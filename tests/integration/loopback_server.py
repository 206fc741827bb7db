"""An HTTP server of the tests on the loopback: an upstream that echoes or takes its time, and a key set."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece
    server: "LoopbackServer"

    def do_GET(self) -> None:
        name, _, seconds = self.path.partition("?")[0].strip("/").partition("/")
        if name == "slow":
            self.server.slow_requests.release()
            time.sleep(float(seconds))
        if name == "jwks":
            self.server.jwks_requests += 1
            self._answer(json.dumps(self.server.jwks).encode())
            return
        self._answer(json.dumps({name.lower(): value for name, value in self.headers.items()}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class LoopbackServer(ThreadingHTTPServer):
    """Runs inside `with`. `/slow/SECONDS` takes so long, `/jwks` gives `jwks`, all else echoes the request's fields."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.jwks: object = {"keys": []}
        self.jwks_requests = 0
        self.slow_requests = threading.Semaphore(0)
        self.url = f"http://127.0.0.1:{self.server_port}"
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

    def handle_error(self, request: object, client_address: object) -> None:
        """A gateway that goes away is part of the tests."""
