"""A gateway that speaks APISIX, as people run it, and curl in a shell, as its documentation has people ask it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.dialects.dialect_process import Answer, DialectProcess

ADMIN_API_KEY = "the-admin-key-of-the-tests"
CURL = 'curl() { command curl --silent --show-error --include --max-time 20 "$@"; }\n'


class ApisixProcess(DialectProcess):
    """Runs inside `with`. Commands name the usual ports and `httpbin.org:80`; those of the tests take their places."""

    def __init__(self, folder: Path, *files: Path, httpbin: str, environ: dict[str, str] | None = None) -> None:
        super().__init__("apisix", folder, *files, environ={"ADMIN_API_KEY": ADMIN_API_KEY, **(environ or {})})
        # The name cannot be made to mean the loopback without touching the machine, so the address stands in for it.
        self.places = {"httpbin.org:80": httpbin}

    def found(self, proxy: list[str], admin: str) -> None:
        """Have the places of the tests taken for the usual ones."""
        self.places |= {"127.0.0.1:9080": proxy[0], "127.0.0.1:9180": admin}

    def sh(self, command: str, **variables: str) -> Answer:
        """What curl is answered in a shell with these variables."""
        for usual, ours in self.places.items():
            command = command.replace(usual, ours)
        environ = {**os.environ, "ADMIN_API_KEY": ADMIN_API_KEY, **variables}
        done = subprocess.run(["bash", "-c", CURL + command], capture_output=True, check=True, timeout=30, env=environ)
        return Answer.parse(done.stdout)

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
