"""A key, a document whose only issuer's keys stand in it, and tokens of that issuer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import Key, generate_key
from jwtgate.verifier import sign

NOON = 1_750_000_000
ISSUER = "https://issuer.example"
AUDIENCE = "https://orders.example"


@pytest.fixture(scope="session")
def key() -> Key:
    return generate_key("ES256", kid="k1").bound_to("ES256")


@pytest.fixture
def key_file(key: Key, tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key.to_private_jwk()))
    return path


@pytest.fixture
def document(key: Key, tmp_path: Path) -> Path:
    """A document with a route for orders, one that takes a cookie or nothing, and one for everybody."""
    path = tmp_path / "gate.yaml"
    upstream = {"upstream": "echo"}
    issuer = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "algorithms": ["ES256"],
        "keys": {"jwks": {"keys": [key.to_jwk()]}},
    }
    remote = {
        "issuer": "https://remote.example",
        "audience": AUDIENCE,
        "algorithms": ["ES256"],
        "keys": {"url": "https://remote.example/jwks"},
    }
    text = {
        "listen": "127.0.0.1:8080",
        "issuers": {"main": issuer, "remote": remote},
        "signing": {"issuer": "https://gate.example"},
        "upstreams": {"echo": {"targets": ["http://127.0.0.1:9020"]}},
        "routes": {
            "orders": {
                "path": "/orders/*",
                "methods": ["GET"],
                "auth": "required",
                "issuers": ["main", "remote"],
                "scope": "orders:read",
                "claims": [{"claim": "tenant", "equals": "acme"}],
                "issue": {"audience": "https://orders.internal", "copy": ["sub"]},
                "headers": {"X-Caller": {"claim": "sub"}},
                **upstream,
            },
            "shop": {"path": "/shop", "auth": "optional", "issuers": ["main"], "from": {"cookie": "sid"}, **upstream},
            "health": {"path": "/health", "auth": "none", **upstream},
        },
    }
    path.write_text(json.dumps(text))
    return path


@pytest.fixture
def token(key: Key) -> Callable[..., str]:
    """Makes a good token of the issuer, with these claims changed; None leaves one out."""

    def make(**changed: JSON) -> str:
        claims: dict[str, JSON] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "alice",
            "tenant": "acme",
            "scope": "orders:read orders:write",
            "exp": NOON + 60,
            **changed,
        }
        return sign({name: value for name, value in claims.items() if value is not None}, key, typ="at+jwt")

    return make
