from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from jwtgate.policy import sources
from jwtgate.policy.sources import (
    CredentialSource,
    Fetching,
    IntrospectionSource,
    KeysAddress,
    KeySource,
    KeyText,
    SecretStore,
    SigningKeys,
)

SECRET = "s3cret-value"


@pytest.mark.parametrize(
    "value",
    [
        KeyText(text=SECRET),
        KeySource("main", "iss", frozenset(), password=SECRET),
        IntrospectionSource("main", "iss", client_secret=SECRET, authorization=SECRET, body=(("a", SECRET),)),
        CredentialSource("key", "1", "acme", "HS256", key=KeyText(text=SECRET), private_key=KeyText(text=SECRET)),
        CredentialSource("key", "1", "acme", "ES256", address=KeysAddress("https://a/k", "me", SECRET)),
        SigningKeys("default", secret=KeyText(text=SECRET), password=SECRET),
        SecretStore("vault", "vault", {"token": SECRET}),
    ],
)
def test_sec_35_nothing_secret_is_shown(value: object) -> None:
    assert SECRET not in repr(value)


def test_the_keys_of_an_address_are_those_of_one_algorithm() -> None:
    address = KeysAddress("https://a/k", "me", SECRET, "me.pem", "me.key", 60, "ca.pem", insecure_http=True)
    assert address.source("ES256") == KeySource(
        "https://a/k",
        "",
        frozenset({"ES256"}),
        url="https://a/k",
        refresh_seconds=60,
        fetching=Fetching(ca_file="ca.pem", insecure_http=True),
        username="me",
        password=SECRET,
        client_certificate_file="me.pem",
        client_key_file="me.key",
    )
    assert address.source("ES256") != address.source("RS256")
    assert not KeysAddress("https://a/k").source("ES256").fetching.insecure_http


def test_every_source_is_a_value() -> None:
    kinds = [each for each in vars(sources).values() if is_dataclass(each) and each.__module__ == sources.__name__]
    assert len(kinds) >= 8
    assert all(kind.__dataclass_params__.frozen and fields(kind) for kind in kinds)  # type: ignore[attr-defined]
