"""A Vault without sockets, in virtual time: the HTTP client of a test that asks the model itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from tests.integration.vault_server import VaultModel

from jwtgate.jose.encoding import json_bytes, parse_json_object
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response

from ..virtual_time import now

ADDRESS = "https://vault.example:8200"


class VaultClient(HttpClient):
    """Reaches the model after `seconds`; `cause` makes each call fail instead, `body` replaces each answer."""

    def __init__(self, **settings: object) -> None:
        self.model = VaultModel(clock=now, **settings)  # type: ignore[arg-type]  # whatever the model takes
        self.seconds = 0.01
        self.cause: str | None = None
        self.body: bytes | None = None
        self.at_once = self.most_at_once = 0

    async def send(
        self, method: str, url: str, *, rules: FetchRules, fields: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        assert url.startswith(f"{ADDRESS}/v1/")
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        if self.cause is not None:
            raise FetchFailed(self.cause)
        path = unquote(urlsplit(url).path.removeprefix("/v1/"))
        given = {name.lower(): value for name, value in fields.items()}
        status, answer = self.model.answer(
            method, path, given, parse_json_object(body, limit_bytes=65536) if body else {}
        )
        if status != 200:
            raise FetchFailed(f"status_{status}", status=status)
        return Response("application/json", json_bytes(answer) if self.body is None else self.body)
