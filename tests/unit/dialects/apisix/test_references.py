"""References to values kept elsewhere, and the stores they lead to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import changed, loaded, refused

from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.references import NO_STORE, said, secret_stores, store_name
from jwtgate.errors import ConfigError

VAULT = {"uri": "https://127.0.0.1:8200", "prefix": "kv/apisix", "token": "root"}
ACCOUNT = {"client_email": "e@x", "private_key": "k", "project_id": "p", "token_uri": "https://x/token"}


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("plain", "plain"),
        ("a${b}", "a$${b}"),
        ("$ENV://NAME", "${env:NAME}"),
        ("$env://NAME/a/b", "${env:NAME#a/b}"),
        ("$secret://vault/1/jack/key", "${vault-1:jack#key}"),
        ("$secret://vault/1/a/b/key", "${vault-1:a/b#key}"),
        ("$secret://vault/1/key", "${vault-1:key}"),
        ("$secret://aws/jwt/jack/key", "${aws-jwt:jack#key}"),
        ("$secret://gcp/jwt/jack/a/b", "${gcp-jwt:jack#a/b}"),
        ("$secret://gcp/jwt/jack", "${gcp-jwt:jack}"),
        ("$SECRET://vault/1/a/b", "$SECRET://vault/1/a/b"),
    ],
)
def test_a_reference_becomes_one_of_ours_and_text_stays_text(text: str, ours: str) -> None:
    assert said(text, {}) == ours


@pytest.mark.parametrize("text", ["$secret://", "$secret://vault", "$secret://vault/1", "$ENV://A}${env:B", "$ENV://{"])
def test_what_names_no_secret_leads_nowhere(text: str) -> None:
    assert said(text, {}) == f"${{{NO_STORE}:malformed}}"


def test_stores_have_different_names() -> None:
    assert store_name("vault", "1") == "vault-1"
    names = {store_name("vault", each) for each in ("a.b", "a-b", "a_b", "x" * 64)}
    assert len(names) == 4
    assert all(len(name) <= 64 and "." not in name for name in names)


def test_a_vault_is_a_store_that_may_be_away() -> None:
    stores = secret_stores({"secrets": {"vault/jwt": {**VAULT, "namespace": "ns"}}}, Noting())
    assert stores == {
        "vault-jwt": {
            "vault": {
                "address": "https://127.0.0.1:8200",
                "mount": "kv/apisix",
                "version": 1,
                "auth": {"token": "root"},
                "namespace": "ns",
            },
            "may_be_away": True,
        }
    }


def test_the_second_version_of_a_vault_is_read_from_its_mount() -> None:
    objects = {"secrets": {"vault/1": {**VAULT, "prefix": "/kv/apisix/", "kv_version": 2}}}
    vault = secret_stores(objects, Noting())["vault-1"]["vault"]
    assert (vault["mount"], vault["version"]) == ("kv", 2)
    assert said("$secret://vault/1/jack/key", objects) == "${vault-1:apisix/jack#key}"


@pytest.mark.parametrize(
    ("uri", "insecure"),
    [("http://127.0.0.1:8200", False), ("http://vault:8200", True), ("https://vault:8200", False)],
)
def test_a_vault_without_tls_elsewhere_is_a_danger(uri: str, insecure: bool) -> None:
    noting = Noting()
    objects = {"secrets": {"vault/1": {**VAULT, "uri": uri, "token": "$ENV://TOKEN"}}}
    vault = secret_stores(objects, noting)["vault-1"]["vault"]
    assert vault.get("insecure_http", False) is insecure
    assert vault["auth"] == {"token": "${env:TOKEN}"}
    assert [note.dangerous for note in noting.notes(())] == [True] * insecure


def test_the_managers_of_clouds_are_stores() -> None:
    noting = Noting()
    secrets: dict[str, Any] = {
        "aws/1": {"access_key_id": "a", "secret_access_key": "$ENV://S", "endpoint_url": "http://127.0.0.1:4566"},
        "gcp/1": {
            "auth_config": {**ACCOUNT, "entries_uri": "https://x.example/v1", "scope": ["s"]},
            "ssl_verify": False,
        },
        "gcp/2": {"auth_file": "account.json"},
    }
    stores = secret_stores({"secrets": secrets}, noting)
    assert stores["aws-1"]["aws"] == {
        "region": "us-east-1",
        "access_key_id": "a",
        "secret_access_key": "${env:S}",
        "endpoint": "http://127.0.0.1:4566",
    }
    account = json.loads(stores["gcp-1"]["gcp"].pop("credentials"))
    assert account == {"type": "service_account", **ACCOUNT}
    assert stores["gcp-1"]["gcp"] == {"project": "p", "endpoint": "https://x.example"}
    assert stores["gcp-2"]["gcp"] == {"credentials_file": "account.json"}
    assert set(changed(noting)) == {
        "secrets/aws/1",
        "secrets/gcp/1/ssl_verify",
        "secrets/gcp/1/auth_config/entries_uri",
    }


def test_another_manager_is_refused() -> None:
    noting = Noting()
    assert secret_stores({"secrets": {"other/1": {}}}, noting) == {}
    assert refused(noting) == {"secrets/other/1": "invalid secret manager: other"}


def test_the_gateway_takes_the_stores() -> None:
    aws = {"access_key_id": "a", "secret_access_key": "s"}
    document = loaded({"secrets": {"vault/1": VAULT, "aws/a.b": aws, "vault/2": {**VAULT, "kv_version": 2}}})
    assert len(document.secret_stores) == 3


def test_an_address_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="secrets/vault/1/uri: is no address"):
        secret_stores({"secrets": {"vault/1": {**VAULT, "uri": "a://[x]"}}}, Noting())


def test_an_account_in_a_file_names_the_project() -> None:
    document = loaded({"secrets": {"gcp/2": {"auth_file": "account.json"}}})
    assert list(document.secret_stores) == ["gcp-2"]
