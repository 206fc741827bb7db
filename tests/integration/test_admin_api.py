"""The Admin API of a running gateway: a change is live in every worker, or it was refused and nothing changed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from .admin_gateway import ADMIN, JWTGATE, LOOKING_TOKEN, TOKEN, AdminGateway
from .loopback_server import LoopbackServer
from .rig import until
from .test_tls import Authority

SECRET = "a secret of the tests, and of the tests only"
CONSUMER_SECRET = "a secret of a consumer, and of no one else!"
ROUTE = {"path": "/orders/*", "auth": "none", "upstream": "echo"}
GUARDED = {"path": "/guarded/*", "auth": "required", "issuers": "main", "upstream": "echo"}
ANY = {"If-Match": "*"}
TRIES = 12
"""Connections enough that every worker of two is met."""


def document(upstream: str, more: str = "") -> str:
    return f"""
listen: 127.0.0.1:0
status_listen: 127.0.0.1:0
issuers:
  main:
    issuer: https://issuer.example
    audience: orders
    algorithms: [HS256]
    keys: {{secret: '{SECRET}'}}
upstreams:
  echo: {{targets: {upstream!r}}}
routes:
  file: {{path: /file, auth: none, upstream: echo}}
{more}{ADMIN}"""


@pytest.fixture
def upstream() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def gateway(tmp_path: Path, upstream: LoopbackServer) -> Iterator[AdminGateway]:
    with AdminGateway(tmp_path, document(upstream.url)) as running:
        yield running


def token(**claims: Any) -> str:
    usual = {"iss": "https://issuer.example", "aud": "orders", "sub": "ann", "exp": int(time.time()) + 600}
    return jwt.encode({**usual, **claims}, SECRET, "HS256")


def statuses(gateway: AdminGateway, path: str, token: str | None = None) -> set[int]:
    return {gateway.get(path, token=token)[0] for _ in range(TRIES)}


def test_a_change_is_live_in_every_worker_once_it_is_answered(gateway: AdminGateway) -> None:
    assert statuses(gateway, "/orders/1") == {404}
    assert gateway.ask("PUT", "routes/orders", ROUTE).status == 200
    assert statuses(gateway, "/orders/1") == {200}
    merge = {"Content-Type": "application/merge-patch+json"}
    assert gateway.ask("PATCH", "routes/orders", {"methods": ["POST"]}, fields=merge).status == 200
    assert 200 not in statuses(gateway, "/orders/1")
    assert gateway.ask("DELETE", "routes/orders").status == 204
    assert statuses(gateway, "/orders/1") == {404}


def test_changes_drop_no_request(gateway: AdminGateway) -> None:
    stop, found = threading.Event(), set()

    def ask() -> None:
        while not stop.is_set():
            found.add(gateway.get("/file")[0])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(8):
            route = {**ROUTE, "path": f"/orders{number}/*"}
            assert gateway.ask("PUT", "routes/orders", route).status == 200
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert found == {200}


def test_what_was_acknowledged_survives_the_sudden_end_of_everything(gateway: AdminGateway) -> None:
    assert gateway.ask("PUT", "routes/orders", ROUTE).status == 200
    version = gateway.ask("GET", "routes/orders").json["version"]
    gateway.process.send_signal(signal.SIGKILL)
    gateway.exit_status()
    gateway.restart()
    assert gateway.ask("GET", "routes/orders").json["version"] == version
    assert statuses(gateway, "/orders/1") == {200}


def test_what_the_file_names_is_changed_there_only(gateway: AdminGateway, upstream: LoopbackServer) -> None:
    for method, path in [("PUT", "routes/file"), ("DELETE", "routes/file"), ("PUT", "issuers/main")]:
        assert gateway.ask(
            method, path, ROUTE if path.startswith("routes") else {"issuer": "https://a.example"}
        ).status in (409, 422)
    assert gateway.ask("GET", "routes/file").json["origin"] == "document"
    assert statuses(gateway, "/file") == {200}
    gateway.ask("PUT", "routes/orders", ROUTE)
    assert gateway.ask("GET", "routes/orders").json["origin"] == "store"
    more = "  orders: {path: /orders/*, auth: required, issuers: main, upstream: echo}\n"
    assert gateway.reload(document(upstream.url, more))["event"] == "reloaded"
    assert statuses(gateway, "/orders/1") == {401}
    assert gateway.ask("GET", "routes/orders").json["origin"] == "document"


def test_every_mistake_is_named_with_its_place_and_nothing_changes(gateway: AdminGateway) -> None:
    before = gateway.ask("GET", "document").json
    answer = gateway.ask("PUT", "routes/bad", {"path": "nowhere", "auth": "requird", "upstream": "echo", "colour": 1})
    assert (answer.status, answer.fields["content-type"]) == (422, "application/problem+json")
    assert {each["place"] for each in answer.json["mistakes"]} >= {"/path", "/auth", "/colour"}
    unknown = gateway.ask("PUT", "routes/bad", {**ROUTE, "upstream": "ecco"})
    assert [each["place"] for each in unknown.json["mistakes"]] == ["/upstream"]
    bad = {"one": {**ROUTE, "realm": 5}, "two": {**ROUTE, "path": "/two", "upstream": "ecco"}}
    whole = {**before["value"], "routes": {**before["value"]["routes"], **bad}}
    answer = gateway.ask("PUT", "document", whole, fields=ANY)
    assert answer.status == 422, answer.body
    assert {each["place"] for each in answer.json["mistakes"]} == {"/routes/one/realm", "/routes/two/upstream"}
    assert gateway.ask("GET", "document").json == before
    assert gateway.ask("GET", "audit").json["items"] == []


@pytest.mark.parametrize(
    "path", ["upstreams/echo2", "issuers/other", "consumers/ann", "secret-stores/v", "signing-keys/k", "credentials/c"]
)
@pytest.mark.parametrize("value", [None, [], "text", 5, {"colour": 1}])
def test_sec_146_a_value_of_the_wrong_kind_is_refused_everywhere(
    gateway_once: AdminGateway, path: str, value: Any
) -> None:
    answer = gateway_once.ask("PUT", path, json.dumps(value).encode())
    assert answer.status == 422, answer.body
    assert answer.json["mistakes"]


@pytest.fixture(scope="module")
def gateway_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminGateway]:
    """One that no test changes."""
    with AdminGateway(tmp_path_factory.mktemp("gateway"), document("http://127.0.0.1:9"), workers=1) as running:
        yield running


def test_an_operator_who_may_only_look_looks(gateway_once: AdminGateway) -> None:
    assert gateway_once.ask("GET", "status", token=LOOKING_TOKEN).status == 200
    assert gateway_once.ask("PUT", "routes/a", ROUTE, token=LOOKING_TOKEN).status == 403


def test_the_status_tells_of_every_worker(gateway: AdminGateway) -> None:
    status = gateway.ask("GET", "status").json
    assert (status["ready"], status["workers"]) == (True, 2)


def test_two_operators_do_not_lose_each_others_work(gateway: AdminGateway) -> None:
    made = gateway.ask("PUT", "routes/orders", ROUTE, fields={"If-None-Match": "*"})
    read = {"If-Match": made.fields["etag"]}
    assert gateway.ask("PUT", "routes/orders", {**ROUTE, "path": "/a"}, fields=read).status == 200
    assert gateway.ask("PUT", "routes/orders", {**ROUTE, "path": "/b"}, fields=read).status == 412
    assert gateway.ask("DELETE", "routes/orders", fields=read).status == 412
    assert gateway.ask("PUT", "routes/orders", ROUTE, fields={"If-None-Match": "*"}).status == 412
    assert statuses(gateway, "/a") == {200}


def test_many_changes_at_once_all_come_true_or_are_refused(gateway: AdminGateway) -> None:
    found: list[int] = []

    def put(number: int) -> None:
        found.append(gateway.ask("PUT", f"routes/r{number}", {**ROUTE, "path": f"/r{number}"}).status)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 6
    assert {gateway.get(f"/r{number}")[0] for number in range(6)} == {200}


def test_a_whole_document_is_compared_applied_and_rolled_back(gateway: AdminGateway) -> None:
    held = gateway.ask("GET", "document")
    wanted = {**held.json["value"], "routes": {**held.json["value"]["routes"], "orders": ROUTE}}
    assert gateway.ask("POST", "document/check", wanted).status == 200
    patch = gateway.ask("POST", "document/diff", wanted).json["patch"]
    assert [(each["op"], each["path"]) for each in patch] == [("add", "/routes/orders")]
    assert statuses(gateway, "/orders/1") == {404}
    applied = gateway.ask("PUT", "document", wanted, fields={"If-Match": held.fields["etag"]})
    assert applied.status == 200, applied.body
    assert statuses(gateway, "/orders/1") == {200}
    without = gateway.ask("PUT", "document", held.json["value"], fields=ANY)
    assert statuses(gateway, "/orders/1") == {404}
    back = gateway.ask("POST", f"document/history/{applied.json['version']}/roll-back", fields=ANY)
    assert back.json["version"] > without.json["version"]
    assert statuses(gateway, "/orders/1") == {200}
    assert len(gateway.ask("GET", "document/history").json["items"]) == 3


def test_the_audit_log_says_who_changed_what_and_never_to_what(gateway: AdminGateway) -> None:
    gateway.ask("PUT", "routes/orders", {**ROUTE, "realm": "marked-value"})
    gateway.ask("DELETE", "routes/orders")
    told = gateway.ask("GET", "audit")
    assert [(each["who"], each["action"]) for each in told.json["items"]] == [("alice", "put"), ("alice", "delete")]
    assert all("orders" in each["name"] or "orders" in each["kind"] for each in told.json["items"])
    assert b"marked-value" not in told.body


CONSUMER = {"credentials": {"ann-key": {"alg": "HS256", "secret": CONSUMER_SECRET}}}


def test_sec_146_secrets_are_written_and_never_read(gateway: AdminGateway) -> None:
    assert gateway.ask("PUT", "consumers/ann", CONSUMER).status == 200
    bodies = [
        gateway.ask("GET", path).body
        for path in (
            "consumers/ann",
            "consumers",
            "credentials/ann-key",
            "credentials",
            "document",
            "issuers/main",
            "audit",
        )
    ]
    bodies.append(gateway.ask("GET", "document/history").body)
    bodies.append(gateway.ask("PUT", "consumers/bad", {**CONSUMER, "colour": CONSUMER_SECRET}).body)
    assert b"***" in bodies[0]
    for body in bodies:
        assert SECRET.encode() not in body
        assert CONSUMER_SECRET.encode() not in body
    for text in (SECRET, CONSUMER_SECRET, TOKEN, LOOKING_TOKEN):
        assert text not in gateway.written


def test_a_secret_that_reads_back_hidden_is_kept_when_it_is_written_back(gateway: AdminGateway) -> None:
    slot = {"consumer": {"claim": "key"}}  # a route whose tokens are verified with consumers' keys
    gateway.ask("PUT", "consumers/ann", CONSUMER)
    issuer = {"consumers": {"claim": "key"}, "audience": "any", "algorithms": ["HS256"]}
    del slot, issuer["algorithms"]
    assert gateway.ask("PUT", "issuers/consumers", issuer).status == 200
    assert gateway.ask("PUT", "routes/theirs", {**GUARDED, "issuers": "consumers"}).status == 200
    theirs = jwt.encode({"key": "ann-key", "exp": int(time.time()) + 600}, CONSUMER_SECRET, "HS256")
    assert statuses(gateway, "/guarded/1", theirs) == {200}
    shown = gateway.ask("GET", "consumers/ann")
    written = gateway.ask("PUT", "consumers/ann", {**shown.json["value"], "groups": ["a"]})
    assert written.status == 200, written.body
    assert statuses(gateway, "/guarded/1", theirs) == {200}
    assert gateway.ask("DELETE", "consumers/ann").status == 204
    until(lambda: statuses(gateway, "/guarded/1", theirs) == {401})


def test_a_revocation_holds_in_every_worker_within_a_second_and_after_a_restart(gateway: AdminGateway) -> None:
    gateway.ask("PUT", "routes/guarded", GUARDED)
    good, bad = token(jti="good"), token(jti="bad")
    assert statuses(gateway, "/guarded/1", bad) == {200}  # and remembered
    entry = gateway.ask("POST", "revocations", {"by": "jti", "value": "bad", "issuer": "main"})
    assert entry.status == 201, entry.body
    until(lambda: statuses(gateway, "/guarded/1", bad) == {401}, seconds=1)
    assert statuses(gateway, "/guarded/1", good) == {200}
    gateway.signal(signal.SIGTERM)
    gateway.exit_status()
    gateway.restart()
    assert statuses(gateway, "/guarded/1", bad) == {401}
    assert [each["id"] for each in gateway.ask("GET", "revocations").json["items"]] == [entry.json["id"]]
    assert gateway.ask("DELETE", f"revocations/{entry.json['id']}").status == 204
    until(lambda: statuses(gateway, "/guarded/1", bad) == {200}, seconds=1)


def test_a_revocation_of_an_issuer_nobody_knows_is_a_mistake(gateway_once: AdminGateway) -> None:
    asked = {"by": "jti", "value": "a", "issuer": "nobody"}
    assert gateway_once.ask("POST", "revocations", asked).status == 422


def test_a_store_that_is_held_stops_changes_and_nothing_else(gateway: AdminGateway) -> None:
    gateway.ask("PUT", "routes/orders", ROUTE)
    holder = sqlite3.connect(gateway.state / "jwtgate.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        answer = gateway.ask("PUT", "routes/more", {**ROUTE, "path": "/more"})
        assert (answer.status, answer.fields["retry-after"]) == (503, "5")
        assert statuses(gateway, "/orders/1") == {200}
        assert statuses(gateway, "/more") == {404}
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert gateway.ask("GET", "routes/more").status == 404
    assert gateway.ask("PUT", "routes/more", {**ROUTE, "path": "/more"}).status == 200
    assert statuses(gateway, "/more") == {200}


def test_operators_change_with_the_file(gateway: AdminGateway, upstream: LoopbackServer) -> None:
    text = document(upstream.url)
    without = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("bob:"))
    assert gateway.ask("GET", "status", token=LOOKING_TOKEN).status == 200
    gateway.reload(without)
    until(lambda: gateway.ask("GET", "status", token=LOOKING_TOKEN).status == 401)
    assert gateway.ask("GET", "status").status == 200


def test_a_document_without_it_closes_the_admin_api(gateway: AdminGateway, upstream: LoopbackServer) -> None:
    assert gateway.ask("GET", "status").status == 200
    gateway.reload(document(upstream.url).replace(ADMIN, "\n"))

    def gone() -> bool:
        try:
            gateway.ask("GET", "status")
        except OSError:
            return True
        return False

    until(gone)
    assert statuses(gateway, "/file") == {200}


def test_an_address_that_is_taken_is_told_at_the_start(tmp_path: Path, gateway: AdminGateway) -> None:
    text = document("http://127.0.0.1:9").replace(
        "listen: 127.0.0.1:0\n  operators", f"listen: 127.0.0.1:{gateway.admin_port}\n  operators"
    )
    (tmp_path / "second").mkdir()
    second = AdminGateway(tmp_path / "second", text, workers=1)
    second.start()
    assert second.exit_status() == 2
    assert "admin.listen" in second.events("not_started")[0]["problems"][0]


def test_a_rotation_is_planned_begun_and_noted(tmp_path: Path, upstream: LoopbackServer) -> None:
    signing = "signing: {issuer: https://gate.example}\n"
    with AdminGateway(tmp_path, signing + document(upstream.url), workers=1) as gateway:
        planned = gateway.ask("POST", "signing-keys/default/rotate?plan=true")
        assert planned.status == 200, planned.body
        assert gateway.ask("GET", "audit").json["items"] == []
        keys = len(json.loads(gateway.get("/.well-known/jwks.json")[1])["keys"])
        assert gateway.ask("POST", "signing-keys/default/rotate").status == 200
        until(lambda: len(json.loads(gateway.get("/.well-known/jwks.json")[1])["keys"]) == keys + 1)
        assert [each["action"] for each in gateway.ask("GET", "audit").json["items"]] == ["rotate"]
        assert [each["state"] for each in gateway.ask("GET", "signing-keys/default/keys").json["items"]] == [
            "active",
            "upcoming",
        ]
        assert gateway.ask("POST", "signing-keys/nothing/rotate").status == 404


def test_sec_146_operators_may_be_known_by_a_client_certificate(tmp_path: Path, upstream: LoopbackServer) -> None:
    authority, stranger = Authority.new(tmp_path, "authority"), Authority.new(tmp_path, "stranger")
    certificate, key = authority.issue("localhost", address="127.0.0.1")
    carol, mallory, forged = authority.issue("carol"), authority.issue("mallory"), stranger.issue("carol-forged")
    tls = f"  tls: {{certificate: {certificate}, private_key: {key}, client_ca: {authority.file}}}\n"
    admin = ADMIN + "    carol: {certificate: CN=carol}\n" + tls
    with AdminGateway(tmp_path, document(upstream.url).replace(ADMIN, admin), workers=1) as gateway:

        def status(files: tuple[str, str] | None, token: str = "") -> int | str:
            context = ssl.create_default_context(cafile=authority.file)
            if files is not None:
                context.load_cert_chain(*files)
            connection = http.client.HTTPSConnection("127.0.0.1", gateway.admin_port, context=context, timeout=10)
            try:
                connection.request("GET", "/v1/status", headers={"Authorization": f"Bearer {token}"} if token else {})
                return connection.getresponse().status
            except (ssl.SSLError, ConnectionError) as refused:
                return type(refused).__name__
            finally:
                connection.close()

        assert (status(carol), status(None), status(mallory)) == (200, 401, 401)
        assert (status(None, TOKEN), status(mallory, TOKEN)) == (200, 200)
        assert status(forged) not in (200, 401)
        environ = {**os.environ, "JWTGATE_ADMIN_URL": f"https://127.0.0.1:{gateway.admin_port}"}
        options = ["--ca-file", authority.file, "--certificate", carol[0], "--key", carol[1]]
        told = subprocess.run(
            [JWTGATE, "ctl", *options, "status"], capture_output=True, text=True, env=environ, timeout=30
        )
        assert told.returncode == 0, told.stderr
        only_carol = admin.replace("    alice:", "    #").replace("    bob:", "    #")
        gateway.reload(document(upstream.url).replace(ADMIN, only_carol))
        until(lambda: status(None, TOKEN) not in (200, 401))
        until(lambda: status(carol) == 200)  # over a listener of its own
        assert status(None, TOKEN) not in (200, 401)
