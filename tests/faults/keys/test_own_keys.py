"""The keys we sign with, rotated under load and through crashes, before an upstream that trusts our key set alone."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from tests.faults.harness.figures import Figures
from tests.faults.harness.load import Load
from tests.faults.keys.neighbours import AUDIENCE, Issuer, Neighbours
from tests.integration.background_server import BackgroundServer, QuietHandler
from tests.integration.gateway_process import GatewayProcess

JWTGATE = Path(sys.executable).with_name("jwtgate")
MAX_AGE_SECONDS = 2
TOKEN_SECONDS = 60
LEAD_SECONDS = MAX_AGE_SECONDS + 10
CHANGED = "signing_keys_changed"


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: Upstream

    def do_GET(self) -> None:
        try:
            kid = self.server.verified(self.headers["X-JWT-Assertion"])
        except (JoseError, ValueError) as error:
            self.server.refused.append(repr(error))
            self.answer(401, b"{}")
            return
        self.server.seen[kid] += 1
        self.server.last_seen[kid] = time.monotonic()
        self.answer(200, json.dumps({"kid": kid}).encode())


class Upstream(BackgroundServer):
    """Verifies with our key set alone, which it keeps for as long as we say and never looks at sooner."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.gateway = ""
        self.seen: Counter[str] = Counter()
        self.last_seen: dict[str, float] = {}
        self.refused: list[str] = []
        self._keys: KeySet | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    def verified(self, token: str) -> str:
        """The `kid` of a token that one of the keys has signed."""
        return str(jwt.decode(token, self._held(), algorithms=["ES256"]).header["kid"])

    def alive(self) -> set[str]:
        """The names of the keys whose tokens may be alive."""
        now = time.monotonic()
        return {kid for kid, at in self.last_seen.items() if now < at + TOKEN_SECONDS}

    def _held(self) -> KeySet:
        with self._lock:
            if self._keys is None or time.monotonic() >= self._until:
                self._keys, seconds = published(self.gateway)
                self._until = time.monotonic() + seconds
            return self._keys


def published(origin: str) -> tuple[KeySet, int]:
    """The key set of the gateway, and how long it may be kept."""
    with urllib.request.urlopen(f"{origin}/.well-known/jwks.json", timeout=30) as answer:
        seconds = int(answer.headers["Cache-Control"].rpartition("max-age=")[2])
        return KeySet.import_key_set(json.load(answer)), seconds


def kids(gateway: GatewayProcess) -> set[str]:
    """The names of the keys it shows."""
    return {key["kid"] for key in json.loads(gateway.get("/.well-known/jwks.json")[1])["keys"]}


@pytest.fixture
def around() -> Iterator[Neighbours]:
    with Neighbours() as running:
        yield running


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


def document(issuer: Issuer, upstream: Upstream) -> str:
    """A gateway that issues a token for this upstream, anew for each request."""
    issue = {"audience": "https://orders.internal", "copy": ["sub"], "ttl_seconds": TOKEN_SECONDS}
    issuing = {"issuer": issuer.origin, "audience": AUDIENCE, "algorithms": ["RS256"]}
    return json.dumps(
        {
            "listen": ["127.0.0.1:0"],
            "status_listen": "127.0.0.1:0",
            "own": {"keys_max_age_seconds": MAX_AGE_SECONDS},
            "issuers": {"main": {**issuing, "keys": {"url": f"{issuer.origin}/jwks"}}},
            "signing": {"issuer": "https://gate.example"},
            "upstreams": {"orders": {"targets": [upstream.url]}},
            "routes": {
                "orders": {
                    "path": "/orders/*",
                    "auth": "required",
                    "issuers": ["main"],
                    "issue": issue,
                    "upstream": "orders",
                }
            },
        }
    )


def rotate(gateway: GatewayProcess) -> subprocess.Popen[bytes]:
    """Somebody has the keys rotated, from the command line."""
    command = [str(JWTGATE), "keys", "rotate", "default", "--state", str(gateway.state)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_rel_82_no_upstream_that_keeps_our_keys_refuses_a_token_in_a_rotation(
    full: bool, tmp_path: Path, around: Neighbours, upstream: Upstream
) -> None:
    rotations = 5 if full else 1
    issuer = around.issuer("k1")
    with GatewayProcess(tmp_path, document(issuer, upstream)) as gateway:
        upstream.gateway = f"http://127.0.0.1:{gateway.ports[0]}"
        figures = Figures(
            "REL-82",
            f"{rotations} rotations of our keys; the upstream keeps our key set {MAX_AGE_SECONDS} s and verifies",
            pids=gateway.pids,
            log=gateway.journal,
        )
        took = []
        with figures, Load(gateway.ports[0], token=issuer.tokens("k1"), pause_seconds=0.01) as load:
            load.more(300)
            began = time.monotonic()
            for _ in range(rotations):
                before, rotated = kids(gateway), time.monotonic()
                assert rotate(gateway).wait(30) == 0
                gateway.until(lambda before=before: kids(gateway) > before)
                (new,) = kids(gateway) - before
                gateway.until(lambda new=new: upstream.seen[new] > 0)
                took.append(time.monotonic() - rotated)
            ended = time.monotonic()
            load.more(300)
            figures.note_load(load, began=began, ended=ended)
            figures.note("refused_by_the_upstream", len(upstream.refused))
            figures.note("from_published_to_signing", f"{min(took):.1f} to {max(took):.1f} s")
            figures.note("keys_shown_at_the_end", gateway.metric("jwtgate_signing_keys_count"))
        assert (load.dropped, load.wrong(200), upstream.refused) == (0, 0, [])
        assert min(took) > MAX_AGE_SECONDS
        assert len(upstream.seen) == gateway.metric("jwtgate_signing_keys_count") == rotations + 1
        assert figures.log_events() == {CHANGED: 2 * rotations}, "a key is shown, and takes over"


def test_rel_83_a_crash_at_any_step_of_a_rotation_loses_no_key(
    full: bool, tmp_path: Path, around: Neighbours, upstream: Upstream
) -> None:
    # The commands take about a second, and a new key signs after the lead: in full, crashes fall into both.
    crashes, longest, chance = (20, LEAD_SECONDS + 2, random.Random(83)) if full else (2, 1.5, random.Random(1))
    issuer = around.issuer("k1")
    with GatewayProcess(tmp_path, document(issuer, upstream)) as gateway:
        figures = Figures("REL-83", f"kill -9 in {crashes} rotations of our keys, at any step", pids=gateway.pids)
        lost: set[str] = set()
        done = 0
        with figures:
            for number in range(crashes):
                upstream.gateway = f"http://127.0.0.1:{gateway.ports[0]}"
                assert gateway.get("/orders/1", token=issuer.token("k1", jti=str(number)))[0] == 200
                before = kids(gateway)
                rotating = rotate(gateway)
                _end_both(gateway, rotating, seconds=chance.uniform(0.5, longest), number=number)
                gateway.start()
                gateway.until(lambda: gateway.events("serving"))
                after = kids(gateway)
                done += len(after - before)
                lost |= (before - after) & upstream.alive()
            upstream.gateway = f"http://127.0.0.1:{gateway.ports[0]}"
            if full:
                _signed_once_more(gateway, issuer, upstream)
            figures.note("crashes", crashes)
            figures.note("rotations_that_were_begun", done)
            figures.note("keys_lost", len(lost))
            figures.note("refused_by_the_upstream", len(upstream.refused))
        assert lost == set()
        assert upstream.refused == []
        assert upstream.alive() <= kids(gateway)


def _end_both(gateway: GatewayProcess, rotating: subprocess.Popen[bytes], *, seconds: float, number: int) -> None:
    """Kill the gateway and who rotates after so many seconds, the one or the other first."""
    time.sleep(seconds)
    first, second = (rotating, gateway.process) if number % 2 else (gateway.process, rotating)
    for process in (first, second):
        process.kill()
        process.wait()


def _signed_once_more(gateway: GatewayProcess, issuer: Issuer, upstream: Upstream) -> None:
    """Whatever was begun is brought to its end: some time after the last crash the newest key signs."""
    ends = time.monotonic() + LEAD_SECONDS + 5
    number = 0
    while kids(gateway) - upstream.seen.keys() and time.monotonic() < ends:
        number += 1
        assert gateway.get("/orders/1", token=issuer.token("k1", jti=f"again-{number}"))[0] == 200
        time.sleep(0.25)
