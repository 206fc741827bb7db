"""Secrets as the other gateway keeps them: AES in CBC mode, its key its own initialisation vector, in base64.

It hides a secret from who glances at it and from nobody who has the key ring; what is kept here is sealed by
`JWTGATE_MASTER_KEY`. This is only spoken: answers show it, and what others wrote is read by it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from jwtgate.dialects.apisix.schema.plugins import is_reference

ENCRYPTED: Mapping[str, tuple[str, ...]] = {"jwt-auth": ("secret", "private_key"), "key-auth": ("key",)}
"""By plugin, the members that are encrypted where they are kept."""
_CALLERS = ("consumers", "credentials")


def encrypted_text(text: str, keyring: Sequence[str]) -> str:
    """The text under the first key of the ring, in base64."""
    padder = PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = _cipher(keyring[0]).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def decrypted_text(text: str, keyring: Sequence[str]) -> str | None:
    """What was encrypted under one of the keys of the ring; None when none of them gives text."""
    for key in keyring:
        try:
            decryptor = _cipher(key).decryptor()
            padded = decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize()
            unpadder = PKCS7(128).unpadder()
            return (unpadder.update(padded) + unpadder.finalize()).decode()
        except (ValueError, binascii.Error):
            continue
    return None


def _cipher(key: str) -> Cipher[CBC]:
    secret = key.encode()
    return Cipher(AES(secret), CBC(secret[:16]))


def encrypted(resource: str, value: Mapping[str, Any], keyring: Sequence[str]) -> dict[str, Any]:
    """The object as it is shown after a change, with the secrets of its plugins encrypted, references apart.

    With an empty ring the object as it is.
    """
    if not keyring or resource not in _CALLERS:
        return dict(value)
    return _changed(value, lambda text: text if is_reference(text) else encrypted_text(text, keyring))


def decrypted(resource: str, value: Mapping[str, Any], keyring: Sequence[str]) -> dict[str, Any]:
    """The object with the secrets of its plugins in the clear; what none of the keys opens stays as it is."""
    if not keyring or resource not in _CALLERS:
        return dict(value)
    return _changed(value, lambda text: decrypted_text(text, keyring) or text)


def _changed(value: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    if not isinstance(value.get("plugins"), dict):
        return dict(value)
    plugins = {
        name: {
            member: change(held) if member in ENCRYPTED.get(name, ()) and isinstance(held, str) else held
            for member, held in conf.items()
        }
        for name, conf in value["plugins"].items()
    }
    return {**value, "plugins": plugins}
