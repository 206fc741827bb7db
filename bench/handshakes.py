"""`python handshakes.py PORT CERTIFICATE REQUESTS KIND SECONDS`: connections over TLS, one after the other.

Each is made with a `full` or a `resumed` handshake and brings one request of the file. Prints one JSON line.
"""

import json
import socket
import ssl
import statistics
import sys
import time
from itertools import cycle
from pathlib import Path


def main() -> None:
    """Connect until the seconds are over."""
    port, certificate, requests, kind, seconds = sys.argv[1:]
    context = ssl.create_default_context(cafile=certificate)
    texts = cycle([_text(*line.split()) for line in Path(requests).read_text().splitlines()])
    session, _, _ = _connect(int(port), context, next(texts), None)
    took: list[float] = []
    refused = broken = 0
    began = time.perf_counter()
    while (start := time.perf_counter()) < began + float(seconds):
        try:
            _, resumed, good = _connect(int(port), context, next(texts), session if kind == "resumed" else None)
        except OSError:
            broken += 1
            continue
        refused += not good
        broken += resumed != (kind == "resumed")
        took.append(time.perf_counter() - start)
    told = {"requests": len(took), "seconds": time.perf_counter() - began, "refused": refused, "broken": broken}
    told |= {"p50_ms": statistics.median(took) * 1e3, "p99_ms": statistics.quantiles(took, n=100)[98] * 1e3}
    print(json.dumps(told))


def _text(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def _connect(
    port: int, context: ssl.SSLContext, text: bytes, session: ssl.SSLSession | None
) -> tuple[ssl.SSLSession | None, bool, bool]:
    """The session to resume, whether this one was resumed, and whether the answer was a 200."""
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as link,
    ):
        link.sendall(text)
        answer = b""
        while b"\r\n\r\nhello\n" not in answer and (piece := link.recv(65536)):
            answer += piece
        return link.session, bool(link.session_reused), answer.startswith(b"HTTP/1.1 200")


if __name__ == "__main__":
    main()
