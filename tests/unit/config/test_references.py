"""The secret stores references may lead to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jwtgate.config.references import (
    all_that_may_resolve,
    consumer_must_resolve,
    may_resolve,
    must_resolve,
    secret_stores_of,
)
from jwtgate.errors import ConfigError
from jwtgate.policy.sources import SecretStore

FOLDER = Path("/etc/gate")


def resolve(text: str) -> str:
    return text.replace("${env:VAULT}", "https://vault.example")


def test_secret_stores_are_known_before_the_rest_is_looked_at() -> None:
    plain = {
        "secret_stores": {
            "kv": {"vault": {"address": "${env:VAULT}", "auth": {"token": "${env:TOKEN}"}, "version": 1}},
            "cloud": {"aws": {"region": "eu-west-1"}, "refresh_seconds": 60.0},
        },
        "routes": "nonsense",
    }
    vault, aws = secret_stores_of(plain, FOLDER, resolve=resolve)
    assert vault.settings == {
        "address": "https://vault.example",
        "mount": "secret",
        "version": 1,
        "insecure_http": False,
        "auth": {"token": "${env:TOKEN}"},
    }
    assert aws == SecretStore("cloud", "aws", {"region": "eu-west-1"}, 60.0)


@pytest.mark.parametrize("plain", [{}, [], None, {"routes": {}}])
def test_a_document_without_secret_stores_has_none(plain: object) -> None:
    assert secret_stores_of(plain, FOLDER, resolve=resolve) == ()


def test_all_mistakes_of_the_stores_are_told() -> None:
    stores = {"env": {"gcp": {"project": "p"}}, "a": {"vault": {"adress": "x", "auth": {"token": "hunter2" * 2}}}}
    with pytest.raises(ConfigError) as error:
        secret_stores_of({"secret_stores": stores}, FOLDER, resolve=resolve)
    assert "secret_stores.env: env and file are there already" in error.value.problems
    assert "secret_stores.a.vault.adress: is no key of this section; did you mean address?" in error.value.problems
    assert "hunter2" not in str(error.value)


def test_a_secret_store_never_refers_to_another() -> None:
    stores = {"a": {"vault": {"address": "https://v", "auth": {"token": "${b:x}"}}}}
    with pytest.raises(ConfigError) as error:
        secret_stores_of({"secret_stores": stores}, FOLDER, resolve=resolve)
    assert error.value.problems == ("secret_stores.a.vault.auth.token: a secret store may refer to env and file only",)


WAITING = {"alg": "HS256", "secret": "${vault:a#b}", "may_wait_for_its_secrets": True}
STRICT = {"alg": "HS256", "secret": "${vault:c#d}"}


def test_what_may_wait_need_not_resolve_and_all_else_has_to() -> None:
    consumer = {"groups": ["g"], "credentials": {"w": WAITING, "s": STRICT}, "annotations": {"x": "${vault:e#f}"}}
    assert consumer_must_resolve(consumer) == {"groups": ["g"], "credentials": {"s": STRICT}}
    assert may_resolve(consumer) == (WAITING,)
    assert all_that_may_resolve({"consumers": {"ann": consumer, "bob": consumer}}) == (WAITING, WAITING)
    assert must_resolve({"listen": "x", "consumers": {"ann": consumer}}) == {
        "listen": "x",
        "consumers": {"ann": {"groups": ["g"], "credentials": {"s": STRICT}}},
    }


@pytest.mark.parametrize("plain", [None, [], {}, {"consumers": []}, {"consumers": {"a": 1, "b": {"credentials": 2}}}])
def test_what_is_no_document_is_left_to_those_who_say_so(plain: Any) -> None:
    assert must_resolve(plain) == plain
    assert may_resolve(plain) == all_that_may_resolve(plain) == ()


def test_only_true_says_that_a_credential_may_wait() -> None:
    assert may_resolve({"credentials": {"a": {**WAITING, "may_wait_for_its_secrets": "true"}, "b": 1}}) == ()


def test_the_text_of_an_expression_holds_no_references() -> None:
    said = {"language": "words", "expression": "${a:b}", "given": {"x": "${kv:x}"}}
    kept = {"language": "words", "given": {"x": "${kv:x}"}}
    assert must_resolve({"routes": {"a": {"log": [said]}}}) == {"routes": {"a": {"log": [kept]}}}
    other = {"routes": {"a": {"expression": "${kv:x}", "language": ["x"]}}}
    assert must_resolve(other) == other
