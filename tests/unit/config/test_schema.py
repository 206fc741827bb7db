"""What may stand at a place, and whether it is secret."""

from __future__ import annotations

import pytest

from jwtgate.config.schema import is_secret, keys_at


@pytest.mark.parametrize(
    "place",
    [
        ("issuers", "a", "keys", "secret"),
        ("issuers", "a", "keys", "pem"),
        ("issuers", "a", "keys", "jwks"),
        ("issuers", "a", "keys", "jwks", "keys", 0, "k"),
        ("issuers", "a", "keys", "password"),
        ("issuers", "a", "introspection", "client_secret"),
        ("issuers", "a", "introspection", "client_key", "pem"),
        ("issuers", "a", "introspection", "authorization"),
        ("issuers", "a", "introspection", "body", "x"),
        ("signing", "master_key"),
        ("signing", "keys", "a", "secret"),
        ("signing", "keys", "a", "password"),
        ("consumers", "a", "credentials", "b", "secret"),
        ("consumers", "a", "credentials", "b", "private_key"),
        ("consumers", "a", "credentials", "b", "jwks", 0),
        ("secret_stores", "a", "vault", "auth", "token"),
        ("secret_stores", "a", "vault", "auth", "approle", "secret_id"),
        ("secret_stores", "a", "aws", "secret_access_key"),
    ],
)
def test_sec_149_a_place_of_a_secret_is_known(place: tuple[str | int, ...]) -> None:
    assert is_secret(place)


@pytest.mark.parametrize(
    "place",
    [
        (),
        ("listen",),
        ("issuers", "keys", "issuer"),
        ("issuers", "a", "keys", "url"),
        ("issuers", "a", "introspection", "client_id"),
        ("signing", "keys", "secret", "alg"),
        ("routes", "secret", "path"),
        ("consumers", "secret", "external_id"),
        ("secret_stores", "token", "vault", "address"),
        ("nothing", "of", "the", "sort"),
    ],
)
def test_a_place_of_no_secret_is_known_too(place: tuple[str | int, ...]) -> None:
    assert not is_secret(place)


def test_the_keys_of_a_section_are_known() -> None:
    assert {"listen", "routes", "admin"} <= set(keys_at(()))
    assert set(keys_at(("routes", "a", "issue", 0, "set", "b"))) == set(keys_at(("routes", "a", "issue", "add", "b")))
    assert "cel" in keys_at(("routes", "a", "headers", "X-A"))
    assert keys_at(("listen", 0, "address")) == ()
