"""A Vault server of the tests: what one does with tokens, logins, leases and two kinds of KV engine, over HTTP.

`VaultModel` is the server without its sockets and with any clock, for tests that live in virtual time. That it answers
as a Vault does is shown by `hvac`, a client nobody here wrote.
"""

from __future__ import annotations

import json
import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.integration.background_server import BackgroundServer, QuietHandler

Json = dict[str, Any]
Answer = tuple[int, Json | None]

ROOT_TOKEN = "hvs.root"
UNSEAL_KEY = "an unseal key"
DENIED: Answer = (403, {"errors": ["permission denied"]})
NOT_FOUND: Answer = (404, {"errors": []})
DAY = 86400


@dataclass
class Lived:
    """A token or a lease. Renewing sets its end anew, but never beyond `most_ends`."""

    ttl: float
    ends: float = math.inf
    most_ends: float = math.inf
    renewable: bool = True

    def renew(self, now: float) -> None:
        self.ends = min(now + self.ttl, self.most_ends)


@dataclass
class AppRole:
    """A role that logs in with a secret id, and what its tokens may live."""

    role_id: str
    secret_id: str
    ttl: float = 1200
    most: float = math.inf
    renewable: bool = True


@dataclass
class VaultModel:
    """One server, unsealed. A KV engine of version 2 is mounted at `secret`, of version 1 at `kv`.

    `database/creds/NAME` lends a user for `lease_seconds`, at most `most_lease_seconds` in all. `forbidden`: paths no
    token but the root's may touch.
    """

    clock: Callable[[], float] = time.time
    namespace: str = ""
    sealed: bool = False
    lease_seconds: float = 3600
    most_lease_seconds: float = math.inf
    leases_renewable: bool = True
    approles: list[AppRole] = field(default_factory=list)
    kubernetes: dict[str, str] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    tokens: dict[str, Lived] = field(default_factory=lambda: {ROOT_TOKEN: Lived(0, renewable=False)})
    leases: dict[str, Lived] = field(default_factory=dict)
    kv1: dict[str, Json] = field(default_factory=dict)
    kv2: dict[str, list[Json | None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lent: list[Json] = field(default_factory=list)

    def new_token(self, ttl: float, *, most: float = math.inf, renewable: bool = True) -> str:
        """A token as an operator makes one."""
        token = f"hvs.{secrets.token_urlsafe(16)}"
        self.tokens[token] = Lived(ttl, self.clock() + ttl, self.clock() + most, renewable)
        return token

    def put(self, path: str, **fields: Any) -> None:
        """A new version of a secret of the engine at `secret`."""
        self.kv2.setdefault(path, []).append(fields)

    def users(self) -> int:
        """How many users were lent so far."""
        return sum(each == "GET database/creds/orders" for each in self.asked)

    def answer(self, method: str, path: str, fields: Mapping[str, str], body: Json) -> Answer:
        """What it says to a request; `path` is what stands behind `/v1/`, field names are lower case."""
        self.asked.append(f"{method} {path}")
        system = self._system(method, path, body)
        if system is not None:
            return system
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if fields.get("x-vault-namespace", "") != self.namespace:
            return 404, {"errors": [f"no handler for route {path!r}. route entry not found."]}
        if path.startswith("auth/") and path.endswith("/login"):
            return self._log_in(path.split("/")[1], body)
        token = fields.get("x-vault-token", "")
        lived = self.tokens.get(token)
        if lived is None or self.clock() >= lived.ends or (path in self.forbidden and token != ROOT_TOKEN):
            return DENIED
        if path == "sys/seal":
            self.sealed = True
            return 204, None
        if path.startswith("auth/token/"):
            return self._token(method, path, token, lived)
        if path.startswith("sys/leases/"):
            return self._lease(path, body)
        return self._secret(method, path, body)

    def _system(self, method: str, path: str, body: Json) -> Answer | None:
        """What is answered without a token, and while it is sealed."""
        if path == "sys/unseal":
            self.sealed = self.sealed and body.get("key") != UNSEAL_KEY
        if path in ("sys/unseal", "sys/seal-status"):
            return 200, {"type": "shamir", "initialized": True, "sealed": self.sealed, "t": 1, "n": 1, "progress": 0}
        if path == "sys/health":
            return (503 if self.sealed else 200), {"initialized": True, "sealed": self.sealed, "standby": False}
        return None

    def _log_in(self, mount: str, body: Json) -> Answer:
        now = self.clock()
        if mount == "kubernetes":
            jwt = self.kubernetes.get(body.get("role", ""))
            if jwt is None or jwt != body.get("jwt"):
                return DENIED
            return self._auth(self.new_token(600), now)
        for role in self.approles:
            if (body.get("role_id"), body.get("secret_id")) == (role.role_id, role.secret_id):
                return self._auth(self.new_token(role.ttl, most=role.most, renewable=role.renewable), now)
        return 400, {"errors": ["invalid role or secret ID"]}

    def _auth(self, token: str, now: float) -> Answer:
        lived = self.tokens[token]
        auth = {
            "client_token": token,
            "accessor": "an accessor",
            "policies": ["default"],
            "lease_duration": int(lived.ends - now) if lived.ends < math.inf else 0,
            "renewable": lived.renewable,
        }
        return 200, _enveloped(None) | {"auth": auth}

    def _token(self, method: str, path: str, token: str, lived: Lived) -> Answer:
        now = self.clock()
        ttl = int(lived.ends - now) if lived.ends < math.inf else 0
        match method, path:
            case "GET", "auth/token/lookup-self":
                return 200, _enveloped({"id": token, "ttl": ttl, "renewable": lived.renewable, "policies": ["default"]})
            case "POST" | "PUT", "auth/token/renew-self":
                if not lived.renewable:
                    return 400, {"errors": ["lease is not renewable"]}
                lived.renew(now)
                return self._auth(token, now)
            case "POST" | "PUT", "auth/token/revoke-self":
                del self.tokens[token]
                return 204, None
        return 405, {"errors": ["unsupported operation"]}

    def _lease(self, path: str, body: Json) -> Answer:
        now = self.clock()
        lease = self.leases.get(body.get("lease_id", ""))
        if lease is None or now >= lease.ends:
            return 400, {"errors": ["lease not found"]}
        if path == "sys/leases/revoke":
            del self.leases[body["lease_id"]]
            return 204, None
        if not lease.renewable:
            return 400, {"errors": ["lease is not renewable"]}
        lease.renew(now)
        return 200, _enveloped(None, lease_id=body["lease_id"], seconds=lease.ends - now, renewable=True)

    def _secret(self, method: str, path: str, body: Json) -> Answer:
        mount, _, rest = path.partition("/")
        if mount == "secret" and rest.startswith("data/"):
            return self._kv2(method, rest.removeprefix("data/"), body)
        if mount == "kv":
            return self._kv1(method, rest, body)
        if mount == "database" and rest.startswith("creds/") and method == "GET":
            return self._lend(path)
        return NOT_FOUND

    def _kv1(self, method: str, path: str, body: Json) -> Answer:
        if method in ("POST", "PUT"):
            self.kv1[path] = body
            return 204, None
        if method == "DELETE":
            self.kv1.pop(path, None)
            return 204, None
        held = self.kv1.get(path)
        # A field `ttl` says how soon the secret should be read again.
        return NOT_FOUND if held is None else (200, _enveloped(held, seconds=held.get("ttl", 32 * DAY)))

    def _kv2(self, method: str, path: str, body: Json) -> Answer:
        versions = self.kv2.get(path, [])
        if method in ("POST", "PUT"):
            self.put(path, **body["data"])
            return 200, _enveloped(_metadata(len(self.kv2[path])))
        if not versions:
            return NOT_FOUND
        if method == "DELETE":
            versions[-1] = None
            return 204, None
        metadata = _metadata(len(versions), deleted="" if versions[-1] is not None else "2026-01-02T00:00:00Z")
        return (404 if versions[-1] is None else 200), _enveloped({"data": versions[-1], "metadata": metadata})

    def _lend(self, path: str) -> Answer:
        now = self.clock()
        lease_id = f"{path}/{secrets.token_urlsafe(12)}"
        ends = min(self.lease_seconds, self.most_lease_seconds)
        self.leases[lease_id] = Lived(
            self.lease_seconds, now + ends, now + self.most_lease_seconds, self.leases_renewable
        )
        user = {"username": f"v-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(12)}
        self.lent.append(user)
        return 200, _enveloped(user, lease_id=lease_id, seconds=ends, renewable=self.leases_renewable)


def _enveloped(data: Json | None, *, lease_id: str = "", seconds: float = 0, renewable: bool = False) -> Json:
    """What every answer looks like."""
    lease = {"lease_id": lease_id, "lease_duration": int(seconds), "renewable": renewable}
    return lease | {"request_id": secrets.token_hex(8), "data": data, "wrap_info": None, "warnings": None, "auth": None}


def _metadata(version: int, *, deleted: str = "") -> Json:
    created = "2026-01-01T00:00:00Z"
    return {
        "version": version,
        "created_time": created,
        "deletion_time": deleted,
        "destroyed": False,
        "custom_metadata": None,
    }


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: VaultServer

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = {name.lower(): value for name, value in self.headers.items()}
        path = unquote(self.path.partition("?")[0].removeprefix("/v1/"))
        self.server.answers.wait()
        with self.server.lock:
            self.server.lines.append(self.path)
            status, answer = self.server.model.answer(self.command, path, fields, json.loads(body or b"{}"))
        data = b"" if answer is None else json.dumps(answer).encode()
        data = data if self.server.body is None else self.server.body
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names are the library's


class VaultServer(BackgroundServer):
    """The model behind a socket; runs inside `with`. It waits while `answers` is not set, and `body` is all it says."""

    def __init__(self, model: VaultModel) -> None:
        super().__init__(_Handler)
        self.model = model
        self.answers = threading.Event()
        self.answers.set()
        self.body: bytes | None = None
        self.lines: list[str] = []
        self.lock = threading.Lock()
