"""Secrets as the other gateway keeps them."""

from __future__ import annotations

import pytest

from jwtgate.dialects.apisix.at_rest import decrypted, decrypted_text, encrypted, encrypted_text
from jwtgate.dialects.apisix.settings import PUBLIC_KEYRING


@pytest.mark.parametrize(
    ("ring", "text"),
    [(PUBLIC_KEYRING, "kK0lkbzXrE7aiTiyK/Z0Sw=="), (("edd1c9f0985e76a2",), "IRWpPjbDq5BCgHyIllnOMA==")],
)
def test_the_published_values_are_met(ring: tuple[str, ...], text: str) -> None:
    assert encrypted_text("my-secret-key", ring) == text
    assert decrypted_text(text, ring) == "my-secret-key"


def test_an_entry_of_32_characters_is_a_key_of_256_bits() -> None:
    ring = ("0123456789abcdef0123456789abcdef",)
    assert decrypted_text(encrypted_text("ü", ring), ring) == "ü"


def test_every_key_of_the_ring_is_tried() -> None:
    assert decrypted_text("IRWpPjbDq5BCgHyIllnOMA==", PUBLIC_KEYRING) == "my-secret-key"


@pytest.mark.parametrize("text", ["", "no base64!", "AAAA", "kK0lkbzXrE7aiTiyK/Z0Sg=="])
def test_what_no_key_opens_is_no_text(text: str) -> None:
    assert decrypted_text(text, PUBLIC_KEYRING) is None


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
    assert decrypted("consumers", shown, PUBLIC_KEYRING) == value


def test_without_a_ring_and_elsewhere_nothing_is_encrypted() -> None:
    value = {"plugins": {"key-auth": {"key": "k"}}}
    assert encrypted("consumers", value, ()) == decrypted("consumers", value, ()) == value
    assert encrypted("routes", value, PUBLIC_KEYRING) == decrypted("routes", value, PUBLIC_KEYRING) == value
    assert encrypted("consumers", {"username": "jack"}, PUBLIC_KEYRING) == {"username": "jack"}


def test_what_cannot_be_opened_stays_as_it_is() -> None:
    value = {"plugins": {"key-auth": {"key": "in the clear"}}}
    assert decrypted("credentials", value, PUBLIC_KEYRING) == value
