"""The tokens of the published examples, and others made with the same secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

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
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
