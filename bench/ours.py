"""jwtgate as a contestant: one worker unless said otherwise, every feature of a normal configuration on."""

import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from .contestants import Contestant
from .processes import free_port
from .tokens import AUDIENCE, ISSUER

HOT_ROUTES = 100


def missing() -> str | None:
    """Why our gateway cannot be started, or None."""
    if importlib.util.find_spec("jwtgate.cli.main") is None:
        return "jwtgate serve is not there: pip install -e ."
    return None


def ours(folder: Path, upstream: int, *, routes: int = HOT_ROUTES, alg: str = "RS256") -> Contestant:
    """Our gateway with so many routes, issuing tokens signed with `alg`."""
    port = free_port()
    written = document(folder, port, upstream=upstream, routes=routes, alg=alg)
    return serving(f"jwtgate {routes} routes {alg}", folder, port, written=written)


def serving(name: str, folder: Path, port: int, *, written: Mapping[str, object], workers: int = 1) -> Contestant:
    """Our gateway with this document, which listens on `port`."""
    file = folder / f"{name.replace(' ', '-')}.json"
    file.write_text(json.dumps(written))
    script = str(Path(sys.executable).with_name("jwtgate"))
    return Contestant(
        name,
        "remembers verified and issued tokens",
        (script, "serve", str(file), "--workers", str(workers), "--state", str(file.with_suffix(".state"))),
        importlib.metadata.version("jwtgate"),
        port=port,
        start_seconds=300.0,
    )


def document(folder: Path, port: int, *, upstream: int, routes: int, alg: str) -> dict[str, object]:
    """The configuration: the shape of examples/quickstart.yaml with keys in files and many routes."""
    return {
        "listen": f"127.0.0.1:{port}",
        "issuers": {
            "bench": {
                "issuer": ISSUER,
                "keys": {"file": str(folder / "jwks.json")},
                "algorithms": ["RS256"],
                "audience": AUDIENCE,
            }
        },
        "signing": {
            "issuer": "https://gate.example",
            "keys": {"default": {"alg": alg}},
        },
        "upstreams": {"echo": {"targets": [f"http://127.0.0.1:{upstream}"]}},
        "routes": {
            f"r{number}": {
                "path": path,
                "auth": "required",
                "issuers": ["bench"],
                "scope": "orders:read",
                "issue": {"audience": "https://orders.internal", "copy": ["sub", "scope", "client_id"]},
                "headers": {"X-Caller": {"claim": "sub"}},
                "upstream": "echo",
            }
            for number, path in enumerate(["/large/*", *(f"{place}/*" for place in prefixes(routes))])
        },
    }


def prefixes(routes: int) -> list[str]:
    """The path of each route without its wildcard, in three segments as services have them."""
    return [f"/orders/{number % 100}/s{number}" for number in range(routes)]
