"""The section `consumers`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from jwtgate.config.sections.callers.consumers import ConsumerSection, CredentialSection, as_base64url, derived_id

SECRET = "Zm9vYmFyYmF6cXV4-quite-random-1234567890-abc"


def sentence(value: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as error:
        CredentialSection.model_validate(value)
    return str(error.value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"alg": "HS256", "secret": SECRET}, "secret"),
        ({"alg": "HS256", "secret": "${vault:a#b}"}, "secret"),
        ({"alg": "HS256", "secret": "c2hvcnQgYnV0IG5vdCB0b28gc2hvcnQgaW5kZWVkIQ/+", "base64": True}, "secret"),
        ({"alg": "HS512", "secret": "legacy", "short_secret_allowed_for_legacy_credential": True}, "secret"),
        ({"alg": "RS256", "public_key": "-----BEGIN PUBLIC KEY-----"}, "public_key"),
        ({"alg": "RS256", "public_key": "-----BEGIN PUBLIC KEY-----", "private_key": "${env:K}"}, "public_key"),
        ({"alg": "EdDSA", "jwks": {"keys": []}}, "jwks"),
        ({"alg": "HS256", "jwks": [{"kty": "oct", "k": "x"}]}, "jwks"),
        ({"alg": "ES256", "file": "k.json"}, "file"),
        ({"alg": "ES256", "keys": {"url": "https://ann.example/jwks"}}, "keys"),
        ({"alg": "ES256", "keys": {"url": "http://127.0.0.1:1/jwks"}, "private_key": "${env:K}"}, "keys"),
        ({"alg": "ES256", "keys": {"url": "http://ann.example/jwks", "insecure_http": True}}, "keys"),
        ({"api_key": "a key of its own"}, "api_key"),
        ({"api_key": "a", "claims": {"sub": "ann", "exp": 1}}, "api_key"),
        ({"api_key": "${env:KEY}", "may_wait_for_its_secrets": True}, "api_key"),
        ({"alg": "HS256", "secret": SECRET, "named": "k1"}, "secret"),
        ({"alg": "HS256", "secret": SECRET, "named": "${vault:jack#key}\n"}, "secret"),
        (
            {
                "alg": "HS256",
                "secret": "token",
                "short_secret_allowed_for_legacy_credential": True,
                "guessable_secret_allowed_for_legacy_credential": True,
            },
            "secret",
        ),
        ({"alg": "HS256", "secret": SECRET, "leeway_seconds": 300}, "secret"),
        (
            {"alg": "HS256", "secret": SECRET, "leeway_seconds": 86400, "long_leeway_allowed_for_legacy_tokens": True},
            "secret",
        ),
    ],
)
def test_a_credential_has_one_key(value: dict[str, Any], kind: str) -> None:
    assert CredentialSection.model_validate(value).kind == kind


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"alg": "HS256"}, "needs exactly one of secret, public_key, jwks, file"),
        ({"alg": "HS256", "secret": SECRET, "file": "x"}, "needs exactly one of"),
        ({"secret": SECRET}, "needs alg"),
        ({"alg": "none", "secret": SECRET}, "must be one of HS256"),
        ({"alg": "RS256", "secret": SECRET}, "a secret serves a MAC only"),
        ({"alg": "HS256", "public_key": "x"}, "never the secret of a MAC"),
        ({"alg": "HS256", "secret": SECRET, "private_key": "x"}, "a MAC has no private key"),
        ({"alg": "RS256", "file": "x", "base64": True}, "stand beside secret only"),
        ({"alg": "HS256", "secret": "short-hunter2"}, "the secret cannot be used"),
        ({"alg": "HS256", "secret": "secret", "short_secret_allowed_for_legacy_credential": True}, "cannot be used"),
        ({"alg": "HS256", "secret": "no base64!", "base64": True}, "the secret is not base64"),
        ({"alg": "ES256", "keys": {"url": "https://a/k"}, "file": "x"}, "needs exactly one of"),
        ({"alg": "HS256", "keys": {"url": "https://a/k"}}, "a secret is never fetched"),
        ({"keys": {"url": "https://a/k"}}, "needs alg"),
        ({"alg": "ES256", "keys": {}}, "Field required"),
        ({"alg": "ES256", "keys": {"url": "ftp://a/k"}}, "must be an http or https address"),
        ({"alg": "ES256", "keys": {"url": "http://a/k"}}, "keys are fetched by https"),
        ({"alg": "ES256", "keys": {"url": "https://a/k", "username": "b"}}, "username and password need each other"),
        ({"alg": "ES256", "keys": {"url": "https://a/k", "client_key": "b"}}, "client_certificate and client_key need"),
        ({"alg": "ES256", "keys": {"url": "https://a/k", "password": "***", "username": "b"}}, "that is not shown"),
        ({"alg": "ES256", "keys": {"url": "https://a/k"}, "base64": True}, "stand beside secret only"),
        ({"api_key": "a", "alg": "HS256"}, "an API key stands alone"),
        ({"api_key": "a", "named": "b"}, "an API key stands alone"),
        ({"api_key": "a", "private_key": "b"}, "an API key stands alone"),
        ({"api_key": "a", "base64": True}, "stand beside secret only"),
        ({"alg": "HS256", "secret": SECRET, "claims": {"sub": "ann"}}, "claims are those of an API key"),
        ({"api_key": "a", "secret": SECRET}, "needs exactly one of"),
        ({"api_key": "***"}, "stands for a secret that is not shown"),
        ({"alg": "HS256", "secret": SECRET, "named": ""}, "at least 1 character"),
        ({"alg": "HS256", "secret": SECRET, "named": "a\n"}, "named has at most 256 characters"),
        ({"alg": "HS256", "secret": SECRET, "named": "x" * 257}, "named has at most 256 characters"),
        ({"alg": "HS256", "secret": SECRET, "leeway_seconds": 301}, "needs long_leeway_allowed_for_legacy_tokens"),
        (
            {"alg": "HS256", "secret": "guessed-hunter2", "guessable_secret_allowed_for_legacy_credential": True},
            "the secret cannot be used",
        ),
        ({"alg": "HS256", "secret": "***"}, "stands for a secret that is not shown"),
        ({"alg": "HS256", "jwks": {"keys": [{"kty": "oct", "k": "***"}]}}, "stands for a secret that is not shown"),
    ],
)
def test_sec_22_anything_else_is_no_credential(value: dict[str, Any], wanted: str) -> None:
    found = sentence(value)
    assert wanted in found
    assert "hunter2" not in found


def test_both_alphabets_of_base64_are_read() -> None:
    assert as_base64url("a+b/cg==") == as_base64url("a-b_cg") == "a-b_cg"


@pytest.mark.parametrize("key", ["", "a\n", "x" * 257])
def test_a_credential_has_a_name_a_token_can_hold(key: str) -> None:
    with pytest.raises(ValidationError):
        ConsumerSection.model_validate({"credentials": {key: {"alg": "HS256", "secret": SECRET}}})
    ConsumerSection.model_validate({"credentials": {"any name ü": {"alg": "HS256", "secret": SECRET}}})


def test_annotations_are_any_object() -> None:
    held = {"kept": [1, {"by": None}], "text": "${no:reference"}
    assert ConsumerSection.model_validate({"annotations": held}).annotations == held
    with pytest.raises(ValidationError):
        ConsumerSection.model_validate({"annotations": "text"})


def test_an_id_follows_from_the_names_alone() -> None:
    assert derived_id("a") == derived_id("a") != derived_id("b")
    assert derived_id("a", "b") != derived_id("ab")
    assert UUID(derived_id("a")).version == 5
    assert UUID(derived_id("a")).variant == UUID(int=0).variant.__class__("specified in RFC 4122")
