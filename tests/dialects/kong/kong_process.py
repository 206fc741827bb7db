"""A gateway that speaks Kong, as people run it, and curl, as people ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

DEADLINE_SECONDS = 20.0
FORM_FIELD = "Content-Type: application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What curl was answered; names of fields are in lower case."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: str

    def field(self, name: str) -> str | None:
        """The value of the first field of this name."""
        return next((value for other, value in self.fields if other == name), None)

    @property
    def value(self) -> Any:
        return json.loads(self.body)


def curl(*arguments: str) -> Answer:
    """What curl is answered to exactly these arguments."""
    command = ["curl", "--silent", "--show-error", "--include", "--max-time", "20", *arguments]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    pairs = (line.partition(":")[::2] for line in lines)
    return Answer(int(start.split()[1]), tuple((name.lower(), value.strip()) for name, value in pairs), body)


class KongProcess:
    """Runs inside `with`. `admin`, `proxy` and `tls_proxy` are addresses without a path."""

    def __init__(self, folder: Path, *files: Path, environ: dict[str, str] | None = None) -> None:
        self._journal = folder / "journal"
        self._folder = folder
        self._files = files
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = self.proxy = self.tls_proxy = ""

    def __enter__(self) -> Self:
        command = [str(Path(sys.executable).with_name("jwtgate")), "serve", "--dialect", "kong", "--workers", "2"]
        command += ["--state", str(self._folder / "state")]
        for option in ("--listen", "--tls-listen", "--admin-listen"):
            command += [option, "127.0.0.1:0"]
        with self._journal.open("ab") as journal:
            self._process = subprocess.Popen(
                [*command, *map(str, self._files)], stdout=subprocess.DEVNULL, stderr=journal, env=self._environ
            )
        try:
            self._find_addresses()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def post(self, path: str, *pairs: str) -> Answer:
        """The answer to a form, posted as the plug-in's users do."""
        data = [part for pair in pairs for part in ("--data", pair)]
        return curl("--request", "POST", "--url", f"{self.admin}{path}", "--header", FORM_FIELD, *data)

    def signer(self, *pairs: str, both_tokens: bool = False) -> Any:
        """The `jwt-signer` plug-in made of these pairs; for the access token alone unless both are meant."""
        more = () if both_tokens else ("config.channel_token_optional=true",)
        answer = self.post("/plugins", "name=jwt-signer", *pairs, *more)
        assert answer.status == 201, answer
        return answer.value

    def send(self, method: str, path: str, value: object = None) -> Answer:
        """The answer of the Admin API to a JSON value, or to no body."""
        body = [] if value is None else ["--header", "Content-Type: application/json", "--data", json.dumps(value)]
        return curl("--request", method, "--url", f"{self.admin}{path}", *body)

    def get(self, path: str = "/demo", *fields: str, bearer: str | None = None) -> Answer:
        """The answer of the proxy."""
        told = [*fields, *([f"Authorization: Bearer {bearer}"] if bearer is not None else [])]
        lines = [part for each in told for part in ("--header", each)]
        return curl("--request", "GET", "--url", f"{self.proxy}{path}", *lines)

    def journal(self) -> str:
        """All it has written of itself."""
        return self._journal.read_text()

    def _find_addresses(self) -> None:
        self._until(lambda: self._events("serving"))
        plain, tls = self._events("listening")[-1]["addresses"][:2]
        self.proxy, self.tls_proxy = f"http://{plain}", f"https://{tls}"
        self.admin = f"http://{self._events('admin_listening')[-1]['address']}"

    def _events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.journal().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def _until(self, reached: Any) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached():
            assert self._process is not None
            assert self._process.poll() is None, self.journal()
            assert time.monotonic() < deadline, self.journal()
            time.sleep(0.02)

    def _stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
