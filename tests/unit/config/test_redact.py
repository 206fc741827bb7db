"""A document as it may be shown."""

from __future__ import annotations

from typing import Any

import pytest

from jwtgate.config.redact import secrets_in, without_secrets

PEM = "-----BEGIN PUBLIC KEY-----\nabc"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"secret": "hunter2"}, {"secret": "***"}),
        ({"secret": "${env:S}"}, {"secret": "${env:S}"}),
        ({"secret": "x${env:S}"}, {"secret": "***"}),
        ({"secret": "${env:A}${env:B}"}, {"secret": "***"}),
        ({"pem": PEM}, {"pem": PEM}),
        ({"pem": "-----BEGIN PRIVATE KEY-----\nabc"}, {"pem": "***"}),
        ({"jwks": {"keys": [{"kty": "oct", "k": "abc"}]}}, {"jwks": {"keys": [{"kty": "oct", "k": "***"}]}}),
        ({"jwks": [{"kty": "oct", "k": "${env:K}"}]}, {"jwks": [{"kty": "oct", "k": "${env:K}"}]}),
        ({"jwks": {"kty": "RSA", "n": "x", "oth": [{"d": "x"}]}}, {"jwks": {"kty": "RSA", "n": "x", "oth": "***"}}),
        ({"jwks": {"kty": "EC", "key_ops": ["verify"]}}, {"jwks": {"kty": "EC", "key_ops": ["verify"]}}),
        ({"url": "https://a.example"}, {"url": "https://a.example"}),
    ],
)
def test_sec_146_a_secret_is_never_shown(value: dict[str, Any], shown: dict[str, Any]) -> None:
    issuer = {"issuer": "https://a", "keys": value}
    assert without_secrets(("issuers", "main"), issuer) == {"issuer": "https://a", "keys": shown}


def test_sec_146_a_whole_document_is_shown_without_any_of_its_secrets() -> None:
    document = {
        "signing": {"master_key": "hunter2", "keys": {"a": {"alg": "HS256", "secret": "hunter2"}}},
        "secret_stores": {"v": {"vault": {"address": "https://v", "auth": {"approle": {"secret_id": "hunter2"}}}}},
        "issuers": {"o": {"introspection": {"authorization": "Basic hunter2", "body": {"a": "hunter2"}}}},
        "consumers": {"c": {"credentials": {"k": {"alg": "HS256", "secret": "hunter2"}}}},
        "routes": {"r": {"path": "/hunter"}},
    }
    shown = without_secrets((), document)
    assert "hunter2" not in repr(shown)
    assert shown["routes"] == document["routes"]
    assert shown["consumers"]["c"]["credentials"]["k"]["alg"] == "HS256"
    assert document["signing"]["master_key"] == "hunter2"  # type: ignore[index]


def test_a_credential_alone_is_shown_without_its_secret() -> None:
    place = ("consumers", "c", "credentials", "k")
    assert without_secrets(place, {"alg": "HS256", "secret": "hunter2"}) == {"alg": "HS256", "secret": "***"}


def test_sec_146_annotations_are_shown_to_nobody_whatever_they_hold() -> None:
    consumer = {"groups": ["a"], "annotations": {"x": {"secret": "hunter2", "n": 1}}}
    assert without_secrets(("consumers", "c"), consumer) == {"groups": ["a"], "annotations": "***"}
    assert list(secrets_in(("consumers", "c"), consumer)) == []


def test_sec_146_an_api_key_is_not_shown_and_a_name_is() -> None:
    place = ("consumers", "c", "credentials", "k")
    assert without_secrets(place, {"api_key": "hunter2"}) == {"api_key": "***"}
    assert without_secrets(place, {"named": "k1", "api_key": "${env:K}"}) == {"named": "k1", "api_key": "${env:K}"}


def test_secrets_that_stand_in_the_data_are_found() -> None:
    issuers = {"a": {"keys": {"secret": "hunter2"}}, "b": {"keys": {"secret": "${env:S}"}}, "c": {"keys": {"pem": PEM}}}
    assert list(secrets_in((), {"issuers": issuers})) == [("issuers", "a", "keys", "secret")]
    assert list(secrets_in(("issuers",), issuers)) == [("issuers", "a", "keys", "secret")]
    assert list(secrets_in((), {"listen": ["a"]})) == []
