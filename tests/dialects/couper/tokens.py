"""The tokens of the published examples, and others made with the same secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt

SECRET = "y0urS3cretT08eU5edF0rC0uPerInThe3xamp1e"
T1 = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6ImZvbyBiYXIiLCJzdWIiOiJqb2huLmRvZSJ9"
    ".watraXUHbTFIWjD-wJA-wvohOnUfiJNrJ3yFvH-wVEo"
)
T2 = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjEsInNjb3BlIjoiZm9vIGJhciIsInN1YiI6ImpvaG4uZG9lIn0"
    ".YJjED7wIgT5MAzHGAs9BVf0_PEw9R21bCLLESnMXFKg"
)
T3 = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6WyJmb28iLCJiYXIiXSwic3ViIjoiam9obi5kb2UifQ"
    ".SH9noH9m1EfIhJYK1VxP23_jviMfrzakPL1I0Wfn6yk"
)
T4 = T1[:-8]


def token(claims: dict[str, Any], *, secret: str = SECRET, alg: str = "HS256") -> str:
    """A token with these claims, made with the secret."""
    parts = [_encoded({"alg": alg, "typ": "JWT"}), _encoded(claims)]
    signature = hmac.digest(secret.encode(), ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, _base64url(signature)])


def signed(key: Any, alg: str, claims: dict[str, Any] | None = None, **header: Any) -> str:
    """A token that a library nobody here wrote signed; its subject is that of the examples unless claims are given."""
    return jwt.encode({"sub": "john.doe"} if claims is None else claims, key, algorithm=alg, headers=header)


def compact(header: object, claims: object, sign: Callable[[bytes], bytes] | None = None) -> str:
    """A token with exactly this header and these claims, texts as they stand, signed so; by the secret if not told."""
    parts = ".".join(_base64url(each.encode() if isinstance(each, str) else _json(each)) for each in (header, claims))
    by = sign or (lambda data: hmac.digest(SECRET.encode(), data, hashlib.sha256))
    return f"{parts}.{_base64url(by(parts.encode()))}"


def unsigned(claims: dict[str, Any]) -> str:
    """A token that nobody signed."""
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{_encoded(claims)}."


def claims_of(text: str) -> dict[str, Any]:
    """The claims of a token, unproven."""
    claims: dict[str, Any] = json.loads(_decoded(text.split(".")[1]))
    return claims


def header_of(text: str) -> dict[str, Any]:
    """The header of a token."""
    header: dict[str, Any] = json.loads(_decoded(text.split(".")[0]))
    return header


def _encoded(value: dict[str, Any]) -> str:
    return _base64url(_json(value))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
