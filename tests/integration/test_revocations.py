"""What is revoked is refused by every worker, remembered or not, until it is withdrawn; a restart changes nothing."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.gateway_process import ADMIN, GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.rig import document, token

from jwtgate.policy.revocations import token_hash

CONNECTIONS = 24
"""So many that each of two workers surely gets some of them."""


@pytest.fixture
def gateway(tmp_path: Path, upstream: str) -> Iterator[GatewayProcess]:
    made = document(upstream, admin=ADMIN, status_listen="127.0.0.1:0")
    made["consumers"] = {"ann": {"external_id": "alice"}}
    made["routes"]["orders"]["consumer"] = {"claim": "sub", "required": False}
    with GatewayProcess(tmp_path, json.dumps(made)) as gateway:
        yield gateway


@pytest.fixture
def upstream() -> Iterator[str]:
    with LoopbackServer() as server:
        yield server.url


def statuses(gateway: GatewayProcess, bearer: str) -> set[int]:
    """What the workers answer, over many connections of their own."""
    return {gateway.get("/orders/1", token=bearer)[0] for _ in range(CONNECTIONS)}


def remembered(gateway: GatewayProcess, bearer: str) -> None:
    """Have every worker remember this token's outcome."""
    before = gateway.metric("jwtgate_remembered_hits_total")
    assert statuses(gateway, bearer) == {200}
    assert gateway.metric("jwtgate_remembered_hits_total") > before


def revoke(gateway: GatewayProcess, **entry: Any) -> str:
    status, made = gateway.administer("POST", "revocations", entry)
    assert status == 201
    return str(made["id"])


@pytest.mark.parametrize("by", ["jti", "token", "subject", "client", "session", "consumer", "everything"])
def test_sec_75_a_remembered_token_is_refused_by_every_worker_once_it_is_revoked(
    gateway: GatewayProcess, by: str
) -> None:
    bearer, other = token(jti="t-1", client_id="app", sid="s-1"), token(sub="bob", jti="t-2")
    value = {"jti": "t-1", "token": token_hash(bearer), "subject": "alice", "client": "app"}
    value |= {"session": "s-1", "consumer": "ann"}
    for each in (bearer, other):
        remembered(gateway, each)
    entry = {"issued_before": 2_000_000_000} if by == "everything" else {"value": value[by]}
    id_ = revoke(gateway, by=by, issuer="main", **entry)
    gateway.until(lambda: statuses(gateway, bearer) == {401})
    assert statuses(gateway, other) == ({401} if by == "everything" else {200})
    assert gateway.administer("DELETE", f"revocations/{id_}")[0] == 204
    gateway.until(lambda: statuses(gateway, bearer) == {200})


def test_sec_75_what_is_revoked_stays_so_over_reloads_dead_workers_and_restarts(gateway: GatewayProcess) -> None:
    bearer = token(jti="t-1")
    revoke(gateway, by="jti", value="t-1")
    gateway.until(lambda: statuses(gateway, bearer) == {401})
    gateway.reload()
    assert statuses(gateway, bearer) == {401}
    for pid in gateway.workers():
        before = gateway.metric("jwtgate_worker_restarts_total")
        os.kill(pid, signal.SIGKILL)
        gateway.until(lambda before=before: gateway.metric("jwtgate_worker_restarts_total") > before)
    gateway.until(lambda: gateway.readiness()["workers"] == 2)
    assert statuses(gateway, bearer) == {401}
    gateway.process.kill()
    gateway.process.wait()
    gateway.start()
    gateway.until(lambda: gateway.events("serving"))
    assert statuses(gateway, bearer) == {401}
    assert statuses(gateway, token(jti="t-2")) == {200}


def test_a_revocation_with_mistakes_revokes_nothing(gateway: GatewayProcess) -> None:
    for entry in ({"by": "jti"}, {"by": "nothing", "value": "x"}, {"by": "jti", "value": "x", "issuer": "nobody"}):
        status, problem = gateway.administer("POST", "revocations", entry)
        assert status in (400, 422)
        assert problem["mistakes"]
    assert gateway.administer("GET", "revocations")[1]["items"] == []


def test_who_revoked_what_is_written_down(gateway: GatewayProcess) -> None:
    id_ = revoke(gateway, by="jti", value="t-1")
    (entry,) = gateway.administer("GET", "audit")[1]["items"]
    assert (entry["who"], entry["action"], entry["kind"], entry["name"]) == ("alice", "put", "revocation", id_)
