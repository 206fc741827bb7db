"""A gateway that speaks Kong, as people run it, and curl, as people ask it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.dialects.dialect_process import Answer, DialectProcess, curl

FORM_FIELD = "Content-Type: application/x-www-form-urlencoded"


class KongProcess(DialectProcess):
    """Runs inside `with`. `admin`, `proxy` and `tls_proxy` are addresses without a path."""

    listening = ("--listen", "--tls-listen", "--admin-listen")

    def __init__(self, folder: Path, *files: Path, environ: dict[str, str] | None = None) -> None:
        super().__init__("kong", folder, *files, environ=environ)
        self.admin = self.proxy = self.tls_proxy = ""

    def found(self, proxy: list[str], admin: str) -> None:
        """Note the addresses."""
        self.proxy, self.tls_proxy, self.admin = f"http://{proxy[0]}", f"https://{proxy[1]}", f"http://{admin}"

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
