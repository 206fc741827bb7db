"""A supervisor and its workers, as processes: what they promise when things are changed, broken and stopped."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from joserfc.jwk import ECKey

from .gateway_process import GatewayProcess
from .loopback_server import LoopbackServer
from .supervised import SECRET, claims, document, http_fields, mark, stop, token, unfinished_request


@pytest.fixture(scope="module")
def upstream() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory, upstream: LoopbackServer) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("gateway")
    with GatewayProcess(folder, document(upstream.url), environ={"TEST_SECRET": SECRET}) as running:
        yield running


@pytest.fixture
def shared(one_for_all: GatewayProcess, upstream: LoopbackServer) -> GatewayProcess:
    """A gateway that many tests share; each begins with its first document."""
    assert one_for_all.reload(document(upstream.url))["event"] == "reloaded"
    return one_for_all


@pytest.fixture
def gateway(tmp_path: Path, upstream: LoopbackServer) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path, document(upstream.url), environ={"TEST_SECRET": SECRET}) as running:
        yield running


def test_rel_1_a_dead_worker_is_replaced_and_that_shows(shared: GatewayProcess) -> None:
    before, restarts = shared.workers(), shared.readiness()["worker_restarts"]
    os.kill(before[0], signal.SIGKILL)
    shared.until(lambda: shared.readiness()["worker_restarts"] == restarts + 1)
    shared.until(lambda: shared.readiness()["workers"] == 2)
    assert before[0] not in shared.workers()
    assert before[1] in shared.workers()
    assert shared.metric("jwtgate_worker_restarts_total") == restarts + 1
    death = shared.events("worker_died")[-1]
    assert (death["worker"], death["status"]) == (before[0], -signal.SIGKILL)


def test_rel_2_a_reload_drops_no_request_and_keeps_connections(
    shared: GatewayProcess, upstream: LoopbackServer
) -> None:
    idle = shared.connect()
    idle.request("GET", "/", headers={"Authorization": f"Bearer {token()}"})
    idle.getresponse().read()
    kept = idle.sock
    assert shared.reload(document(upstream.url, mark="second"))["event"] == "reloaded"
    idle.request("GET", "/", headers={"Authorization": f"Bearer {token()}"})
    assert http_fields(idle.getresponse().read())["x-mark"] == "second"
    assert idle.sock is kept
    idle.close()


def test_rel_2_a_request_keeps_its_generation(shared: GatewayProcess, upstream: LoopbackServer) -> None:
    answers: list[bytes] = []
    slow = threading.Thread(target=lambda: answers.append(shared.get("/held", token=token())[1]))
    slow.start()
    upstream.wait_until_held()
    shared.reload(document(upstream.url, mark="second"))
    assert mark(shared) == "second"
    upstream.let_go()
    slow.join()
    assert http_fields(answers[0])["x-mark"] == "first"


def test_rel_3_all_workers_serve_the_new_generation_once_the_reload_is_told(
    shared: GatewayProcess, upstream: LoopbackServer
) -> None:
    told = shared.reload(document(upstream.url, mark="second"))
    assert {mark(shared) for _ in range(30)} == {"second"}
    assert shared.readiness()["generation"] == told["generation"]
    assert shared.metric("jwtgate_generation") == told["generation"]


def test_rel_3_a_changed_file_is_served_without_a_signal(shared: GatewayProcess, upstream: LoopbackServer) -> None:
    shared.document.write_text(document(upstream.url, mark="second"))
    reloads = len(shared.events("reloaded"))
    shared.until(lambda: len(shared.events("reloaded")) > reloads)
    assert shared.events("reloaded")[-1]["cause"] == "file"
    assert mark(shared) == "second"


def test_rel_3_a_changed_file_the_document_refers_to_is_served_without_a_signal(
    tmp_path: Path, upstream: LoopbackServer
) -> None:
    secret, other = tmp_path / "secret", f"not {SECRET}"
    secret.write_text(SECRET)
    with GatewayProcess(tmp_path, document(upstream.url, keys="{secret: '${file:secret}'}")) as gateway:
        assert gateway.get("/", token=token())[0] == 200
        secret.write_text("short")
        gateway.until(lambda: gateway.events("reload_refused"))
        assert gateway.get("/", token=token())[0] == 200
        secret.write_text(other)
        gateway.until(lambda: gateway.events("reloaded"))
        assert [event["cause"] for event in gateway.events("reload_refused", "reloaded")] == ["referred_file"] * 2
        assert gateway.get("/", token=token())[0] == 401
        assert gateway.get("/", token=jwt.encode(claims(), other, "HS256"))[0] == 200


def test_rel_4_not_ready_comes_before_a_successful_end(tmp_path: Path, upstream: LoopbackServer) -> None:
    limits = "{not_ready_lead_seconds: 1}"
    environ = {"TEST_SECRET": SECRET}
    with GatewayProcess(tmp_path, document(upstream.url, limits=limits), environ=environ) as gateway:
        assert gateway.get("/readyz", listener=-1)[0] == 200
        gateway.signal(signal.SIGTERM)
        gateway.until(lambda: gateway.get("/readyz", listener=-1)[0] == 503)
        assert gateway.get("/livez", listener=-1)[0] == 200
        assert gateway.get("/", token=token())[0] == 200
        assert gateway.exit_status() == 0


def test_rel_4_a_second_signal_stops_at_once(tmp_path: Path, upstream: LoopbackServer) -> None:
    limits = "{drain_seconds: 3600}"
    environ = {"TEST_SECRET": SECRET}
    with GatewayProcess(tmp_path, document(upstream.url, limits=limits), environ=environ) as gateway:
        with unfinished_request(gateway):
            gateway.signal(signal.SIGINT)
            gateway.until(lambda: gateway.events("stopping"))
            gateway.signal(signal.SIGINT)
            assert gateway.exit_status() == 0
        assert gateway.events("stopped")[0]["at_once"] is True


def test_rel_5_a_start_with_a_broken_document_uses_the_last_one_that_worked(
    gateway: GatewayProcess, upstream: LoopbackServer
) -> None:
    stop(gateway)
    gateway.document.write_text("listen: [")
    gateway.start()
    gateway.until(lambda: gateway.events("serving"))
    assert gateway.events("last_good_copy_used")
    assert gateway.events("document_refused")[0]["problems"]
    assert mark(gateway) == "first"
    assert gateway.readiness()["degraded"] is True
    gateway.reload(document(upstream.url, mark="mended"))
    assert mark(gateway) == "mended"
    assert gateway.readiness()["degraded"] is False


def test_rel_5_who_does_not_want_the_last_good_copy_gets_an_error(gateway: GatewayProcess) -> None:
    stop(gateway)
    gateway.document.write_text("listen: [")
    gateway.start(last_good=False)
    assert gateway.exit_status() == 2
    assert gateway.events("not_started")[0]["problems"]


def test_rel_7_a_start_without_any_document_serves_the_copy(gateway: GatewayProcess) -> None:
    stop(gateway)
    gateway.document.unlink()
    gateway.start()
    gateway.until(lambda: gateway.events("serving"))
    assert mark(gateway) == "first"


def test_rel_7_the_copy_holds_references_and_no_secrets(shared: GatewayProcess) -> None:
    held = b"".join(path.read_bytes() for path in shared.state.rglob("*") if path.is_file())
    assert b"${env:TEST_SECRET}" in held
    assert SECRET.encode() not in held


def test_rel_31_a_key_one_worker_asked_for_serves_all_there_are_and_will_be(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        old, new = (ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256"}) for kid in ("old", "new"))
        server.jwks = {"keys": [old.as_dict(private=False)]}
        text = document(server.url, keys=f"{{url: '{server.url}/jwks'}}", alg="ES256")
        with GatewayProcess(tmp_path, text) as gateway:
            assert server.jwks_requests == 1
            server.jwks = {"keys": [new.as_dict(private=False)]}
            signed = jwt.encode(claims(), new.as_pem(private=True), "ES256", headers={"kid": "new"})
            assert {gateway.get("/", token=signed)[0] for _ in range(20)} == {200}
            gone = jwt.encode(claims(), old.as_pem(private=True), "ES256", headers={"kid": "old"})
            assert {gateway.get("/", token=gone)[0] for _ in range(20)} == {401}
            assert server.jwks_requests == 2
            for pid in gateway.workers():
                os.kill(pid, signal.SIGKILL)
            gateway.until(lambda: len(gateway.events("worker_died")) == 2)
            assert {gateway.get("/", token=signed)[0] for _ in range(20)} == {200}
            assert gateway.metric("jwtgate_key_set_fetches_total") == server.jwks_requests == 2


def test_rel_32_an_issuer_that_is_down_is_a_fault_of_ours_until_it_is_back(tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256", {"kid": "k", "alg": "ES256"})
    signed = jwt.encode(claims(), key.as_pem(private=True), "ES256", headers={"kid": "k"})
    with LoopbackServer() as server:
        text = document(server.url, keys=f"{{url: '{server.url}/jwks'}}", alg="ES256")
        with GatewayProcess(tmp_path, text) as gateway:
            assert gateway.get("/", token=signed)[0] == 503
            readiness = gateway.readiness()
            assert (readiness["ready"], readiness["degraded"]) == (True, True)
            server.jwks = {"keys": [key.as_dict(private=False)]}
            gateway.until(lambda: gateway.get("/", token=signed)[0] == 200)
            assert gateway.readiness()["degraded"] is False


def test_rel_38_the_state_of_the_node_is_told_by_whichever_worker_is_asked(shared: GatewayProcess) -> None:
    before = allowed(shared)
    for _ in range(5):
        assert shared.get("/", token=token())[0] == 200
    assert {shared.metric("jwtgate_workers") for _ in range(10)} == {2}
    assert allowed(shared) == before + 5
    readiness = shared.readiness()
    assert (readiness["ready"], readiness["degraded"], readiness["workers"]) == (True, False, 2)
    assert [issuer["issuer"] for issuer in readiness["issuers"]] == ["main"]


def allowed(gateway: GatewayProcess) -> float:
    """How many requests were forwarded, after /metrics."""
    lines = gateway.get("/metrics", listener=-1)[1].decode().splitlines()
    sample = 'jwtgate_requests_total{reason="",route="all",status="200"} '
    return sum(float(line.removeprefix(sample)) for line in lines if line.startswith(sample))


def test_a_second_supervisor_on_the_same_folder_is_refused(gateway: GatewayProcess, tmp_path: Path) -> None:
    other = GatewayProcess(tmp_path, gateway.document.read_text(), environ={"TEST_SECRET": SECRET})
    other.start()
    assert other.exit_status() == 2
    assert "another jwtgate" in other.events("not_started")[0]["problems"][0]
    assert mark(gateway) == "first"


def test_rel_53_a_start_on_a_port_of_somebody_else_is_refused_without_waiting(
    tmp_path: Path, upstream: LoopbackServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = document(upstream.url, listen=f"127.0.0.1:{taken.getsockname()[1]}")
        gateway = GatewayProcess(tmp_path, text, environ={"TEST_SECRET": SECRET})
        gateway.start()
        assert gateway.exit_status() == 2
    (told,) = gateway.events("not_started")
    assert told["problems"] == [f"listener 127.0.0.1:{taken_port(text)}: Address already in use"]
    assert (gateway.state / "lock").read_bytes() == b""


def taken_port(text: str) -> str:
    return text.partition("127.0.0.1:")[2].partition("'")[0]


def test_a_reload_with_other_listeners_serves_on_them_and_lets_requests_finish(
    shared: GatewayProcess, upstream: LoopbackServer
) -> None:
    before, old_port = shared.workers(), shared.ports[0]
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(shared.get("/held", token=token())[0]))
    slow.start()
    upstream.wait_until_held()
    told = shared.reload(document(upstream.url, mark="second", listen="127.0.0.2:0"))
    assert told["event"] == "reloaded"
    with socket.create_connection(("127.0.0.2", shared.ports[0])):
        pass
    upstream.let_go()
    slow.join()
    assert answers == [200]
    shared.until(lambda: not set(before) & set(shared.workers()))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", old_port))
    assert shared.readiness()["workers"] == 2


def test_perf_12_a_worker_is_small_and_opens_no_documents_or_databases(
    shared: GatewayProcess,
) -> None:
    shared.until(lambda: len(shared.workers()) == 2)  # those of the test before may still be leaving
    assert shared.get("/", token=token())[0] == 200
    for pid in shared.workers():
        status = Path(f"/proc/{pid}/status").read_text()
        (resident,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        assert resident <= 60 * 1024
        mapped = Path(f"/proc/{pid}/maps").read_text()
        assert not [name for name in ("pydantic_core", "_yaml", "sqlite3", "aiohttp") if name in mapped]
