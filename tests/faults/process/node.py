"""A supervisor and two workers before an upstream that echoes, with tokens of RS256."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration import supervised
from tests.integration.gateway_process import GatewayProcess
from tests.integration.loopback_server import LoopbackServer

from jwtgate.jose.key import generate_key
from jwtgate.jose.token import sign_token

KEY = generate_key("RS256", kid="k1")
KEYS = json.dumps({"jwks": {"keys": [KEY.public().to_jwk()]}})
CLIENTS = 8


def token(*, seconds: float = 0.0) -> str:
    """A good token, issued so many seconds from now and good for ten minutes."""
    claims: dict[str, Any] = supervised.claims()
    return sign_token({**claims, "exp": claims["exp"] + int(seconds)}, KEY, alg="RS256")


def document(upstream: str, **changes: Any) -> str:
    """The document of supervised nodes, for these tokens."""
    return supervised.document(upstream, **{"keys": KEYS, "alg": "RS256", **changes})


@contextmanager
def running(folder: Path, **changes: Any) -> Iterator[tuple[GatewayProcess, LoopbackServer]]:
    """A node that serves, with two workers unless told otherwise, and its upstream."""
    environ, workers = changes.pop("environ", None), changes.pop("workers", 2)
    with (
        LoopbackServer() as upstream,
        GatewayProcess(folder, document(upstream.url, **changes), workers=workers, environ=environ) as gateway,
    ):
        yield gateway, upstream
