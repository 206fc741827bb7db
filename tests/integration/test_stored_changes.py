"""Changes through the Admin API are live in every worker and kept; a store that is away stops nothing else."""

import json
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.gateway_process import ADMIN, OPERATOR, GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.rig import AUDIENCE, KEY, document, token

from jwtgate.jose.key import Key

CONNECTIONS = 24
"""So many that each of two workers surely gets some of them."""
SECRET = "a secret of a consumer of the tests, all their own"
Away = Callable[[GatewayProcess], AbstractContextManager[None]]
ROUTE = {"path": "/added/*", "auth": "none", "upstream": "echo"}


@pytest.fixture
def upstream() -> Iterator[str]:
    with LoopbackServer() as server:
        yield server.url


@pytest.fixture
def gateway(tmp_path: Path, upstream: str) -> Iterator[GatewayProcess]:
    made = document(upstream, admin=ADMIN, status_listen="127.0.0.1:0")
    made["issuers"]["own"] = {"consumers": {"claim": "cred"}, "audience": AUDIENCE}
    made["routes"]["own"] = {"path": "/own/*", "auth": "required", "issuers": ["own"], "upstream": "echo"}
    with GatewayProcess(tmp_path, json.dumps(made)) as gateway:
        yield gateway


def statuses(gateway: GatewayProcess, path: str, bearer: str | None = None) -> set[int]:
    """What the workers answer, over many connections of their own."""
    return {gateway.get(path, token=bearer)[0] for _ in range(CONNECTIONS)}


def own_token(credential: str) -> str:
    return token(key=Key.secret(SECRET.encode(), alg="HS256"), alg="HS256", iss=None, cred=credential)


def consumer(credential: str) -> dict[str, Any]:
    return {"credentials": {credential: {"alg": "HS256", "secret": SECRET}}}


def test_a_route_is_live_in_every_worker_when_its_put_is_answered(gateway: GatewayProcess) -> None:
    workers = gateway.workers()
    assert statuses(gateway, "/added/a") == {404}
    status, made = gateway.administer("PUT", "routes/added", ROUTE, If_None_Match="*")
    assert (status, made["origin"]) == (200, "store")
    assert statuses(gateway, "/added/a") == {200}
    assert gateway.administer("DELETE", "routes/added")[0] == 204
    assert statuses(gateway, "/added/a") == {404}
    assert gateway.workers() == workers


def test_a_consumer_is_live_in_every_worker_without_a_new_generation(gateway: GatewayProcess) -> None:
    generation, bearer = gateway.readiness()["generation"], own_token("key-1")
    assert statuses(gateway, "/own/a", bearer) == {401}
    assert gateway.administer("PUT", "consumers/ann", consumer("key-1"))[0] == 200
    gateway.until(lambda: statuses(gateway, "/own/a", bearer) == {200})
    assert gateway.administer("DELETE", "consumers/ann")[0] == 204
    gateway.until(lambda: statuses(gateway, "/own/a", bearer) == {401})
    assert gateway.readiness()["generation"] == generation


def test_rel_2_changes_under_load_drop_no_request(gateway: GatewayProcess) -> None:
    bad: list[int] = []
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            status, _ = gateway.get("/orders/1", token=token())
            if status != 200:
                bad.append(status)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(5):
            assert gateway.administer("PUT", f"routes/r-{number}", {**ROUTE, "path": f"/r-{number}"})[0] == 200
            assert gateway.administer("PUT", f"consumers/c-{number}", consumer(f"key-{number}"))[0] == 200
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert bad == []


def test_rel_7_what_was_acknowledged_is_served_after_the_supervisor_was_killed(gateway: GatewayProcess) -> None:
    assert gateway.administer("PUT", "routes/added", ROUTE)[0] == 200
    assert gateway.administer("PUT", "consumers/ann", consumer("key-1"))[0] == 200
    restart(gateway)
    assert statuses(gateway, "/added/a") == {200}
    assert statuses(gateway, "/own/a", own_token("key-1")) == {200}
    status, made = gateway.administer("GET", "routes/added")
    assert (status, made["value"]) == (200, ROUTE)


def restart(gateway: GatewayProcess) -> None:
    os.kill(gateway.process.pid, signal.SIGKILL)
    gateway.process.wait()
    gateway.start()
    gateway.until(lambda: gateway.events("serving"))


def test_a_file_that_names_what_the_store_has_too_is_right_and_says_so(gateway: GatewayProcess) -> None:
    assert gateway.administer("PUT", "routes/added", ROUTE)[0] == 200
    made = json.loads(gateway.document.read_text())
    made["routes"]["added"] = {**ROUTE, "path": "/elsewhere"}
    assert gateway.reload(json.dumps(made))["event"] == "reloaded"
    assert statuses(gateway, "/elsewhere") == {200}
    assert statuses(gateway, "/added/a") == {404}
    assert [event for event in gateway.events("caution") if "routes.added" in event["sentence"]]
    assert gateway.administer("PUT", "routes/added", ROUTE)[0] == 409


def test_what_is_dangerous_is_told_when_it_is_new_and_not_with_every_change(gateway: GatewayProcess) -> None:
    route = {**ROUTE, "path": "/own2/*", "auth": "required", "issuers": ["own"], "forward_token": True}
    assert gateway.administer("PUT", "routes/told", route)[0] == 200
    told = [event["sentence"] for event in gateway.events("caution")]
    assert [sentence for sentence in told if "routes.told.forward_token" in sentence]
    assert gateway.administer("PUT", "routes/added", ROUTE)[0] == 200
    assert [event["sentence"] for event in gateway.events("caution")] == told


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


@pytest.mark.parametrize("away", [locked, gone])
def test_sec_76_what_was_revoked_stays_so_while_the_store_is_away(gateway: GatewayProcess, away: Away) -> None:
    revoked, other = token(jti="t-1"), token(jti="t-2")
    assert gateway.administer("POST", "revocations", {"by": "jti", "value": "t-1"})[0] == 201
    gateway.until(lambda: statuses(gateway, "/orders/1", revoked) == {401})
    with away(gateway):
        for pid in gateway.workers():
            kill_worker(gateway, pid)
        assert statuses(gateway, "/orders/1", revoked) == {401}
        assert statuses(gateway, "/orders/1", other) == {200}
        # What could not be kept is not promised.
        assert gateway.administer("POST", "revocations", {"by": "jti", "value": "t-2"})[0] == 503
        assert statuses(gateway, "/orders/1", other) == {200}


def test_rel_66_a_store_that_is_locked_stops_changes_and_nothing_else(gateway: GatewayProcess) -> None:
    bearer = own_token("key-1")
    assert gateway.administer("PUT", "consumers/ann", consumer("key-1"))[0] == 200
    gateway.until(lambda: statuses(gateway, "/own/a", bearer) == {200})
    with locked(gateway):
        assert statuses(gateway, "/orders/1", token()) == {200}
        for pid in gateway.workers():
            kill_worker(gateway, pid)
        # Workers that remember nobody ask for consumers and keys anew.
        assert statuses(gateway, "/own/a", bearer) == {200}
        assert statuses(gateway, "/own/a", own_token("key-2")) == {401}
        assert statuses(gateway, "/orders/1", token()) == {200}
        for path, value in (("consumers/bob", consumer("key-2")), ("routes/added", ROUTE)):
            assert gateway.administer("PUT", path, value)[0] == 503
        assert gateway.administer("POST", "revocations", {"by": "jti", "value": "t-1"})[0] == 503
        assert statuses(gateway, "/added/a") == {404}
    assert gateway.administer("PUT", "consumers/bob", consumer("key-2"))[0] == 200
    assert gateway.administer("PUT", "routes/added", ROUTE)[0] == 200
    assert statuses(gateway, "/added/a") == {200}
    restart(gateway)
    names = [each["name"] for each in gateway.administer("GET", "consumers")[1]["items"]]
    assert names == ["ann", "bob"]


def kill_worker(gateway: GatewayProcess, pid: int) -> None:
    before = gateway.metric("jwtgate_worker_restarts_total")
    os.kill(pid, signal.SIGKILL)
    gateway.until(lambda: replaced(gateway, before))


def replaced(gateway: GatewayProcess, before: float) -> bool:
    return gateway.metric("jwtgate_worker_restarts_total") > before and gateway.readiness()["workers"] == 2


def test_rel_6_a_store_that_is_gone_stops_nobody_s_request(gateway: GatewayProcess) -> None:
    bearer = own_token("key-1")
    assert gateway.administer("PUT", "consumers/ann", consumer("key-1"))[0] == 200
    gateway.until(lambda: statuses(gateway, "/own/a", bearer) == {200})
    with gone(gateway):
        for _ in range(3):
            assert statuses(gateway, "/own/a", bearer) == {200}
            assert statuses(gateway, "/orders/1", token()) == {200}
            time.sleep(0.5)


def test_sec_146_no_secret_is_shown_or_logged(gateway: GatewayProcess) -> None:
    assert gateway.administer("PUT", "consumers/ann", consumer("key-1"))[0] == 200
    bad = {"credentials": {"key-1": {"alg": "HS256", "secret": SECRET[:5]}, "key-2": {"alg": "HS999"}}}
    answers = [
        gateway.administer("GET", "consumers/ann")[1],
        gateway.administer("GET", "credentials")[1],
        gateway.administer("GET", "document")[1],
        gateway.administer("GET", "document/history")[1],
        gateway.administer("PUT", "consumers/bob", bad)[1],
        gateway.administer("GET", "audit")[1],
    ]
    written = json.dumps(answers) + gateway.journal()
    for hidden in (SECRET, OPERATOR, str(KEY.to_private_jwk()["d"])):
        assert hidden not in written
