"""Secrets as the other gateway keeps them: AES in CBC mode, its key its own initialisation vector, in base64.

It hides a secret from who glances at it and from nobody who has the key ring; what is kept here is sealed by
`JWTGATE_MASTER_KEY`. This is only spoken: answers show it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
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


def _cipher(key: str) -> Cipher[CBC]:
    secret = key.encode()
    return Cipher(AES(secret), CBC(secret[:16]))


def encrypted(resource: str, value: Mapping[str, Any], keyring: Sequence[str]) -> dict[str, Any]:
    """The object as it is shown after a change, with the secrets of its plugins encrypted, references apart.

    With an empty ring the object as it is.
    """
    if not keyring or resource not in _CALLERS:
        return dict(value)
    if not isinstance(value.get("plugins"), dict):
        return dict(value)
    plugins = {
        name: {
            member: encrypted_text(held, keyring) if _is_hidden(name, member, held) else held
            for member, held in conf.items()
        }
        for name, conf in value["plugins"].items()
    }
    return {**value, "plugins": plugins}


def _is_hidden(plugin: str, member: str, held: object) -> bool:
    return member in ENCRYPTED.get(plugin, ()) and isinstance(held, str) and not is_reference(held)
