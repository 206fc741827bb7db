"""What tests of stored changes begin with: a document with consumers of its own, and a store that is away."""

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from tests.integration.gateway_process import ADMIN, GatewayProcess
from tests.integration.rig import AUDIENCE, LATER, document, token

from jwtgate.jose.key import Key

CONNECTIONS = 24
"""So many that each of two workers surely gets some of them."""
SECRET = "a secret of a consumer of the tests, all their own"
ROUTE = {"path": "/added/*", "auth": "none", "upstream": "echo"}


def administered(upstream: str, **changes: Any) -> str:
    """A document with an Admin API, and with the route `/own/*` for consumers."""
    made = document(upstream, admin=ADMIN, status_listen="127.0.0.1:0", **changes)
    made["issuers"]["own"] = {"consumers": {"claim": "cred"}, "audience": AUDIENCE}
    made["routes"]["own"] = {"path": "/own/*", "auth": "required", "issuers": ["own"], "upstream": "echo"}
    return json.dumps(made)


def statuses(gateway: GatewayProcess, path: str, bearer: str | None = None) -> set[int]:
    """What the workers answer, over many connections of their own."""
    return {gateway.get(path, token=bearer)[0] for _ in range(CONNECTIONS)}


def own_token(credential: str) -> str:
    return token(key=Key.secret(SECRET.encode(), alg="HS256"), alg="HS256", iss=None, cred=credential, exp=LATER)


def consumer(credential: str) -> dict[str, Any]:
    return {"credentials": {credential: {"alg": "HS256", "secret": SECRET}}}


def restart(gateway: GatewayProcess) -> None:
    """Kill it, and have it serve again."""
    os.kill(gateway.process.pid, signal.SIGKILL)
    gateway.process.wait()
    gateway.start()
    gateway.until(lambda: gateway.events("serving"))


@contextmanager
def locked(gateway: GatewayProcess) -> Iterator[None]:
    """Another process holds the store's file."""
    with closing(sqlite3.connect(gateway.state / "jwtgate.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def gone(gateway: GatewayProcess) -> Iterator[None]:
    """The store's file cannot be reached: it is no database any more."""
    held = gateway.state / "held"
    held.mkdir()
    files = list(gateway.state.glob("jwtgate.sqlite*"))
    for path in files:
        shutil.copy2(path, held)
        path.write_bytes(b"no database " * 4096)
    yield
    for path in files:
        shutil.copy2(held / path.name, path)


def kill_worker(gateway: GatewayProcess, pid: int) -> None:
    before = gateway.metric("jwtgate_worker_restarts_total")
    os.kill(pid, signal.SIGKILL)
    gateway.until(lambda: replaced(gateway, before))


def replaced(gateway: GatewayProcess, before: float) -> bool:
    return gateway.metric("jwtgate_worker_restarts_total") > before and gateway.readiness()["workers"] == 2
