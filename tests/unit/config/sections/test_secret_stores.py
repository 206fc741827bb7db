"""The section `secret_stores`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]

TOKEN = {"token": "${env:VAULT_TOKEN}"}


def vault(**keys: object) -> dict[str, Any]:
    return {"secret_stores": {"kv": {"vault": {"address": "https://vault.example", "auth": TOKEN, **keys}}}}


@pytest.mark.parametrize(
    ("store", "kind"),
    [
        ({"vault": {"address": "http://127.0.0.1:8200", "auth": TOKEN}}, "vault"),
        ({"vault": {"address": "https://v", "auth": {"approle": {"role_id": "r", "secret_id": "${file:s}"}}}}, "vault"),
        ({"vault": {"address": "https://v", "auth": {"kubernetes": {"role": "r"}}, "namespace": "n"}}, "vault"),
        ({"aws": {}}, "aws"),
        ({"aws": {"access_key_id": "a", "secret_access_key": "${env:S}", "session_token": "${env:T}"}}, "aws"),
        ({"gcp": {"project": "p", "endpoint": "http://127.0.0.1:1"}}, "gcp"),
        ({"gcp": {"project": "p", "credentials": "${env:A}"}, "may_be_away": True}, "gcp"),
        ({"gcp": {"credentials_file": "a.json"}}, "gcp"),
    ],
)
def test_a_store_is_of_one_kind(load: Load, store: dict[str, Any], kind: str) -> None:
    assert load({"secret_stores": {"kv": store}}).secret_stores["kv"].kind == kind


@pytest.mark.parametrize(
    ("store", "sentence"),
    [
        ({}, "needs exactly one of vault, aws, gcp"),
        ({"aws": {}, "gcp": {"project": "p"}}, "needs exactly one of vault, aws, gcp"),
        ({"aws": {"access_key_id": "a"}}, "need each other"),
        ({"aws": {"session_token": "a"}}, "session_token needs access_key_id"),
        ({"aws": {"endpoint": "http://a.example"}}, "secrets are fetched by https"),
        ({"gcp": {"project": "p", "endpoint": "http://a.example"}}, "secrets are fetched by https"),
        ({"gcp": {}}, "needs project, or a service account"),
        ({"gcp": {"project": "p", "credentials": "${env:A}", "credentials_file": "a.json"}}, "exclude each other"),
        ({"aws": None}, "has no value"),
    ],
)
def test_a_store_that_cannot_be_asked_is_refused(mistakes: Find, store: dict[str, Any], sentence: str) -> None:
    (found,) = mistakes({"secret_stores": {"kv": store}})
    assert sentence in found


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"address": "http://vault.example"}, "plain http reaches this host only"),
        ({"auth": {}}, "needs exactly one of token, approle, kubernetes"),
        ({"auth": {**TOKEN, "kubernetes": {"role": "r"}}}, "needs exactly one of"),
        ({"version": 3}, "must be 1 or 2"),
        ({"mount": "../sys"}, ""),
        ({"mount": "/a"}, "has characters or a form"),
        ({"auth": {"token": "***"}}, "stands for a secret"),
    ],
)
def test_sec_149_a_vault_is_asked_safely(mistakes: Find, keys: dict[str, Any], sentence: str) -> None:
    found = mistakes(vault(**keys))
    assert sentence in "".join(found)
    assert (keys == {"mount": "../sys"}) == (found == [])


def test_plain_http_needs_long_words(mistakes: Find) -> None:
    assert mistakes(vault(address="http://vault.example", insecure_http=True)) == []


@pytest.mark.parametrize("name", ["env", "file", "a b", "1a", "", "a:b", "x" * 65])
def test_a_store_has_a_name_a_reference_can_hold(mistakes: Find, name: str) -> None:
    assert len(mistakes({"secret_stores": {name: {"aws": {}}}})) == 1


def test_references_of_a_store_lead_to_the_environment_and_files_only(mistakes: Find) -> None:
    sentence = "a secret store may refer to env and file only"
    assert mistakes(vault(auth={"token": "${other:a#b}"})) == [f"secret_stores.kv.vault.auth.token: {sentence}"]
    assert mistakes(vault(namespace="${kv:a}")) == [f"secret_stores.kv.vault.namespace: {sentence}"]
    assert mistakes(vault(namespace="$${kv:a}")) == []
