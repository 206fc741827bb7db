"""Tokens callers make for themselves, with a library nobody here wrote, and the keys they make them with."""

from __future__ import annotations

import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

SECRET = "jack-hs256-secret-that-is-very-long"
LONG_SECRET = SECRET * 2


def token(
    key: str | bytes = SECRET, alg: str = "HS256", /, *, header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A token that says `jack-key` unless told otherwise; None takes a claim away."""
    whole = {"key": "jack-key", **claims}
    held = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(held, key, algorithm=alg, headers=header)


def soon(seconds: int = 60) -> int:
    """An instant so many seconds from now."""
    return int(time.time()) + seconds


def tampered(text: str) -> str:
    """The token with one of its signature's characters changed, so that it means other bytes."""
    head, _, signature = text.rpartition(".")
    return f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def pair(alg: str) -> tuple[str, str]:
    """A private key for this algorithm and its public half, as PEM texts."""
    key = _made(alg)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def _made(alg: str) -> PrivateKeyTypes:
    match alg:
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ES512":
            return ec.generate_private_key(ec.SECP521R1())
    return rsa.generate_private_key(65537, 2048)
