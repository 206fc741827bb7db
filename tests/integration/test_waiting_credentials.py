"""Credentials whose names and secrets are kept in a Vault: made before the Vault has them, and found once it has."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.integration.gateway_process import ADMIN, GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.rig import AUDIENCE, document, token
from tests.integration.vault_server import ROOT_TOKEN, VaultModel, VaultServer

from jwtgate.jose.key import Key

SECRET = "a secret of a consumer of the tests, all their own"
CONNECTIONS = 12
"""So many that each of two workers surely gets some of them."""
WAITING = {"alg": "HS256", "may_wait_for_its_secrets": True}


@pytest.fixture
def upstream() -> Iterator[str]:
    with LoopbackServer() as server:
        yield server.url


@pytest.fixture
def vault() -> Iterator[VaultServer]:
    with VaultServer(VaultModel()) as server:
        yield server


def whole(upstream: str, address: str, **store: Any) -> dict[str, Any]:
    """A gateway that knows a Vault, verifies tokens of consumers and makes them."""
    made = document(upstream, admin=ADMIN, status_listen="127.0.0.1:0")
    kv = {"address": address, "mount": "kv/apisix", "version": 1, "auth": {"token": ROOT_TOKEN}}
    made["secret_stores"] = {"kv": {"vault": kv, **store}}
    made["issuers"]["own"] = {"consumers": {"claim": "cred"}, "audience": AUDIENCE}
    made["issuers"]["api"] = {"consumers": {"api_key": True}, "audience": "any"}
    seen = {"upstream": "echo", "headers": {"X-Consumer": {"consumer": "name"}, "X-Named": {"consumer": "credential"}}}
    keyed = {"from": [{"header": "x-api-key"}], "issuers": ["api"]}
    made["routes"]["own"] = {"path": "/own/*", "auth": "required", "issuers": ["own"], **seen}
    made["routes"]["api"] = {"path": "/api/*", "auth": "required", **keyed, **seen}
    mint = {"credentials": "any", "claims": "any", "by_query": {"credential": "key", "claims": "payload"}}
    made["routes"]["sign"] = {
        "path": "/sign",
        "auth": "none",
        "mint": {**mint, "unauthenticated_minting_allowed": True},
    }
    return made


@pytest.fixture
def gateway(tmp_path: Path, upstream: str, vault: VaultServer) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path, json.dumps(whole(upstream, vault.url))) as gateway:
        yield gateway


def put(gateway: GatewayProcess, name: str, **credentials: Any) -> None:
    status, told = gateway.administer("PUT", f"consumers/{name}", {"credentials": credentials})
    assert status == 200, told


def own(gateway: GatewayProcess, key: str) -> int:
    signed = token(key=Key.secret(SECRET.encode(), alg="HS256"), alg="HS256", iss=None, cred=key)
    return gateway.get("/own/a", token=signed)[0]


def sign(gateway: GatewayProcess, key: str) -> tuple[int, bytes]:
    return gateway.get(f"/sign?{urlencode({'key': key})}")


def claims_of(text: bytes) -> dict[str, Any]:
    part = text.split(b".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return found


def test_a_name_that_comes_after_its_consumer_is_found_at_once(gateway: GatewayProcess, vault: VaultServer) -> None:
    put(gateway, "jack", main={**WAITING, "named": "${kv:jack#jwt-key}", "secret": SECRET})
    assert sign(gateway, "jwt-vault-key")[0] == 400
    assert own(gateway, "jwt-vault-key") == 401
    vault.model.kv1["apisix/jack"] = {"jwt-key": "jwt-vault-key"}
    status, made = sign(gateway, "jwt-vault-key")
    assert status == 200
    assert claims_of(made)["key"] == "jwt-vault-key"
    assert {own(gateway, "jwt-vault-key") for _ in range(CONNECTIONS)} == {200}
    assert own(gateway, "${kv:jack#jwt-key}") == own(gateway, "main") == 401


def test_a_name_in_a_secret_that_had_other_fields_before_is_found_at_once(
    gateway: GatewayProcess, vault: VaultServer
) -> None:
    vault.model.kv1["apisix/jack"] = {"other": "x"}
    put(gateway, "jack", main={**WAITING, "named": "${kv:jack#jwt-key}", "secret": SECRET})
    vault.model.kv1["apisix/jack"] = {"jwt-key": "jwt-vault-key"}
    assert own(gateway, "jwt-vault-key") == 200


def test_a_secret_that_comes_after_its_credential_is_used_at_once(gateway: GatewayProcess, vault: VaultServer) -> None:
    put(gateway, "jack", main={**WAITING, "named": "jack-key", "secret": "${kv:jack#secret}"})
    assert own(gateway, "jack-key") == 503
    vault.model.kv1["apisix/jack"] = {"secret": SECRET}
    assert {own(gateway, "jack-key") for _ in range(CONNECTIONS)} == {200}


def test_a_name_and_a_secret_that_both_come_later_are_used_at_once(gateway: GatewayProcess, vault: VaultServer) -> None:
    put(gateway, "jack", main={**WAITING, "named": "${kv:jack#key}", "secret": "${kv:jack/more#secret}"})
    assert own(gateway, "jack-key") == 401
    vault.model.kv1.update({"apisix/jack": {"key": "jack-key"}, "apisix/jack/more": {"secret": SECRET}})
    assert own(gateway, "jack-key") == 200


def test_an_api_key_may_come_later_too(gateway: GatewayProcess, vault: VaultServer) -> None:
    put(gateway, "jack", main={"api_key": "${kv:jack#key}", "may_wait_for_its_secrets": True})

    def status(key: str) -> int:
        connection = gateway.connect()
        try:
            connection.request("GET", "/api/a", headers={"X-Api-Key": key})
            return connection.getresponse().status
        finally:
            connection.close()

    assert status("a key of its own") == 401
    vault.model.kv1["apisix/jack"] = {"key": "a key of its own"}
    assert status("a key of its own") == 200
    assert status("${kv:jack#key}") == 401


def test_a_credential_that_may_not_wait_is_refused_until_its_secrets_are_there(
    gateway: GatewayProcess, vault: VaultServer
) -> None:
    credential = {"alg": "HS256", "named": "${kv:jack#jwt-key}", "secret": SECRET}
    status, told = gateway.administer("PUT", "consumers/jack", {"credentials": {"main": credential}})
    assert status == 422
    assert "there is nothing under this path" in json.dumps(told)
    vault.model.kv1["apisix/jack"] = {"jwt-key": "jwt-vault-key"}
    put(gateway, "jack", main=credential)
    assert own(gateway, "jwt-vault-key") == 200


def test_the_vault_is_asked_at_most_once_a_second_for_what_is_not_there(
    gateway: GatewayProcess, vault: VaultServer
) -> None:
    put(gateway, "jack", main={**WAITING, "named": "${kv:jack#jwt-key}", "secret": SECRET})
    began, before = time.monotonic(), len(vault.model.asked)
    assert {own(gateway, f"made-up-{number}") for number in range(4)} == {401}
    reads = [each for each in vault.model.asked[before:] if each.endswith("kv/apisix/jack")]
    assert len(reads) <= 1 + (time.monotonic() - began)


def test_a_changed_name_takes_the_place_of_the_first(tmp_path: Path, upstream: str, vault: VaultServer) -> None:
    vault.model.kv1["apisix/jack"] = {"jwt-key": "first"}
    made = whole(upstream, vault.url, refresh_seconds=1.0)
    with GatewayProcess(tmp_path, json.dumps(made)) as gateway:
        put(gateway, "jack", main={"alg": "HS256", "named": "${kv:jack#jwt-key}", "secret": SECRET})
        assert own(gateway, "first") == 200
        vault.model.kv1["apisix/jack"] = {"jwt-key": "second"}
        gateway.until(lambda: own(gateway, "second") == 200)
        gateway.until(lambda: {own(gateway, "first") for _ in range(CONNECTIONS)} == {401})


def test_a_consumer_of_the_document_waits_as_well_and_after_a_restart(
    tmp_path: Path, upstream: str, vault: VaultServer
) -> None:
    made = whole(upstream, vault.url)
    credential = {**WAITING, "named": "${kv:jack#jwt-key}", "secret": "${kv:jack#secret}"}
    made["consumers"] = {"jack": {"credentials": {"main": credential}}}
    with GatewayProcess(tmp_path, json.dumps(made)) as gateway:
        assert own(gateway, "jwt-vault-key") == 401
        vault.model.kv1["apisix/jack"] = {"jwt-key": "jwt-vault-key", "secret": SECRET}
        assert own(gateway, "jwt-vault-key") == 200


def test_a_vault_that_may_be_away_stops_no_document_and_fails_closed(tmp_path: Path, upstream: str) -> None:
    with VaultServer(VaultModel()) as vault:
        vault.model.kv1["apisix/jack"] = {"jwt-key": "jwt-vault-key"}
        # The server speaks plain HTTP, so nothing can be read over TLS.
        made = whole(upstream, vault.url.replace("http://", "https://"), may_be_away=True)
        with GatewayProcess(tmp_path, json.dumps(made)) as gateway:
            put(gateway, "jack", main={**WAITING, "named": "${kv:jack#jwt-key}", "secret": SECRET})
            assert sign(gateway, "jwt-vault-key")[0] == 400
            assert own(gateway, "jwt-vault-key") == 401
            assert "the secret store kv cannot be read: it does not speak TLS" in gateway.journal()
            gateway.reload(json.dumps(whole(upstream, vault.url, may_be_away=True)))
            assert own(gateway, "jwt-vault-key") == 200


class Handler(BaseHTTPRequestHandler):
    """As little of a Vault as can be: one path, one token."""

    def do_GET(self) -> None:
        known = self.path == "/v1/kv/apisix/jack" and self.headers["X-Vault-Token"] == ROOT_TOKEN
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(b'{"data": {"jwt-key": "jwt-vault-key"}}' if known else b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_server_that_knows_nothing_but_the_secret_is_vault_enough(tmp_path: Path, upstream: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        made = whole(upstream, f"http://127.0.0.1:{server.server_port}")
        with GatewayProcess(tmp_path, json.dumps(made)) as gateway:
            put(gateway, "jack", main={**WAITING, "named": "${kv:jack#jwt-key}", "secret": SECRET})
            assert own(gateway, "jwt-vault-key") == 200
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
