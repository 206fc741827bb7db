"""Consumers that publish their keys at an address of their own: fetched, rotated, missing, and put while we run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

import pytest
from tests.integration.gateway_process import ADMIN, GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.rig import AUDIENCE, document, token

from jwtgate.cli.checking import open_document
from jwtgate.cli.explaining import explain
from jwtgate.cli.request_text import parse_http
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.outcome import Allowed, Outcome, Refused

CONNECTIONS = 12
"""So many that each of two workers surely gets some of them."""
FIRST, SECOND, STRANGER = (generate_key("ES256", kid=kid) for kid in ("k1", "k2", "k9"))


class Publisher:
    """Publishes a JWK Set while it is up; any path, and if `expects` is set, to who logs in so."""

    def __init__(self, *keys: Key, expects: str | None = None) -> None:
        self.keys = keys
        self.is_up = True
        self.asked = 0
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked += 1
                known = expects is None or self.headers["Authorization"] == expects
                self.send_response(200 if publisher.is_up and known else 503)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(KeySet(publisher.keys).to_jwks()).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(FIRST) as publisher:
        yield publisher


Start = Callable[..., GatewayProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a gateway of two workers with these consumers and files."""
    running: list[GatewayProcess] = []
    with LoopbackServer() as upstream:

        def started(consumers: dict[str, Any], **changes: Any) -> GatewayProcess:
            made = document(upstream.url, admin=ADMIN, status_listen="127.0.0.1:0", consumers=consumers, **changes)
            made["issuers"]["own"] = {"consumers": {"claim": "cred"}, "audience": AUDIENCE}
            seen = {"headers": {"X-Consumer": {"consumer": "name"}}, "upstream": "echo"}
            made["routes"]["own"] = {"path": "/own/*", "auth": "required", "issuers": ["own"], **seen}
            gateway = GatewayProcess(tmp_path, json.dumps(made))
            running.append(gateway)
            return gateway.__enter__()

        try:
            yield started
        finally:
            for gateway in running:
                gateway.__exit__(None, None, None)


def publishing(url: str, **keys: Any) -> dict[str, Any]:
    """The value of a consumer whose keys stand at this address."""
    return {"credentials": {"jack-key": {"alg": "ES256", "keys": {"url": url, **keys}}}}


def status(gateway: GatewayProcess, key: Key, *, cred: str = "jack-key") -> int:
    return gateway.get("/own/a", token=token(key=key, iss=None, cred=cred))[0]


def statuses(gateway: GatewayProcess, key: Key) -> set[int]:
    return {status(gateway, key) for _ in range(CONNECTIONS)}


def test_a_consumer_is_known_by_keys_that_are_fetched_once_for_all_workers(start: Start, publisher: Publisher) -> None:
    gateway = start({"jack": publishing(publisher.url)})
    assert publisher.asked == 0
    assert statuses(gateway, FIRST) == {200}
    assert publisher.asked == 1
    assert statuses(gateway, generate_key("ES256", kid="k1")) == {401}
    assert publisher.asked == 1


def test_keys_are_rotated_without_a_gap(start: Start, publisher: Publisher) -> None:
    gateway = start({"jack": publishing(publisher.url)})
    assert statuses(gateway, FIRST) == {200}
    publisher.keys = (FIRST, SECOND)
    assert statuses(gateway, SECOND) == statuses(gateway, FIRST) == {200}
    assert publisher.asked == 2


def test_sec_67_a_key_that_is_published_no_longer_ends_in_every_worker(start: Start, publisher: Publisher) -> None:
    gateway = start({"jack": publishing(publisher.url, refresh_seconds=1)})
    assert statuses(gateway, FIRST) == {200}
    publisher.keys = (SECOND,)
    gateway.until(lambda: statuses(gateway, FIRST) == {401})
    assert statuses(gateway, SECOND) == {200}


def test_sec_65_an_unknown_kid_is_refused_and_asked_for_once(start: Start, publisher: Publisher) -> None:
    gateway = start({"jack": publishing(publisher.url)})
    assert statuses(gateway, FIRST) == {200}
    assert statuses(gateway, STRANGER) == {401}
    assert publisher.asked == 2
    others = [generate_key("ES256", kid=f"x{number}") for number in range(4)]
    assert {status(gateway, key) for key in others} == {401}
    assert publisher.asked == 2


def test_sec_66_while_the_server_is_down_nobody_is_refused_and_nobody_let_in(
    start: Start, publisher: Publisher
) -> None:
    publisher.is_up = False
    gateway = start({"jack": publishing(publisher.url)})
    assert statuses(gateway, FIRST) == statuses(gateway, STRANGER) == {503}
    publisher.is_up = True
    gateway.until(lambda: status(gateway, FIRST) == 200)
    publisher.is_up = False
    assert statuses(gateway, FIRST) == {200}
    assert status(gateway, STRANGER) == 503


def test_what_was_fetched_outlives_a_reload(start: Start, publisher: Publisher) -> None:
    gateway = start({"jack": publishing(publisher.url)})
    assert statuses(gateway, FIRST) == {200}
    publisher.is_up = False
    made = json.loads(gateway.document.read_text())
    made["consumers"]["rose"] = {}
    assert gateway.reload(json.dumps(made))["event"] == "reloaded"
    assert statuses(gateway, FIRST) == {200}


def test_a_consumer_put_while_we_run_is_known_at_once_and_forgotten_at_once(start: Start) -> None:
    expects = "Basic amFjazpzZXNhbWU="
    with Publisher(FIRST) as first, Publisher(SECOND, expects=expects) as second:
        gateway = start({})
        assert statuses(gateway, FIRST) == {401}
        assert gateway.administer("PUT", "consumers/jack", publishing(first.url))[0] == 200
        assert statuses(gateway, FIRST) == {200}
        told, shown = gateway.administer(
            "PUT", "consumers/jack", publishing(second.url, username="jack", password="sesame")
        )
        assert told == 200
        assert "sesame" not in json.dumps(shown)
        assert statuses(gateway, FIRST) == {401}
        assert statuses(gateway, SECOND) == {200}
        assert gateway.administer("DELETE", "consumers/jack")[0] == 204
        assert statuses(gateway, SECOND) == {401}


def test_a_consumer_of_a_file_may_publish_its_keys_too(start: Start, publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "callers.jsonl").write_text(json.dumps({"name": "jack", **publishing(publisher.url)}) + "\n")
    gateway = start({}, consumer_files=["callers.jsonl"])
    assert statuses(gateway, FIRST) == {200}


def test_a_request_can_be_explained_with_keys_that_are_fetched(start: Start, publisher: Publisher) -> None:
    path = start({"jack": publishing(publisher.url)}).document

    def explained(key: Key) -> Outcome:
        bearer = token(key=key, iss=None, cred="jack-key")
        asked = parse_http(f"GET /own/a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {bearer}".encode())
        return explain(open_document(path), asked, client="127.0.0.1", now=int(time.time()), offline=False).outcome

    assert isinstance(explained(FIRST), Allowed)
    assert isinstance(explained(STRANGER), Refused)


def test_sec_60_plain_http_elsewhere_is_refused_over_the_admin_api(start: Start) -> None:
    gateway = start({})
    told, why = gateway.administer("PUT", "consumers/jack", publishing("http://keys.example/jwks"))
    assert told == 422
    assert "insecure_http" in json.dumps(why)
