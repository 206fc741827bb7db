"""What may stand at a place, and whether it is secret."""

from __future__ import annotations

import pytest

from jwtgate.config.schema import below, is_sealed, is_secret, keeps_references, keys_at, root


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
        ("consumers", "a", "credentials", "b", "api_key"),
        ("consumers", "a", "annotations", "b", "c", 0),
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


def test_a_reference_is_kept_where_a_secret_stands_and_where_it_may_lead_to_a_name() -> None:
    credential = ("consumers", "a", "credentials", "b")
    assert keeps_references((*credential, "named"))
    assert not is_secret((*credential, "named"))
    assert keeps_references((*credential, "secret"))
    assert not keeps_references((*credential, "alg"))


def test_annotations_alone_are_secret_as_a_whole() -> None:
    consumer = below(below(root(), "consumers"), "a")
    assert is_sealed(below(consumer, "annotations"))
    assert not is_sealed(below(consumer, "attributes"))
