"""Changes through the Admin API are live in every worker and kept; a store that is away stops nothing else."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.integration.gateway_process import OPERATOR, GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.rig import KEY, token
from tests.integration.stored import (
    ROUTE,
    SECRET,
    administered,
    consumer,
    gone,
    kill_worker,
    locked,
    own_token,
    restart,
    statuses,
)

Away = Callable[[GatewayProcess], AbstractContextManager[None]]


@pytest.fixture
def upstream() -> Iterator[str]:
    with LoopbackServer() as server:
        yield server.url


@pytest.fixture
def gateway(tmp_path: Path, upstream: str) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path, administered(upstream)) as gateway:
        yield gateway


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


@pytest.mark.parametrize("away", [locked, gone])
def test_sec_76_a_sensitive_route_takes_no_token_that_nobody_can_revoke(
    tmp_path: Path, upstream: str, away: Away
) -> None:
    sensitive = {"path": "/money/*", "auth": "optional", "issuers": ["main"], "upstream": "echo", "sensitive": True}
    made = json.loads(administered(upstream))
    made["routes"]["money"] = sensitive
    bearer, revoked = token(), token(jti="t-1")
    with GatewayProcess(tmp_path, json.dumps(made)) as gateway:
        assert gateway.administer("POST", "revocations", {"by": "jti", "value": "t-1"})[0] == 201
        gateway.until(lambda: statuses(gateway, "/money/1", revoked) == {401})
        assert statuses(gateway, "/money/1", bearer) == {200}  # and is remembered
        with away(gateway):
            assert gateway.administer("POST", "revocations", {"by": "jti", "value": "t-2"})[0] == 503
            gateway.until(lambda: statuses(gateway, "/money/1", bearer) == {503})
            for _ in range(2):
                assert statuses(gateway, "/money/1", bearer) == {503}
                assert statuses(gateway, "/money/1", revoked) == {401}
                assert statuses(gateway, "/money/1") == {200}
                assert statuses(gateway, "/orders/1", bearer) == {200}
                for pid in gateway.workers():  # nor do others who come meanwhile
                    kill_worker(gateway, pid)
            assert gateway.readiness()["store_away"] is gateway.readiness()["degraded"] is True
            assert gateway.metric("jwtgate_store_away") == 1
            gateway.reload()
            assert statuses(gateway, "/money/1", bearer) == {503}
        gateway.until(lambda: statuses(gateway, "/money/1", bearer) == {200})
        assert statuses(gateway, "/money/1", revoked) == {401}
        assert gateway.metric("jwtgate_store_away") == 0
        assert [len(gateway.events(name)) for name in ("store_away", "store_back")] == [1, 1]
        assert {line["reason"] for line in gateway.log() if line["status"] == 503} == {"revocations_unknown"}


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
