from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from jwtgate.policy import sources
from jwtgate.policy.sources import CredentialSource, IntrospectionSource, KeySource, KeyText, SecretStore, SigningKeys

SECRET = "s3cret-value"


@pytest.mark.parametrize(
    "value",
    [
        KeyText(text=SECRET),
        KeySource("main", "iss", frozenset(), password=SECRET),
        IntrospectionSource("main", "iss", client_secret=SECRET, authorization=SECRET, body=(("a", SECRET),)),
        CredentialSource("key", "1", "acme", "HS256", key=KeyText(text=SECRET), private_key=KeyText(text=SECRET)),
        SigningKeys("default", secret=KeyText(text=SECRET), password=SECRET),
        SecretStore("vault", "vault", {"token": SECRET}),
    ],
)
def test_sec_35_nothing_secret_is_shown(value: object) -> None:
    assert SECRET not in repr(value)


def test_every_source_is_a_value() -> None:
    kinds = [each for each in vars(sources).values() if is_dataclass(each) and each.__module__ == sources.__name__]
    assert len(kinds) >= 8
    assert all(kind.__dataclass_params__.frozen and fields(kind) for kind in kinds)  # type: ignore[attr-defined]
