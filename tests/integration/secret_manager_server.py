"""What Google Cloud Secret Manager and its token endpoint answer, on the loopback, for tests."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.integration.background_server import BackgroundServer, QuietHandler

ACCOUNT = "gateway@project.iam.gserviceaccount.com"
AUDIENCE = "https://oauth2.googleapis.com/token"  # also for an account whose token endpoint is elsewhere
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class _Handler(QuietHandler, BaseHTTPRequestHandler):
    server: SecretManagerServer

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        claims = jwt.decode(form["assertion"][0], self.server.key, algorithms=["RS256"]).claims
        sound = form["grant_type"] == [GRANT] and claims["iss"] == ACCOUNT and claims["aud"] == AUDIENCE
        if not sound or self.server.account_disabled:
            self._answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
            return
        token = f"ya29.{secrets.token_urlsafe(12)}"
        self.server.tokens.add(token)
        self._answer(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.server.answers.wait()
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.server.tokens:
            self._fail(401, "UNAUTHENTICATED")
            return
        place, _, last = self.path.rpartition("/versions/")
        name = place.removeprefix("/v1/projects/project/secrets/")
        if name in self.server.denied:
            self._fail(403, "PERMISSION_DENIED")
        elif last != "latest:access" or name not in self.server.secrets:
            self._fail(404, "NOT_FOUND")
        else:
            versions = self.server.secrets[name]
            data = base64.b64encode(versions[-1]).decode()
            version = f"projects/1/secrets/{name}/versions/{len(versions)}"
            self._answer(200, {"name": version, "payload": {"data": data, "dataCrc32c": "1"}})

    def _fail(self, status: int, word: str) -> None:
        self._answer(status, {"error": {"code": status, "message": "No.", "status": word}})

    def _answer(self, status: int, answer: Any) -> None:
        body = json.dumps(answer).encode() if self.server.body is None or status != 200 else self.server.body
        self.answer(status, body, content_type="application/json; charset=UTF-8")


class SecretManagerServer(BackgroundServer):
    """Runs inside `with`. `secrets` holds the versions by name; `body` replaces each answer of status 200.

    It waits while `answers` is not set."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.secrets: dict[str, list[bytes]] = {}
        self.denied: set[str] = set()
        self.tokens: set[str] = set()
        self.paths: list[str] = []
        self.account_disabled = False
        self.answers = threading.Event()
        self.answers.set()
        self.body: bytes | None = None
        self.token_uri = f"{self.url}/token"
        self._private = rsa.generate_private_key(65537, 2048)
        self.key = RSAKey.import_key(self._pem())

    def write_account(self, path: Path) -> None:
        """The key file of the service account, as the console hands it out."""
        account = {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "1",
            "private_key": self._pem(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": self.token_uri,
        }
        path.write_text(json.dumps(account))

    def _pem(self) -> str:
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
