"""A gateway with its Admin API, as `jwtgate serve` runs it, and somebody who asks it."""

import hashlib
import http.client
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .gateway_process import DEADLINE_SECONDS, GatewayProcess

TOKEN, LOOKING_TOKEN = "operator-token-of-alice", "operator-token-of-bob"
JWTGATE = Path(sys.executable).with_name("jwtgate")
ADMIN = f"""
admin:
  listen: 127.0.0.1:0
  operators:
    alice: {{token_sha256: {hashlib.sha256(TOKEN.encode()).hexdigest()}}}
    bob: {{token_sha256: {hashlib.sha256(LOOKING_TOKEN.encode()).hexdigest()}, may_write: false}}
"""


@dataclass(frozen=True)
class Told:
    """An answer of the Admin API."""

    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class AdminGateway(GatewayProcess):
    """Started by the command line, since that is who brings the Admin API in."""

    def start(self, *, last_good: bool = True) -> None:
        """Start it without waiting for anything."""
        self._began = len(self._lines())
        command = [JWTGATE, "serve", self.document, "--state", self.state, "--workers", str(self._workers)]
        command += [] if last_good else ["--no-last-good"]
        with self._journal.open("ab") as journal, self._access_log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=journal, env=self._environ)

    def restart(self) -> None:
        """Start it again after it ended, and wait until it serves."""
        self.start()
        self.until(lambda: self.events("serving"))

    @property
    def admin_port(self) -> int:
        self.until(lambda: self.events("admin_listening"))
        return int(self.events("admin_listening")[-1]["address"].rpartition(":")[2])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = TOKEN,
        fields: Mapping[str, str] | None = None,
    ) -> Told:
        """What the Admin API answers, over a connection of its own; `body` is sent as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {"Content-Type": "application/json"} if data is not None else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, f"/v1/{path}", data, {**sent, **(fields or {})})
            answer = connection.getresponse()
            return Told(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def ctl(self, *args: str, input: str = "") -> subprocess.CompletedProcess[str]:  # noqa: A002 - as subprocess has it
        """`jwtgate ctl` asking this gateway, as alice."""
        environ = {**self._environ, "JWTGATE_ADMIN_URL": self.url, "JWTGATE_ADMIN_TOKEN": TOKEN}
        return subprocess.run(
            [JWTGATE, "ctl", *args], input=input, capture_output=True, text=True, timeout=60, env=environ
        )

    @property
    def written(self) -> str:
        """Everything it wrote: the journal and the access log."""
        return self._journal.read_text() + self._access_log.read_text()
