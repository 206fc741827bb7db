"""Documents of other gateways served as they are, and the same said in a document of ours."""

import contextlib
import importlib.metadata
import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .consumers import key_name, secret, signed_by_consumers
from .contestants import Contestant, Place
from .ours import HOT_ROUTES, prefixes, serving
from .processes import free_port
from .tokens import AUDIENCE, ISSUER, write_requests

_TOLD = {"x_real_ip": True, "forwarded_port": True}
CALLERS = 10
TOKENS = 1_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A dialect and the native document that means the same, and the load for both."""

    dialect: Contestant
    native: Contestant
    place: Place
    requests: Path


def apisix(place: Place, paths: list[str]) -> Pair:
    """Routes with `jwt-auth`, callers with HS256 keys of their own, and identity headers."""
    tokens = list(signed_by_consumers(CALLERS, TOKENS))
    port = free_port()
    callers = {name: {"alg": "HS256", "secret": secret(number)} for number, name in _numbered()}
    native = {
        "listen": f"127.0.0.1:{port}",
        "own": {"keys": None, "metadata": None},
        "issuers": {"consumers": {"audience": "any", "consumers": {"claim": "key"}}},
        "consumers": {f"caller-{name}": {"credentials": {name: value}} for name, value in callers.items()},
        "upstreams": {"echo": {**_TOLD, "targets": f"http://127.0.0.1:{place.upstream}", "preserve_host": True}},
        "routes": {
            f"r{number}": {
                "path": f"{prefix}/*",
                "auth": "required",
                "from": [
                    {"header": "authorization", "prefix": ["Bearer ", "bearer ", ""]},
                    {"query": "jwt"},
                    {"cookie": "jwt"},
                ],
                "issuers": ["consumers"],
                "forward_token": True,
                "headers": {
                    "X-Consumer-Username": {"consumer": "name"},
                    "X-Credential-Identifier": {"consumer": "credential_labels.id"},
                    "X-Consumer-Custom-ID": {"consumer": "labels.custom_id"},
                },
                "upstream": "echo",
            }
            for number, prefix in enumerate(prefixes(HOT_ROUTES))
        },
    }
    theirs = {
        "routes": [
            {
                "id": f"r{number}",
                "uri": f"{prefix}/*",
                "plugins": {"jwt-auth": {}},
                "upstream": {"type": "roundrobin", "nodes": {f"127.0.0.1:{place.upstream}": 1}},
            }
            for number, prefix in enumerate(prefixes(HOT_ROUTES))
        ],
        "consumers": [
            {"username": f"caller-{name}", "plugins": {"jwt-auth": {"key": name, "secret": value["secret"]}}}
            for name, value in callers.items()
        ],
    }
    requests = write_requests(place.folder / "apisix.requests", tokens, paths)
    return Pair(
        _served("apisix", place, json.dumps(theirs) + "\n#END\n"),
        serving("jwtgate as apisix", place.folder, port, written=native),
        Place(place.folder, place.upstream, tokens[0]),
        requests,
    )


def kong(place: Place, requests: Path, keys_url: str) -> Pair:
    """Services whose tokens `jwt-signer` verifies by a JWK Set and signs anew."""
    port = free_port()
    native = {
        "listen": f"127.0.0.1:{port}",
        "own": {"keys": None, "metadata": None},
        "issuers": {
            "access": {"issuer": ISSUER, "keys": {"url": keys_url}, "algorithms": ["RS256"], "audience": AUDIENCE}
        },
        "signing": {"issuer": "kong", "keys": {"kong": {"alg": "RS256"}}},
        "upstreams": {"echo": {**_TOLD, "targets": f"http://127.0.0.1:{place.upstream}", "forwarded_path": True}},
        "routes": {
            f"r{number}": {
                "path": f"{prefix}/*",
                "auth": "required",
                "issuers": ["access"],
                "issue": {
                    "header": "Authorization",
                    "scheme": "Bearer",
                    "audience": "same_as_incoming",
                    "copy": "all",
                    "also_copy": {"iss": "original_iss"},
                    "lifetime": "incoming",
                },
                "upstream": "echo",
            }
            for number, prefix in enumerate(prefixes(HOT_ROUTES))
        },
    }
    signer = {"access_token_jwks_uri": keys_url, "channel_token_optional": True}
    routes = [
        {"name": f"r{number}", "paths": [prefix], "strip_path": False}
        for number, prefix in enumerate(prefixes(HOT_ROUTES))
    ]
    service = {"name": "echo", "url": f"http://127.0.0.1:{place.upstream}", "routes": routes}
    theirs = {
        "_format_version": "3.0",
        "services": [service],
        "plugins": [{"name": "jwt-signer", "config": signer}],
    }
    return Pair(
        _served("kong", place, json.dumps(theirs)),
        serving("jwtgate as kong", place.folder, port, written=native),
        place,
        requests,
    )


@contextlib.contextmanager
def key_server(folder: Path) -> Iterator[str]:
    """The address of a server that gives away the JWK Set of the bench."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/jwks.json"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _numbered() -> list[tuple[int, str]]:
    return [(number, key_name(number)) for number in range(CALLERS)]


def _served(name: str, place: Place, text: str) -> Contestant:
    """Our gateway with this document of another gateway that has an Admin API."""
    return served(name, place, text, more=("--admin-listen", f"127.0.0.1:{free_port()}"))


def served(name: str, place: Place, text: str, *, ending: str = "yaml", more: tuple[str, ...] = ()) -> Contestant:
    """Our gateway with this document of another gateway."""
    file, port = place.folder / f"{name}.{ending}", free_port()
    file.write_text(text)
    script = str(Path(sys.executable).with_name("jwtgate"))
    listen = ("--listen", f"127.0.0.1:{port}", *more)
    state = place.folder / f"{name}-{os.getpid()}.state"
    command = (script, "serve", "--dialect", name, str(file), *listen, "--workers", "1", "--state", str(state))
    version = importlib.metadata.version("jwtgate")
    return Contestant(f"jwtgate --dialect {name}", "as the native document", command, version, port=port)
