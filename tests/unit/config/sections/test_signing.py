"""The section `signing`: our name and our keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document
from jwtgate.jose.key import generate_key

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


def test_keys_are_made_by_default(load: Load) -> None:
    signing = load({}).signing
    assert signing is not None
    assert {name: keys.alg for name, keys in signing.keys.items()} == {"default": "ES256"}


@pytest.mark.parametrize("alg", ["none", "ES521"])
def test_sec_38_we_never_sign_with_an_unknown_algorithm(mistakes: Find, alg: str) -> None:
    (mistake,) = mistakes({"signing/keys": {"a": {"alg": alg}}})
    assert mistake.startswith("signing.keys.a.alg: must be one of HS256")


def test_no_keys_are_a_mistake(mistakes: Find) -> None:
    assert mistakes({"signing/keys": {}}) == ["signing.keys: must not be empty"]


SECRET = "Zm9vYmFyYmF6cXV4-quite-random-1234567890-abc"


@pytest.mark.parametrize(
    "keys",
    [
        {"alg": "RS256", "file": "k.pem", "certificate_file": "c.pem"},
        {"url": "https://a.example/keys", "username": "a", "password": "${env:P}", "refresh_seconds": 60.0},
        {"url": "https://a.example/keys", "client_certificate": "c.pem", "client_key": "k.pem"},
        {"url": "http://a.example/keys", "insecure_http": True},
        {"alg": "HS256", "secret": SECRET},
        {"alg": "HS256", "secret": "${vault:a#b}", "base64url": True},
        {"rotate_every_seconds": 86400, "published": False},
    ],
)
def test_keys_are_made_here_or_come_from_one_place(mistakes: Find, keys: dict[str, Any]) -> None:
    assert mistakes({"signing/keys": {"a": keys}}) == []


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"alg": "HS256"}, "a MAC algorithm and secret need each other"),
        ({"secret": SECRET}, "a MAC algorithm and secret need each other"),
        ({"alg": "HS256", "secret": "hunter2"}, "the secret cannot be used"),
        ({"alg": "HS256", "secret": "not base64!", "base64url": True}, "the secret is not base64url"),
        ({"alg": "HS256", "secret": SECRET, "published": True}, "a secret is never published"),
        ({"alg": "HS256", "secret": SECRET, "file": "k"}, "file, secret exclude each other"),
        ({"base64url": True}, "base64url stands beside secret only"),
        ({"certificate_file": "c"}, "certificate_file needs file"),
        ({"file": "k", "rotate_every_seconds": 60}, "are rotated there"),
        ({"rotate_every_seconds": 59}, "must be at least 60"),
        ({"username": "a", "password": "b"}, "username, password need url"),
        ({"url": "https://a", "username": "a"}, "username and password need each other"),
        ({"url": "https://a", "client_key": "a"}, "client_certificate and client_key need each other"),
        ({"url": "http://a.example/keys"}, "private keys are fetched by https"),
    ],
)
def test_sec_155_keys_that_cannot_be_ours_are_refused(mistakes: Find, keys: dict[str, Any], sentence: str) -> None:
    (mistake,) = mistakes({"signing/keys": {"a": keys}})
    assert sentence in mistake
    assert "hunter2" not in mistake


PAIR, MAC = generate_key("ES256"), generate_key("HS256")


def keys_of(alg: str, jwks: object, **more: object) -> dict[str, Any]:
    return {"signing/keys": {"a": {"alg": alg, "jwks": jwks, **more}}}


@pytest.mark.parametrize(
    ("alg", "jwks"),
    [
        ("ES256", PAIR.to_private_jwk()),
        ("ES256", [MAC.to_private_jwk(), PAIR.to_private_jwk()]),
        ("HS256", {"keys": [PAIR.to_private_jwk(), MAC.to_private_jwk()]}),
        ("ES256", {"keys": [{"kty": "EC", "d": "${env:KEY}"}]}),
    ],
)
def test_keys_may_stand_in_the_document(mistakes: Find, alg: str, jwks: object) -> None:
    assert mistakes(keys_of(alg, jwks)) == []


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (keys_of("RS256", PAIR.to_private_jwk()), "jwks holds no private key that signs with RS256"),
        (keys_of("HS256", PAIR.to_private_jwk()), "jwks holds no private key that signs with HS256"),
        (keys_of("ES256", PAIR.to_jwk()), "jwks holds no private key that signs with ES256"),
        (keys_of("ES256", {"keys": []}), "jwks cannot be used: The key set holds no usable key."),
        (keys_of("ES256", {"keys": [{"kty": "EC"}]}), "jwks cannot be used: The key cannot be read."),
        (
            keys_of("ES256", PAIR.to_private_jwk(), file="k.pem"),
            "keys come from one place; file, jwks exclude each other",
        ),
        (keys_of("ES256", PAIR.to_private_jwk(), rotate_every_seconds=60), "rotate_every_seconds cannot stand here"),
        (keys_of("ES256", PAIR.to_private_jwk(), base64url=True), "base64url stands beside secret only"),
    ],
)
def test_keys_in_the_document_that_cannot_sign_are_refused(mistakes: Find, keys: dict[str, Any], sentence: str) -> None:
    (mistake,) = mistakes(keys)
    assert mistake.endswith(sentence)
    assert str(PAIR.to_private_jwk()["d"]) not in mistake


def test_a_key_may_stand_in_a_pem_text(mistakes: Find) -> None:
    assert mistakes({"signing/keys": {"a": {"pem": "${env:K}", "signs_any_claims_for_legacy_readers": True}}}) == []
    (mistake,) = mistakes({"signing/keys": {"a": {"pem": "${env:K}", "file": "k.pem"}}})
    assert "file, pem exclude each other" in mistake


def test_a_weak_secret_needs_words_nobody_writes_by_accident(mistakes: Find) -> None:
    short, guessable = "short_secret_allowed_for_legacy_readers", "guessable_secret_allowed_for_legacy_readers"
    assert mistakes({"signing/keys": {"a": {"alg": "HS256", "secret": "hunter2", short: True, guessable: True}}}) == []
    for flag in (short, guessable):
        (mistake,) = mistakes({"signing/keys": {"a": {flag: True}}})
        assert mistake.endswith(f"{flag} stands beside secret only")


def test_a_plug_in_may_be_given_anything(mistakes: Find) -> None:
    assert mistakes({"signing/generators": {"mine": {"plug_in": "acme", "given": {"a": [1, None]}}}}) == []
    assert len(mistakes({"signing/generators": {"mine": {"given": {}}}})) == 1
    assert len(mistakes({"signing/generators": {"mine": {"plug_in": "acme", "given": [1]}}})) == 1
