"""Secrets from elsewhere, over real connections: a Vault, AWS Secrets Manager, Google Cloud Secret Manager."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import hvac
import pytest
from botocore.config import Config
from hvac import exceptions as refused
from joserfc import jwt
from joserfc.jwk import OctKey

from jwtgate.config.references import secret_stores_of
from jwtgate.config.source import read_source
from jwtgate.errors import ConfigError
from jwtgate.policy.sources import SecretStore
from jwtgate.state.http_client import HttpClient
from jwtgate.state.secrets import aws as aws_store
from jwtgate.state.secrets import gcp as gcp_store
from jwtgate.state.secrets import holdings
from jwtgate.state.secrets.holdings import LEAST_INTERVAL_SECONDS
from jwtgate.state.secrets.references import Secrets
from jwtgate.state.secrets.secret_stores import SecretStores

from .aws_server import AwsServer
from .gateway_process import GatewayProcess
from .loopback_server import LoopbackServer
from .scripted_server import ScriptedServer, answer
from .secret_manager_server import SecretManagerServer
from .vault_server import ROOT_TOKEN, UNSEAL_KEY, AppRole, VaultModel, VaultServer

PATIENCE_SECONDS = 30.0
GIVEN_UP_SECONDS = 0.3
"""Instead of five: that it is five and no more, the unit tests find on a clock of their own."""
AWS_KEYS = {"access_key_id": "${env:AWS_ID}", "secret_access_key": "${env:AWS_KEY}"}
ENVIRON = {"VAULT_TOKEN": ROOT_TOKEN, "SECRET_ID": "s", "AWS_ID": "testing", "AWS_KEY": "testing"}


@pytest.fixture
def vault() -> Iterator[VaultServer]:
    with VaultServer(VaultModel(approles=[AppRole("r", "s")], kubernetes={"gateway": "a jwt"})) as server:
        yield server


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with AwsServer() as server:
        yield server.url


@pytest.fixture
def gcp() -> Iterator[SecretManagerServer]:
    with SecretManagerServer() as server:
        yield server


def of_vault(server: VaultServer, **settings: Any) -> SecretStore:
    given = {"address": server.url, "auth": {"token": "${env:VAULT_TOKEN}"}, **settings}
    return SecretStore("vault", "vault", given, refresh_seconds=1)


def of_aws(endpoint: str, **settings: Any) -> SecretStore:
    return SecretStore("aws", "aws", {"region": "eu-west-1", "endpoint": endpoint, **AWS_KEYS, **settings})


def of_gcp(server: SecretManagerServer, folder: Path) -> SecretStore:
    server.write_account(folder / "account.json")
    settings: Any = {"project": "project", "credentials_file": "account.json", "endpoint": server.url}
    return SecretStore("gcp", "gcp", settings)


def opened(store: SecretStore, folder: Path = Path(), *, clock: Callable[[], float] = time.monotonic) -> SecretStores:
    return SecretStores([store], client=HttpClient(), folder=folder, environ=ENVIRON, clock=clock)


def resolved(store: SecretStore, text: str, folder: Path = Path()) -> str:
    async def life() -> str:
        stores = opened(store, folder)
        await stores.fetch([text])
        await stores.close()
        return Secrets(folder, ENVIRON, stores).resolve(text)

    return asyncio.run(life())


def problem(store: SecretStore, text: str, folder: Path = Path()) -> str:
    with pytest.raises(ConfigError) as caught:
        resolved(store, text, folder)
    (sentence,) = caught.value.problems
    return sentence


# The Vault of the tests, as another client sees it.


def test_hvac_writes_and_reads_both_kinds_of_engine(vault: VaultServer) -> None:
    client = hvac.Client(url=vault.url, token=ROOT_TOKEN)
    assert client.is_authenticated()
    two, one = client.secrets.kv.v2, client.secrets.kv.v1
    assert two.create_or_update_secret("team/orders", {"key": "one"})["data"]["version"] == 1
    assert two.create_or_update_secret("team/orders", {"key": "two"})["data"]["version"] == 2
    read = two.read_secret_version("team/orders", raise_on_deleted_version=True)["data"]
    assert (read["data"], read["metadata"]["version"]) == ({"key": "two"}, 2)
    two.delete_latest_version_of_secret("team/orders")
    with pytest.raises(refused.InvalidPath):
        two.read_secret_version("team/orders", raise_on_deleted_version=True)
    assert two.read_secret_version("team/orders", raise_on_deleted_version=False)["data"]["data"] is None
    one.create_or_update_secret("orders", {"key": "old"}, mount_point="kv")
    assert one.read_secret("orders", mount_point="kv")["data"] == {"key": "old"}
    one.delete_secret("orders", mount_point="kv")
    with pytest.raises(refused.InvalidPath):
        one.read_secret("orders", mount_point="kv")


def test_hvac_logs_in_renews_and_is_denied(vault: VaultServer) -> None:
    client = hvac.Client(url=vault.url)
    assert not client.is_authenticated()
    with pytest.raises(refused.InvalidRequest):
        client.auth.approle.login("r", "wrong")
    auth = client.auth.approle.login("r", "s")["auth"]
    assert client.token == auth["client_token"]
    assert (auth["lease_duration"], auth["renewable"]) == (1200, True)
    assert client.auth.token.lookup_self()["data"]["ttl"] in (1199, 1200)
    assert client.auth.token.renew_self()["auth"]["client_token"] == client.token
    vault.model.forbidden.add("secret/data/orders")
    with pytest.raises(refused.Forbidden):
        client.secrets.kv.v2.read_secret_version("orders", raise_on_deleted_version=True)
    client.auth.token.revoke_self()
    assert not client.is_authenticated()
    client.auth.kubernetes.login("gateway", "a jwt")
    assert client.is_authenticated()
    with pytest.raises(refused.Forbidden):
        client.auth.kubernetes.login("gateway", "another")


def test_hvac_borrows_renews_and_gives_back(vault: VaultServer) -> None:
    client = hvac.Client(url=vault.url, token=ROOT_TOKEN)
    first = client.secrets.database.generate_credentials("orders")
    second = client.secrets.database.generate_credentials("orders")
    assert first["data"]["username"] != second["data"]["username"]
    assert (first["lease_duration"], first["renewable"]) == (3600, True)
    assert client.sys.renew_lease(first["lease_id"])["lease_duration"] in (3599, 3600)
    client.sys.revoke_lease(first["lease_id"])
    with pytest.raises(refused.InvalidRequest):
        client.sys.renew_lease(first["lease_id"])


def test_hvac_seals_and_unseals(vault: VaultServer) -> None:
    client = hvac.Client(url=vault.url, token=ROOT_TOKEN)
    client.sys.seal()
    assert client.sys.is_sealed()
    with pytest.raises(refused.VaultDown):
        client.secrets.kv.v1.read_secret("orders", mount_point="kv")
    client.sys.submit_unseal_key(UNSEAL_KEY)
    assert not client.sys.is_sealed()


def test_hvac_finds_nothing_in_another_namespace() -> None:
    with VaultServer(VaultModel(namespace="team")) as server:
        assert hvac.Client(url=server.url, token=ROOT_TOKEN, namespace="team").is_authenticated()
        with pytest.raises(refused.InvalidPath):
            hvac.Client(url=server.url, token=ROOT_TOKEN).auth.token.lookup_self()


# The same Vault, as we see it.


@pytest.mark.parametrize(
    "auth",
    [
        {"token": "${env:VAULT_TOKEN}"},
        {"approle": {"role_id": "r", "secret_id": "${env:SECRET_ID}"}},
        {"kubernetes": {"role": "gateway", "token_file": "jwt"}},
    ],
    ids=["token", "approle", "kubernetes"],
)
def test_what_hvac_wrote_we_read_however_we_log_in(vault: VaultServer, auth: Any, tmp_path: Path) -> None:
    (tmp_path / "jwt").write_text("a jwt")
    client = hvac.Client(url=vault.url, token=ROOT_TOKEN)
    client.secrets.kv.v2.create_or_update_secret("team/orders", {"key": "one", "inner": {"key": "two"}})
    client.secrets.kv.v1.create_or_update_secret("orders", {"key": "old"}, mount_point="kv")
    text = "${vault:team/orders#key} ${vault:team/orders#inner/key}"
    assert resolved(of_vault(vault, auth=auth), text, tmp_path) == "one two"
    assert resolved(of_vault(vault, auth=auth, mount="kv", version=1), "${vault:orders#key}", tmp_path) == "old"


def test_a_namespace_is_asked_for() -> None:
    with VaultServer(VaultModel(namespace="team/a")) as server:
        server.model.put("orders", key="one")
        assert resolved(of_vault(server, namespace="team/a"), "${vault:orders#key}") == "one"
        assert "cannot be read" in problem(of_vault(server), "${vault:orders#key}")


def test_sec_149_no_path_leads_out_of_its_mount(vault: VaultServer) -> None:
    vault.model.put("a b/é%2F..%2f?list", key="one")
    assert resolved(of_vault(vault), "${vault:a b/é%2F..%2f?list#key}") == "one"
    assert vault.lines[-1] == "/v1/secret/data/a%20b/%C3%A9%252F..%252f%3Flist"
    before = len(vault.lines)
    for path in ("../../sys/health", "a//b", "/a"):
        problem(of_vault(vault), f"${{vault:{path}#key}}")
    assert [line for line in vault.lines[before:] if "lookup-self" not in line] == []


def test_rel_84_what_goes_wrong_over_the_wire_has_its_words(vault: VaultServer) -> None:
    vault.model.put("orders", key="one")
    reference = "${vault:orders#key}"
    token = vault.model.new_token(60)
    vault.model.forbidden.add("secret/data/orders")
    assert "does not let us read" in problem(of_vault(vault, auth={"token": token}), reference)
    assert "nothing under this path" in problem(of_vault(vault), "${vault:none#key}")
    vault.model.sealed = True
    assert "sealed" in problem(of_vault(vault), reference)
    vault.model.sealed = False
    vault.body = b"<html>"
    assert "no sense" in problem(of_vault(vault), reference)
    vault.body = b" " * (2**20 + 1)
    assert "no sense" in problem(of_vault(vault), reference)
    assert "scheme_refused" in problem(of_vault(vault, address="http://vault.example:8200"), reference)


def test_rel_84_a_server_that_does_not_answer_is_given_up(vault: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "READ_SECONDS", GIVEN_UP_SECONDS)
    vault.answers.clear()
    assert "in time" in problem(of_vault(vault), "${vault:orders#key}")


def test_a_server_that_is_gone_cannot_be_reached() -> None:
    with VaultServer(VaultModel()) as server:
        store = of_vault(server)
    assert "cannot be reached" in problem(store, "${vault:orders#key}")


def test_rel_36_a_new_version_and_a_server_that_was_sealed_are_followed(vault: VaultServer) -> None:
    vault.model.put("orders", key="one")
    text = "${vault:orders#key}"

    async def life() -> None:
        stores = opened(of_vault(vault))
        resolve = Secrets(Path(), ENVIRON, stores).resolve
        await stores.fetch([text])
        told = asyncio.Event()
        following = asyncio.create_task(stores.follow(told.set))
        async with asyncio.timeout(PATIENCE_SECONDS):
            vault.model.put("orders", key="two")
            await told.wait()
            assert resolve(text) == "two"
            vault.model.sealed = True
            while not stores.report()[0].stale:
                await asyncio.sleep(0.05)
            assert resolve(text) == "two"
            told.clear()
            vault.model.put("orders", key="three")
            vault.model.sealed = False
            await told.wait()
            assert resolve(text) == "three"
        following.cancel()
        await stores.close()

    asyncio.run(life())


# The documents of the how-to.

DOCUMENTS = re.findall(
    r"^```yaml\n(.*?)^```", (Path(__file__).parents[2] / "docs/how-to/secrets.md").read_text(), re.MULTILINE | re.DOTALL
)


def test_every_store_of_the_how_to_can_be_opened(tmp_path: Path) -> None:
    kinds = []
    for document in DOCUMENTS:
        plain = read_source(document.encode(), "gate.yaml").data
        for store in secret_stores_of(plain, tmp_path, resolve=Secrets(tmp_path, ENVIRON).resolve):
            kinds.append(store.kind)
            assert opened(store, tmp_path).names == {store.name}
    assert kinds == ["vault", "vault", "aws", "gcp"]


def test_rel_36_a_gateway_takes_up_a_secret_that_changes_in_vault(vault: VaultServer, tmp_path: Path) -> None:
    document = DOCUMENTS[0]
    vault.model.approles = [AppRole("gateway", "s")]
    old, new = "the secret that jack has until today", "the secret that jack has from now on"
    vault.model.put("partners/jack", secret=old)
    with LoopbackServer() as upstream:
        for written, meant in (
            ("https://vault.example:8200", vault.url),
            ("refresh_seconds: 300", "refresh_seconds: 1"),
            ("127.0.0.1:8080", "127.0.0.1:0"),
            ("http://127.0.0.1:9020", upstream.url),
        ):
            assert written in document
            document = document.replace(written, meant)
        with GatewayProcess(tmp_path, document, workers=1, environ={"VAULT_SECRET_ID": "s"}) as gateway:
            assert gateway.get("/orders/1", token=_token(old))[0] == 200
            assert gateway.get("/orders/1", token=_token(new))[0] == 401
            vault.model.sealed = True
            assert gateway.reload()["event"] == "reloaded"
            assert gateway.get("/orders/1", token=_token(old))[0] == 200
            vault.model.put("partners/jack", secret=new)
            vault.model.sealed = False
            gateway.until(lambda: gateway.get("/orders/1", token=_token(new))[0] == 200)
            assert gateway.get("/orders/1", token=_token(old))[0] == 401
        written_down = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert b"partners/jack" in written_down
        assert old.encode() not in written_down
        assert new.encode() not in written_down


def _token(secret: str) -> str:
    claims = {"iss": "jack-key", "aud": "https://orders.example", "exp": int(time.time()) + 600}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


# AWS Secrets Manager, as moto plays it.


def manager(endpoint: str) -> Any:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url=endpoint, config=Config(), **keys)


def test_a_secret_of_aws_is_read_by_name_and_by_arn(aws: str) -> None:
    arn = manager(aws).create_secret(Name="team/plain", SecretString="one")["ARN"]
    assert resolved(of_aws(aws), f"${{aws:team/plain}} ${{aws:{arn}}}") == "one one"


def test_a_field_of_a_secret_of_aws_is_picked_from_its_json(aws: str) -> None:
    manager(aws).create_secret(Name="json", SecretString='{"key": "one", "port": 5432}')
    assert resolved(of_aws(aws), "${aws:json#key}:${aws:json#port}") == "one:5432"


def test_a_secret_of_aws_may_be_bytes_that_are_text(aws: str) -> None:
    manager(aws).create_secret(Name="binary", SecretBinary="zwölf".encode())
    assert resolved(of_aws(aws), "${aws:binary}") == "zwölf"
    manager(aws).create_secret(Name="no-text", SecretBinary=b"\xff")
    assert "no sense" in problem(of_aws(aws), "${aws:no-text}")


def test_rel_84_a_new_version_of_a_secret_of_aws_is_read(aws: str) -> None:
    client = manager(aws)
    client.create_secret(Name="changing", SecretString="one")

    async def life() -> None:
        stores = opened(of_aws(aws))
        resolve = Secrets(Path(), ENVIRON, stores).resolve
        await stores.fetch(["${aws:changing}"])
        assert resolve("${aws:changing}") == "one"
        await asyncio.to_thread(client.put_secret_value, SecretId="changing", SecretString="two")
        await stores.fetch(["${aws:changing}"])
        assert resolve("${aws:changing}") == "two"

    asyncio.run(life())


def test_a_secret_aws_does_not_have_or_has_deleted_is_named(aws: str) -> None:
    client = manager(aws)
    assert "nothing under this path" in problem(of_aws(aws), "${aws:none}")
    client.create_secret(Name="deleted", SecretString="swordfish")
    client.delete_secret(SecretId="deleted")
    sentence = problem(of_aws(aws), "${aws:deleted}")
    assert "nothing under this path" in sentence
    assert "swordfish" not in sentence


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "does not let us read"),
        ("UnrecognizedClientException", "does not let us log in"),
        ("ExpiredTokenException", "does not let us log in"),
        ("ValidationException", "can have this path"),
        ("InternalServiceError", "it failed"),
    ],
)
def test_rel_84_what_aws_refuses_has_its_words(code: str, words: str) -> None:
    async def life() -> None:
        server = ScriptedServer()
        body = json.dumps({"__type": code, "message": "swordfish"}).encode()
        server.pages["/"] = answer(body, status="400 Bad Request", media_type="application/x-amz-json-1.1")
        async with server.running():
            now = [0.0]
            stores = opened(of_aws(server.origin), clock=lambda: now[0])
            with pytest.raises(ConfigError, match=words) as caught:
                await stores.fetch(["${aws:orders}"])
            assert "swordfish" not in str(caught.value)
            server.pages["/"] = answer(b'{"SecretString": "one"}', media_type="application/x-amz-json-1.1")
            now[0] += LEAST_INTERVAL_SECONDS
            await stores.fetch(["${aws:orders}"])
            server.pages["/"] = answer(b"{}", media_type="application/x-amz-json-1.1")
            await stores.fetch(["${aws:orders}"])
            assert stores.report()[0].last_failure == "malformed"

    asyncio.run(life())


def test_rel_84_an_aws_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_store, "ANSWER_SECONDS", GIVEN_UP_SECONDS)

    async def never(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def life() -> None:
        server = ScriptedServer()
        server.pages["/"] = never
        async with server.running():
            with pytest.raises(ConfigError, match="in time"):
                await opened(of_aws(server.origin)).fetch(["${aws:orders}"])

    asyncio.run(life())


# Google Cloud Secret Manager.


def test_the_latest_version_of_a_secret_of_gcp_is_read(gcp: SecretManagerServer, tmp_path: Path) -> None:
    gcp.secrets = {"plain": [b"old", "zwölf".encode()], "json": [b'{"key": {"id": "one"}}'], "long": [b"x" * 65536]}
    store = of_gcp(gcp, tmp_path)
    assert resolved(store, "${gcp:plain} ${gcp:json#key/id}", tmp_path) == "zwölf one"
    assert resolved(store, "${gcp:long}", tmp_path) == "x" * 65536
    assert gcp.paths[-1] == "/v1/projects/project/secrets/long/versions/latest:access"


def test_a_service_account_of_gcp_may_stand_in_a_secret(gcp: SecretManagerServer, tmp_path: Path) -> None:
    gcp.secrets = {"plain": [b"one"]}
    gcp.write_account(tmp_path / "account.json")
    settings: Any = {"project": "project", "credentials": "${file:account.json}", "endpoint": gcp.url}
    assert resolved(SecretStore("gcp", "gcp", settings), "${gcp:plain}", tmp_path) == "one"


def test_a_service_account_of_gcp_names_its_project(gcp: SecretManagerServer, tmp_path: Path) -> None:
    gcp.secrets = {"plain": [b"one"]}
    gcp.write_account(tmp_path / "account.json")
    for account in ({"credentials": "${file:account.json}"}, {"credentials_file": "account.json"}):
        settings: Any = {**account, "endpoint": gcp.url}
        assert resolved(SecretStore("gcp", "gcp", settings), "${gcp:plain}", tmp_path) == "one"


def test_a_login_to_gcp_is_used_for_all_reads(gcp: SecretManagerServer, tmp_path: Path) -> None:
    gcp.secrets = {"a": [b"1"], "b": [b"2"]}

    async def life() -> None:
        stores = opened(of_gcp(gcp, tmp_path), tmp_path)
        for _ in range(3):
            await stores.fetch(["${gcp:a}"])
        assert len(gcp.tokens) == 1
        gcp.tokens.clear()
        await stores.fetch(["${gcp:b}"])
        assert Secrets(tmp_path, {}, stores).resolve("${gcp:b}") == "2"

    asyncio.run(life())


def test_rel_84_what_gcp_refuses_has_its_words(gcp: SecretManagerServer, tmp_path: Path) -> None:
    gcp.secrets = {"closed": [b"swordfish"], "bytes": [b"\xff"], "open": [b"one"]}
    gcp.denied = {"closed"}
    store = of_gcp(gcp, tmp_path)
    assert "does not let us read" in problem(store, "${gcp:closed}", tmp_path)
    assert "nothing under this path" in problem(store, "${gcp:none}", tmp_path)
    assert "no sense" in problem(store, "${gcp:bytes}", tmp_path)
    gcp.account_disabled = True
    assert "does not let us log in" in problem(store, "${gcp:open}", tmp_path)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"payload": "x"}', b'{"payload": {}}', b'{"payload": {"data": "!"}}']
)
def test_rel_84_an_answer_of_gcp_that_makes_no_sense_is_told(
    gcp: SecretManagerServer, tmp_path: Path, body: bytes
) -> None:
    gcp.secrets = {"open": [b"one"]}
    store = of_gcp(gcp, tmp_path)

    async def life() -> None:
        stores = opened(store, tmp_path)
        await stores.fetch(["${gcp:open}"])
        gcp.body = body
        await stores.fetch(["${gcp:open}"])
        assert Secrets(tmp_path, {}, stores).resolve("${gcp:open}") == "one"
        assert stores.report()[0].last_failure == "malformed"

    asyncio.run(life())


def test_rel_84_a_gcp_that_does_not_answer_is_given_up(
    gcp: SecretManagerServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gcp_store, "ANSWER_SECONDS", GIVEN_UP_SECONDS)
    gcp.answers.clear()
    assert "in time" in problem(of_gcp(gcp, tmp_path), "${gcp:open}", tmp_path)


def test_a_gcp_that_is_gone_cannot_be_reached(tmp_path: Path) -> None:
    with SecretManagerServer() as server:
        store = of_gcp(server, tmp_path)
    assert "cannot be reached" in problem(store, "${gcp:open}", tmp_path)


# Neither is needed by those who do not use it.

_WITHOUT = """
import asyncio, pathlib, sys
for package in ("boto3", "botocore", "google.auth", "requests"):
    sys.modules[package] = None
from jwtgate.errors import ConfigError
from jwtgate.policy.sources import SecretStore
from jwtgate.state.http_client import HttpClient
from jwtgate.state.secrets.secret_stores import SecretStores
store = SecretStore("store", sys.argv[1], {})
stores = SecretStores([store], client=HttpClient(), folder=pathlib.Path(), environ={})
try:
    asyncio.run(stores.fetch(["${store:a}"]))
except ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", ["aws", "gcp"])
def test_a_package_that_is_not_installed_is_named_when_it_is_needed(kind: str) -> None:
    run = subprocess.run([sys.executable, "-c", _WITHOUT, kind], capture_output=True, text=True, timeout=60)
    assert run.stdout.rstrip() == (
        "The reference ${store:a} cannot be read from 'store': a package is not installed: "
        f"install jwtgate with its extra '{kind}'."
    )
