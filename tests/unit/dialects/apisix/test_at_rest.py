"""Secrets as the other gateway keeps them."""

from __future__ import annotations

import pytest

from jwtgate.dialects.apisix.at_rest import encrypted, encrypted_text
from jwtgate.dialects.apisix.settings import PUBLIC_KEYRING


@pytest.mark.parametrize(
    ("ring", "text"),
    [(PUBLIC_KEYRING, "kK0lkbzXrE7aiTiyK/Z0Sw=="), (("edd1c9f0985e76a2",), "IRWpPjbDq5BCgHyIllnOMA==")],
)
def test_the_published_values_are_met(ring: tuple[str, ...], text: str) -> None:
    assert encrypted_text("my-secret-key", ring) == text


def test_an_entry_of_32_characters_is_a_key_of_256_bits() -> None:
    assert encrypted_text("ü", ("0123456789abcdef0123456789abcdef",)) == "lYXga1RJ0J7gDp6ISEv5UA=="


def test_the_secrets_of_plugins_are_encrypted_and_nothing_else() -> None:
    value = {
        "username": "jack",
        "plugins": {
            "jwt-auth": {"key": "jack-key", "secret": "my-secret-key", "private_key": "$secret://vault/1/jack/pem"},
            "key-auth": {"key": "my-secret-key"},
            "limit-count": {"count": 1},
        },
    }
    shown = encrypted("consumers", value, PUBLIC_KEYRING)
    assert shown["plugins"]["jwt-auth"] == {
        "key": "jack-key",
        "secret": "kK0lkbzXrE7aiTiyK/Z0Sw==",
        "private_key": "$secret://vault/1/jack/pem",
    }
    assert shown["plugins"]["key-auth"] == {"key": "kK0lkbzXrE7aiTiyK/Z0Sw=="}
    assert shown["plugins"]["limit-count"] == {"count": 1}


def test_without_a_ring_and_elsewhere_nothing_is_encrypted() -> None:
    value = {"plugins": {"key-auth": {"key": "k"}}}
    assert encrypted("consumers", value, ()) == value
    assert encrypted("routes", value, PUBLIC_KEYRING) == value
    assert encrypted("consumers", {"username": "jack"}, PUBLIC_KEYRING) == {"username": "jack"}
