"""Proofs as a client makes them: each is good as it comes, and one change makes it bad."""

from __future__ import annotations

from typing import Any

from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import sign_token
from jwtgate.oauth.dpop import access_token_hash

NOON = 1_800_000_000
CLIENT_KEY, THIEFS_KEY = generate_key("ES256"), generate_key("ES256")
URL = "https://api.example/orders"
JKT = CLIENT_KEY.thumbprint()
BOUND: dict[str, JSON] = {"jkt": JKT}


def a_proof(
    token: str = "abc",
    *,
    key: Key = CLIENT_KEY,
    alg: str = "ES256",
    header: Any = None,
    typ: str | None = "dpop+jwt",
    **changes: JSON,
) -> str:
    """A good proof with these claims changed; None takes a claim away."""
    claims: dict[str, JSON] = {
        "jti": "e1j3V_bKic8",
        "htm": "GET",
        "htu": URL,
        "iat": NOON,
        "ath": access_token_hash(token),
        **changes,
    }
    named = {"jwk": key.public().with_kid(None).to_jwk()} if header is None else header
    said = {name: value for name, value in claims.items() if value is not None}
    return sign_token(said, key.with_kid(None), alg=alg, typ=typ, header=named)
