"""Secrets of a Vault server: KV versions 1 and 2, and engines that lend what they hold for a time.

A loan is renewed while the server lets us, and what it is about stays the same meanwhile; when it is lost, there is
another one. With version 1 a mount may be any engine that is read by GET.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jwtgate.jose.encoding import JSON
from jwtgate.state.http_client import HttpClient
from jwtgate.state.secrets.contents import Contents
from jwtgate.state.secrets.reading import Read, ReadFailed, Resolve, text_of
from jwtgate.state.secrets.vault_api import VaultApi, quoted, seconds_of
from jwtgate.state.secrets.vault_login import DENIED, RENEW_AFTER, VaultLogin


@dataclass(frozen=True, slots=True)
class _Lease:
    """Something lent to us: `seconds` at first, now until `ends` on our clock."""

    id: str
    contents: Contents = field(repr=False)
    seconds: float
    renewable: bool
    ends: float


class Vault:
    """One server with one login."""

    def __init__(
        self,
        settings: Mapping[str, JSON],
        *,
        client: HttpClient,
        folder: Path,
        resolve: Resolve,
        clock: Callable[[], float],
    ) -> None:
        auth = settings.get("auth")
        self._api = VaultApi(settings, client, folder)
        self._login = VaultLogin(auth if isinstance(auth, dict) else {}, self._api, resolve=resolve, clock=clock)
        self._mount = text_of(settings, "mount", "secret").strip("/")
        self._versioned = settings.get("version", 2) == 2
        self._clock = clock
        self._leases: dict[str, _Lease] = {}

    async def read(self, path: str) -> Read:
        """The fields of the secret under this path of the mount. `ReadFailed`."""
        place = f"{quoted(self._mount)}/{'data/' if self._versioned else ''}{quoted(path)}"
        token = await self._login.token()
        try:
            read = await self._held_or_read(place, token)
        except ReadFailed as failed:
            other = await self._login.another(token) if failed.cause == "forbidden" else None
            if other is None:
                raise
            read = await self._held_or_read(place, other)
        return Read(read.contents, min(read.again_seconds, self._login.renew_seconds()))

    async def _held_or_read(self, place: str, token: str) -> Read:
        lease = self._leases.pop(place, None)
        if lease is not None and self._clock() < lease.ends:
            kept = await self._renewed(place, lease, token)
            if kept is not None:
                return self._lent(place, kept)
        answer = await self._api.read(place, token=token)
        contents = answer.get("data")
        if self._versioned and isinstance(contents, dict):
            contents = contents.get("data")
            if contents is None:  # this version was deleted
                raise ReadFailed("not_found")
        if not isinstance(contents, dict):
            raise ReadFailed("malformed")
        seconds = seconds_of(answer.get("lease_duration", 0))
        lease_id = answer.get("lease_id")
        if not isinstance(lease_id, str) or not lease_id:
            return Read(contents, seconds * RENEW_AFTER)
        renewable = answer.get("renewable") is True
        return self._lent(place, _Lease(lease_id, contents, seconds, renewable, self._clock() + seconds))

    async def _renewed(self, place: str, lease: _Lease, token: str) -> _Lease | None:
        """The lease for as long as it gets; None when it is lost, or so near its end that there must be another."""
        seconds = lease.ends - self._clock()
        if lease.renewable:
            try:
                answer = await self._api.write("sys/leases/renew", {"lease_id": lease.id}, token=token)
                seconds = seconds_of(answer.get("lease_duration", 0))
            except ReadFailed as failed:
                if failed.cause not in DENIED:
                    self._leases[place] = lease
                    raise
                return None
        return replace(lease, ends=self._clock() + seconds) if seconds > lease.seconds * (1 - RENEW_AFTER) else None

    def _lent(self, place: str, lease: _Lease) -> Read:
        now = self._clock()
        self._leases = {place: kept for place, kept in self._leases.items() if now < kept.ends} | {place: lease}
        return Read(lease.contents, max(0.0, lease.ends - lease.seconds * (1 - RENEW_AFTER) - now))
