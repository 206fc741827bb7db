"""Keys and secrets that are kept elsewhere: in the environment, in secret managers; and what is kept here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.dialects.apisix.apisix_process import ApisixProcess
from tests.dialects.apisix.tokens import SECRET, token
from tests.integration.aws_server import AwsServer
from tests.integration.secret_manager_server import SecretManagerServer
from tests.integration.vault_server import ROOT_TOKEN, VaultModel, VaultServer

AWS = {"access_key_id": "testing", "secret_access_key": "testing", "region": "eu-central-1"}
UNKNOWN = {"message": "Invalid user key in JWT token"}


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with AwsServer() as server:
        yield server.url


@pytest.fixture
def vault() -> Iterator[VaultServer]:
    with VaultServer(VaultModel()) as server:
        yield server


@pytest.fixture
def gcp() -> Iterator[SecretManagerServer]:
    with SecretManagerServer() as server:
        yield server


def secret_from(apisix: ApisixProcess, reference: str) -> int:
    """What becomes of a token signed with the secret that this refers to."""
    apisix.consumer(key="jack-key", secret=reference)
    apisix.route()
    return apisix.get(token=token()).status


def test_a_secret_may_be_a_member_of_a_variable(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret="$env://JACK_JSON/jwt/secret")
    apisix.route()
    assert apisix.get(token=token("a-secret-that-is-long-enough-for-all")).status == 200
    assert apisix.get(token=token("$env://JACK_JSON/jwt/secret" * 2)).status == 401


def test_a_variable_that_is_not_set_is_nobodys_key(apisix: ApisixProcess) -> None:
    apisix.consumer(key="$ENV://NOT_SET_ANYWHERE", secret=SECRET)
    apisix.route()
    answer = apisix.get(token=token(key="$ENV://NOT_SET_ANYWHERE"))
    assert (answer.status, answer.value) == (401, UNKNOWN)


def test_a_variable_that_is_not_set_is_no_secret(apisix: ApisixProcess) -> None:
    apisix.consumer(key="jack-key", secret="$ENV://NOT_SET_ANYWHERE_AT_ALL_BY_ANYBODY")
    apisix.route()
    answer = apisix.get(token=token("$ENV://NOT_SET_ANYWHERE_AT_ALL_BY_ANYBODY"))
    assert (answer.status, answer.value) == (401, {"message": "failed to verify jwt"})


def test_a_secret_may_be_kept_in_vault(apisix: ApisixProcess, vault: VaultServer) -> None:
    vault.model.kv1["apisix/jack"] = {"secret": SECRET}
    apisix.put("/secrets/vault/1", {"uri": vault.url, "prefix": "kv/apisix", "token": ROOT_TOKEN})
    assert secret_from(apisix, "$secret://vault/1/jack/secret") == 200
    assert secret_from(apisix, "$secret://vault/1/jack/other") == 401
    assert secret_from(apisix, "$secret://vault/2/jack/secret") == 401


def test_a_vault_that_refuses_the_token_fails_closed(apisix: ApisixProcess, vault: VaultServer) -> None:
    vault.model.kv1["apisix/jack"] = {"secret": SECRET}
    apisix.put("/secrets/vault/1", {"uri": vault.url, "prefix": "kv/apisix", "token": "wrong"})
    assert secret_from(apisix, "$secret://vault/1/jack/secret") == 401


def test_a_secret_may_be_kept_in_aws(apisix: ApisixProcess, aws: str) -> None:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-central-1"}
    client: Any = boto3.client("secretsmanager", endpoint_url=aws, **keys)
    client.create_secret(Name="apisix/jack", SecretString=json.dumps({"secret": SECRET}))
    apisix.put("/secrets/aws/1", {**AWS, "endpoint_url": aws})
    assert secret_from(apisix, "$secret://aws/1/apisix/jack/secret") == 200
    assert secret_from(apisix, "$secret://aws/1/apisix/jack/other") == 401


def test_a_secret_may_be_kept_in_gcp(apisix: ApisixProcess, gcp: SecretManagerServer, tmp_path: Path) -> None:
    gcp.secrets["jack"] = [json.dumps({"secret": SECRET}).encode()]
    gcp.write_account(tmp_path / "account.json")
    account = json.loads((tmp_path / "account.json").read_text())
    names = ("client_email", "private_key", "project_id", "token_uri")
    config = {name: account[name] for name in names} | {"entries_uri": f"{gcp.url}/v1"}
    apisix.put("/secrets/gcp/1", {"auth_config": config})
    assert secret_from(apisix, "$secret://gcp/1/jack/secret") == 200
    assert secret_from(apisix, "$secret://gcp/1/rose/secret") == 401


def test_a_written_secret_is_told_encrypted_and_shown_clear(apisix: ApisixProcess) -> None:
    conf = {"key": "jack-key", "secret": "my-secret-key"}
    told = apisix.put("/consumers", {"username": "jack", "plugins": {"jwt-auth": conf}})
    assert told["plugins"]["jwt-auth"]["secret"] == "kK0lkbzXrE7aiTiyK/Z0Sw=="
    assert apisix.admin("GET", "/consumers/jack").value["value"]["plugins"]["jwt-auth"] == conf
