"""Calls to the HTTP API of one Vault server, and why they fail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from jwtgate.jose.encoding import JSON, json_bytes
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient
from jwtgate.state.secrets.contents import parse_fields
from jwtgate.state.secrets.reading import ReadFailed, text_of

_STATUSES = {400: "refused", 403: "forbidden", 404: "not_found", 429: "standby", 503: "sealed"}
_CAUSES = {
    "timeout": "slow",
    "refused": "unreachable",
    "name_unknown": "unreachable",
    "connection_lost": "unreachable",
    "truncated": "malformed",
    "encoded": "malformed",
    "too_large": "malformed",
}


class VaultApi:
    """The server at `address`, in one namespace."""

    def __init__(self, settings: Mapping[str, JSON], client: HttpClient, folder: Path) -> None:
        ca_file = text_of(settings, "ca_file")
        self._rules = FetchRules(
            ca_file=str(folder / ca_file) if ca_file else None, insecure_http=settings.get("insecure_http") is True
        )
        self._client = client
        self._address = text_of(settings, "address").rstrip("/")
        # A Vault Agent may be told to want the second field, which no browser can be made to send.
        self._fields = {"X-Vault-Request": "true"}
        if namespace := text_of(settings, "namespace"):
            self._fields["X-Vault-Namespace"] = namespace

    async def read(self, path: str, *, token: str) -> dict[str, JSON]:
        """The answer to a GET of this path below `/v1/`. `ReadFailed`."""
        return await self._ask("GET", path, self._fields | {"X-Vault-Token": token}, None)

    async def write(self, path: str, body: Mapping[str, JSON], *, token: str | None) -> dict[str, JSON]:
        """The answer to a POST; without a token, to one that needs none. `ReadFailed`."""
        fields = self._fields | {"Content-Type": "application/json"}
        if token is not None:
            fields["X-Vault-Token"] = token
        return await self._ask("POST", path, fields, json_bytes(body))

    async def _ask(self, method: str, path: str, fields: Mapping[str, str], body: bytes | None) -> dict[str, JSON]:
        url = f"{self._address}/v1/{path}"
        try:
            answer = await self._client.send(method, url, rules=self._rules, fields=fields, body=body)
            return parse_fields(answer.body)
        except FetchFailed as failed:
            # What failed may hold the field with our token, so it is not chained.
            raise ReadFailed(_STATUSES.get(failed.status or 0) or _CAUSES.get(failed.cause, failed.cause)) from None
        except ValueError:
            raise ReadFailed("malformed") from None


def quoted(path: str) -> str:
    """The path with each segment percent-encoded. `ReadFailed` for one with empty segments, or that climbs."""
    segments = path.split("/")
    if any(segment in ("", ".", "..") for segment in segments):
        raise ReadFailed("path_refused")
    return "/".join(quote(segment, safe="") for segment in segments)


def seconds_of(value: JSON) -> float:
    """A duration of an answer; infinite for zero, which is Vault's word for what never ends."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ReadFailed("malformed")
    return value or math.inf
