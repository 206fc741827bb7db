"""Two tokens in one request, from a provider nobody here wrote: an opaque one that its issuer is asked about, and a JWT
that is verified with the issuer's keys. Each becomes a token of ours under a key of its own, in a field of its own, and
an upstream that trusts nothing but our JWK Set verifies both with joserfc, also while both keys are rotated."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from .gateway_process import GatewayProcess
from .identity_provider import (
    AUDIENCE_ES256,
    AUDIENCE_OPAQUE,
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    missing,
    new_key_set,
)
from .rig import until

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

JWTGATE = Path(sys.executable).with_name("jwtgate")
PATIENCE_SECONDS = 60.0
CLIENTS = 3
OUR_ISS = "https://gateway.example"
SLOTS = ("access", "channel")
DOCUMENT = """
listen: 127.0.0.1:0
status_listen: 127.0.0.1:0
own: {keys_max_age_seconds: 1}

issuers:
  accounts:
    issuer: ${env:ISSUER}
    audience: https://accounts.example
    introspection:
      discovered: true
      auth: private_key_jwt
      client_id: gateway-private_key_jwt
      client_key: {file: client.json}
  stock:
    issuer: ${env:ISSUER}
    algorithms: [ES256]
    audience: https://stock.example
    type: at+jwt

signing:
  issuer: https://gateway.example
  keys:
    access: {alg: ES256}
    channel: {alg: Ed25519}

upstreams:
  orders:
    targets: ["${env:UPSTREAM}"]

routes:
  orders:
    path: /orders/*
    auth: required
    upstream: orders
    slots:
      access:
        issuers: accounts
        scope: orders:read
      channel:
        from: {header: X-Channel-Token}
        issuers: stock
    issue:
      - {slot: access, header: X-Access, key: access, audience: access.internal, ttl_seconds: 2, copy: all}
      - {slot: channel, header: X-Channel, key: channel, audience: channel.internal, ttl_seconds: 2, copy: [client_id]}
"""


class _Verifying(BaseHTTPRequestHandler):
    """Answers 200 with the two tokens once both are verified, and 401 to all else."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Upstream

    def do_GET(self) -> None:
        try:
            seen = {slot: self._verified(slot) for slot in SLOTS}
        except Exception as error:
            self._answer(401, {"error": repr(error)})
            return
        left = [name for name in ("Authorization", "X-Channel-Token") if name in self.headers]
        self._answer(200, {**seen, "left": left})

    def _verified(self, slot: str) -> dict[str, Any]:
        alg = {"access": "ES256", "channel": "Ed25519"}[slot]
        token = jwt.decode(self.headers[f"X-{slot}"], self.server.keys(), algorithms=[alg])
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": OUR_ISS},
            aud={"essential": True, "value": f"{slot}.internal"},
            exp={"essential": True},
        ).validate(token.claims)
        return {"header": token.header, "claims": token.claims}

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Upstream(ThreadingHTTPServer):
    """An upstream that keeps our JWK Set for as long as it may, and never asks for it sooner."""

    daemon_threads = True
    gateway_address = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Verifying)
        self._lock = threading.Lock()
        self._keys = KeySet([])
        self._good_until = 0.0

    def keys(self) -> KeySet:
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._fetch()
            return self._keys

    def _fetch(self) -> None:
        with urllib.request.urlopen(f"{self.gateway_address}/.well-known/jwks.json", timeout=30) as answer:
            self._keys = KeySet.import_key_set(json.load(answer))
            (age,) = [part.strip() for part in answer.headers["Cache-Control"].split(",") if "max-age" in part]
        self._good_until = time.monotonic() + int(age.removeprefix("max-age="))


@contextmanager
def serving(upstream: Upstream) -> Iterator[None]:
    thread = threading.Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        upstream.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with IdentityProvider(tmp_path_factory.mktemp("idp"), new_key_set("first")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, provider: IdentityProvider) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("gateway")
    client_key = folder / "client.json"
    client_key.touch(mode=0o600)
    client_key.write_text(json.dumps(provider.client_key.as_dict(private=True)))
    with Upstream() as upstream, serving(upstream):
        environ = {"ISSUER": provider.issuer, "UPSTREAM": f"http://127.0.0.1:{upstream.server_port}"}
        with GatewayProcess(folder, DOCUMENT, environ=environ) as running:
            upstream.gateway_address = f"http://127.0.0.1:{running.ports[0]}"
            yield running


class Client:
    """A caller with both tokens, on one connection."""

    def __init__(self, gateway: GatewayProcess, access: str | None, channel: str | None) -> None:
        self._connection = gateway.connect()
        bearer = {"Authorization": f"Bearer {access}"} if access else {}
        self._fields = {**bearer, **({"X-Channel-Token": channel} if channel else {})}

    def get(self) -> tuple[int, Any]:
        self._connection.request("GET", "/orders/1", headers=self._fields)
        answer = self._connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if answer.status == 200 else body

    def close(self) -> None:
        self._connection.close()


def got(gateway: GatewayProcess, access: str | None, channel: str | None) -> tuple[int, Any]:
    client = Client(gateway, access, channel)
    try:
        return client.get()
    finally:
        client.close()


@pytest.fixture
def tokens(provider: IdentityProvider) -> tuple[str, str]:
    return provider.token(audience=AUDIENCE_OPAQUE), provider.token(audience=AUDIENCE_ES256)


def test_both_tokens_become_ours_under_keys_of_their_own(gateway: GatewayProcess, tokens: tuple[str, str]) -> None:
    status, seen = got(gateway, *tokens)
    assert status == 200, seen
    assert seen["left"] == []
    assert {slot: seen[slot]["claims"]["client_id"] for slot in SLOTS} == dict.fromkeys(SLOTS, CLIENT_ID)
    assert seen["access"]["claims"]["scope"] == "orders:read"
    assert "scope" not in seen["channel"]["claims"]
    assert seen["access"]["header"]["kid"] != seen["channel"]["header"]["kid"]


@pytest.mark.parametrize("shape", [(0, None), (None, 1), (1, 1), (0, 0), (None, None)])
def test_neither_token_does_in_place_of_the_other(
    gateway: GatewayProcess, tokens: tuple[str, str], shape: tuple[int | None, int | None]
) -> None:
    access, channel = (tokens[number] if number is not None else None for number in shape)
    assert got(gateway, access, channel)[0] == 401


def test_sec_68_a_revoked_token_is_refused_by_the_next_request(
    gateway: GatewayProcess, provider: IdentityProvider, tokens: tuple[str, str]
) -> None:
    assert got(gateway, *tokens)[0] == 200
    provider.revoke(tokens[0])
    assert got(gateway, *tokens)[0] == 401


def test_the_scope_of_an_opaque_token_is_checked(gateway: GatewayProcess, provider: IdentityProvider) -> None:
    channel = provider.token(audience=AUDIENCE_ES256)
    assert got(gateway, provider.token("orders:write", AUDIENCE_OPAQUE), channel)[0] == 403


def test_sec_68_no_log_holds_a_token_or_what_proves_who_we_are(
    gateway: GatewayProcess, tokens: tuple[str, str]
) -> None:
    assert got(gateway, *tokens)[0] == 200
    folder = gateway.document.parent
    gateway.until(lambda: b"/orders/1" in (folder / "access-log").read_bytes())
    written = b"".join((folder / name).read_bytes() for name in ("access-log", "journal"))
    assert not [secret for secret in (*tokens, CLIENT_SECRET, "client_assertion") if secret.encode() in written]


def test_rel_35_both_keys_are_rotated_under_load_and_no_request_fails(
    gateway: GatewayProcess, provider: IdentityProvider
) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    failed: list[object] = []
    ended = threading.Event()

    def call() -> None:
        client = Client(gateway, provider.token(audience=AUDIENCE_OPAQUE), provider.token(audience=AUDIENCE_ES256))
        while not ended.is_set():
            try:
                status, body = client.get()
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, repr(error)
            if status != 200:
                failed.append((status, body))
                break
            seen.update((slot, body[slot]["header"]["kid"]) for slot in SLOTS)
            time.sleep(0.01)
        client.close()

    before = _published(gateway)
    threads = [threading.Thread(target=call) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(seen) == 2 or failed, seconds=PATIENCE_SECONDS)
        old = set(seen)
        assert {kid for _, kid in old} == before
        for name in SLOTS:
            command = [str(JWTGATE), "keys", "rotate", name, "--state", str(gateway.state)]
            run = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert run.returncode == 0, run.stderr
        until(lambda: len(_published(gateway)) == 4 or failed, seconds=PATIENCE_SECONDS)
        until(lambda: len(seen) == 4 or failed, seconds=PATIENCE_SECONDS)
        until(lambda: all(seen[each] > 100 for each in set(seen) - old) or failed, seconds=PATIENCE_SECONDS)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failed == []
    assert {slot for slot, _ in set(seen) - old} == set(SLOTS)
    assert {kid for _, kid in seen} == _published(gateway)


def _published(gateway: GatewayProcess) -> set[str]:
    status, body = gateway.get("/.well-known/jwks.json")
    assert status == 200
    return {key["kid"] for key in json.loads(body)["keys"]}
