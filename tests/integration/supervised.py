"""What tests of a supervisor and its workers begin with: a document, its tokens, and a request that does not end."""

import json
import signal
import socket
import time

import jwt
from tests.integration.gateway_process import GatewayProcess

SECRET = "a secret of the tests, and of the tests only"


def token(**header: str) -> str:
    return jwt.encode(claims(), SECRET, "HS256", headers=header)


def claims() -> dict[str, object]:
    return {"iss": "https://issuer.example", "aud": "orders", "sub": "ann", "exp": int(time.time()) + 600}


def document(
    upstream: str,
    *,
    mark: str = "first",
    listen: str = "127.0.0.1:0",
    keys: str = "{secret: '${env:TEST_SECRET}'}",
    alg: str = "HS256",
    limits: str = "{drain_seconds: 10}",
    more: str = "",
) -> str:
    """A document whose upstream sees `mark` in two fields; `more` are other sections of it."""
    return f"""
listen: {listen!r}
status_listen: "127.0.0.1:0"
limits: {limits}
issuers:
  main:
    issuer: https://issuer.example
    audience: orders
    algorithms: [{alg}]
    keys: {keys}
upstreams:
  echo: {{targets: {upstream!r}}}
routes:
  all:
    path: "/*"
    upstream: echo
    auth: required
    issuers: main
    headers:
      X-Mark: {{constant: {mark!r}}}
      X-Mark-Again: {{constant: {mark!r}}}
{more}
"""


def mark(gateway: GatewayProcess, bearer: str | None = None) -> str:
    """Which document answers, as the upstream sees it."""
    status, body = gateway.get("/", token=bearer or token())
    assert status == 200, body
    return str(http_fields(body)["x-mark"])


def http_fields(body: bytes) -> dict[str, str]:
    fields: dict[str, str] = json.loads(body)
    return fields


def unfinished_request(gateway: GatewayProcess, bearer: str | None = None) -> socket.socket:
    """A request with a body that does not come, known to have arrived."""
    client = socket.create_connection(("127.0.0.1", gateway.ports[0]))
    fields = (
        f"Host: a\r\nAuthorization: Bearer {bearer or token()}\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    )
    client.sendall(b"POST / HTTP/1.1\r\n" + fields.encode())
    client.settimeout(30)
    assert client.recv(100).startswith(b"HTTP/1.1 100 ")
    return client


def stop(gateway: GatewayProcess) -> None:
    """Have it end as it should."""
    gateway.signal(signal.SIGTERM)
    assert gateway.exit_status() == 0
