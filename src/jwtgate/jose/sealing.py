"""Bytes sealed for keeping: AES-256-GCM under a key derived from a master secret (SEC-150).

What is sealed is bound to its name, so that one record cannot be put in the place of another.
"""

from __future__ import annotations

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jwtgate.errors import KeyRefused

LEAST_MASTER_BYTES = 32
NONCE_BYTES = 12
_FORM = b"\x01"


def is_sealed(data: bytes) -> bool:
    """Whether this looks like something sealed, and not like text."""
    return data[:1] == _FORM


class Sealer:
    """Seals under one master secret of at least 32 bytes; `KeyRefused("key_too_weak")` for less."""

    __slots__ = ("_blinding", "_cipher")

    def __init__(self, master: bytes) -> None:
        if len(master) < LEAST_MASTER_BYTES:
            raise KeyRefused("key_too_weak", bits=len(master) * 8)
        self._cipher = AESGCM(_derived(master, b"jwtgate records"))
        self._blinding = _derived(master, b"jwtgate names")

    def blind(self, name: str) -> str:
        """A name in the place of this one, always the same, from which nobody without the secret can guess it."""
        return hmac.digest(self._blinding, name.encode(), "sha256").hex()

    def seal(self, data: bytes, name: str, *, nonce: bytes) -> bytes:
        """The sealed form of `data`. The 12 bytes of `nonce` must be fresh and random each time."""
        return _FORM + nonce + self._cipher.encrypt(nonce, data, _FORM + name.encode())

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """What was sealed under this name; `ValueError` when it was not, or not with this secret."""
        nonce = sealed[1 : 1 + NONCE_BYTES]
        if sealed[:1] != _FORM or len(nonce) != NONCE_BYTES:
            raise ValueError("not a sealed record")
        try:
            return self._cipher.decrypt(nonce, sealed[1 + NONCE_BYTES :], _FORM + name.encode())
        except InvalidTag:
            raise ValueError("sealed with another secret, or changed since") from None


def _derived(master: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=use).derive(master)
