"""What Google Cloud Secret Manager and its token endpoint answer, on the loopback, for tests."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

ACCOUNT = "gateway@project.iam.gserviceaccount.com"
AUDIENCE = "https://oauth2.googleapis.com/token"  # also for an account whose token endpoint is elsewhere
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece
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
        time.sleep(self.server.slow_seconds)
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
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class SecretManagerServer(ThreadingHTTPServer):
    """Runs inside `with`. `secrets` holds the versions by name; `body` replaces each answer of status 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secrets: dict[str, list[bytes]] = {}
        self.denied: set[str] = set()
        self.tokens: set[str] = set()
        self.paths: list[str] = []
        self.account_disabled = False
        self.slow_seconds = 0.0
        self.body: bytes | None = None
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.token_uri = f"{self.url}/token"
        self._private = rsa.generate_private_key(65537, 2048)
        self.key = RSAKey.import_key(self._pem())
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

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

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is part of the tests."""

    def _pem(self) -> str:
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
