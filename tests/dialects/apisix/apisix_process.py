"""A gateway that speaks APISIX, as people run it, and curl in a shell, as its documentation has people ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

DEADLINE_SECONDS = 20.0
ADMIN_API_KEY = "the-admin-key-of-the-tests"
CURL = 'curl() { command curl --silent --show-error --include --max-time 20 "$@"; }\n'


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
        """The JSON value of the body."""
        return json.loads(self.body)

    @property
    def seen(self) -> dict[str, str]:
        """The header fields the upstream saw, by their names as it writes them."""
        assert self.status == 200, self
        fields: dict[str, str] = self.value["headers"]
        return fields


class ApisixProcess:
    """Runs inside `with`. Commands name the usual ports and `httpbin.org:80`; those of the tests take their places."""

    def __init__(self, folder: Path, *files: Path, httpbin: str, environ: dict[str, str] | None = None) -> None:
        self._journal = folder / "journal"
        self._folder = folder
        self._files = files
        self._environ = {**os.environ, "ADMIN_API_KEY": ADMIN_API_KEY, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None
        # The name cannot be made to mean the loopback without touching the machine, so the address stands in for it.
        self.places = {"httpbin.org:80": httpbin}

    def __enter__(self) -> Self:
        command = [str(Path(sys.executable).with_name("jwtgate")), "serve", "--dialect", "apisix", "--workers", "2"]
        command += ["--state", str(self._folder / "state"), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        with self._journal.open("ab") as journal:
            self._process = subprocess.Popen(
                [*command, *map(str, self._files)], stdout=subprocess.DEVNULL, stderr=journal, env=self._environ
            )
        try:
            self.until(lambda: self.events("serving"))
        except BaseException:
            self._stop()
            raise
        self.places["127.0.0.1:9080"] = self.events("listening")[-1]["addresses"][0]
        self.places["127.0.0.1:9180"] = self.events("admin_listening")[-1]["address"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def sh(self, command: str, **variables: str) -> Answer:
        """What curl is answered in a shell with these variables."""
        for usual, ours in self.places.items():
            command = command.replace(usual, ours)
        environ = {**os.environ, "ADMIN_API_KEY": ADMIN_API_KEY, **variables}
        done = subprocess.run(["bash", "-c", CURL + command], capture_output=True, check=True, timeout=30, env=environ)
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.partition(":")[::2] for line in lines)
        return Answer(int(start.split()[1]), tuple((name.lower(), value.strip()) for name, value in pairs), body)

    def admin(self, method: str, path: str, value: object = None) -> Answer:
        """The answer of the Admin API."""
        body = "" if value is None else """ -d "${value}" """
        command = (
            f"""curl "http://127.0.0.1:9180/apisix/admin{path}" -X {method} -H "X-API-KEY: ${{ADMIN_API_KEY}}"{body}"""
        )
        return self.sh(command, value=json.dumps(value))

    def put(self, path: str, value: object) -> Any:
        """What is told of an object that is made or replaced."""
        answer = self.admin("PUT", path, value)
        assert answer.status in (200, 201), answer
        return answer.value["value"]

    def consumer(self, username: str = "jack", **jwt_auth: Any) -> None:
        """Have a consumer whose own plug-in is configured so."""
        self.put("/consumers", {"username": username, "plugins": {"jwt-auth": jwt_auth}})

    def route(self, uri: str = "/get", **jwt_auth: Any) -> None:
        """Have the route of the examples, its plug-in configured so."""
        self.routed({"jwt-auth": jwt_auth}, uri)

    def routed(self, plugins: dict[str, Any], uri: str = "/get") -> None:
        """Have the route of the examples with these plug-ins."""
        upstream = {"type": "roundrobin", "nodes": {self.places["httpbin.org:80"]: 1}}
        self.put("/routes/jwt-route", {"uri": uri, "plugins": plugins, "upstream": upstream})

    def get(self, path: str = "/get", *fields: str, token: str | None = None) -> Answer:
        """The answer of the proxy."""
        told = [*fields, *([f"Authorization: {token}"] if token is not None else [])]
        names = [f"field{number}" for number in range(len(told))]
        lines = "".join(f' -H "${{{name}}}"' for name in names)
        return self.sh(
            f'curl "http://127.0.0.1:9080${{path}}"{lines}', path=path, **dict(zip(names, told, strict=True))
        )

    def publish(self) -> None:
        """Publish the endpoint that signs."""
        self.put("/routes/jwt-auth-api", {"uri": "/apisix/plugin/jwt/sign", "plugins": {"public-api": {}}})

    def sign(self, key: str, query: str = "") -> Answer:
        """What the endpoint that signs says."""
        return self.get(f"/apisix/plugin/jwt/sign?key={key}{query}")

    def signed(self, key: str, query: str = "") -> str:
        """A token of the endpoint that signs."""
        answer = self.sign(key, query)
        assert answer.status == 200, answer
        return answer.body

    def journal(self) -> str:
        """All it has written of itself."""
        return self._journal.read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name, oldest first."""
        lines = [json.loads(line) for line in self.journal().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def until(self, reached: Callable[[], object]) -> None:
        """Wait until this holds; fails when it does not in time, or the process ended."""
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
