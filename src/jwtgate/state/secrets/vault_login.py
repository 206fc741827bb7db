"""How we log in to a Vault server: a token, an AppRole, or the service account of a Kubernetes pod.

A login is renewed when two thirds of its life are over, and made anew when it cannot be renewed any more. What a
login needs is resolved at each login, so a token or secret id that somebody replaces is taken up.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jwtgate.jose.encoding import JSON
from jwtgate.state.secrets.reading import AWAY, ReadFailed, Resolve, resolved, text_of
from jwtgate.state.secrets.vault_api import VaultApi, quoted, seconds_of

RENEW_AFTER = 2 / 3
# What the server says when a token or lease is no longer, or not ours: asking again would not help.
DENIED = frozenset({"refused", "forbidden", "not_found"})


@dataclass(frozen=True, slots=True)
class _Login:
    """A token of ours, and its times on our clock."""

    token: str = field(repr=False)
    life: float
    renewable: bool
    due: float
    ends: float


class VaultLogin:
    """Our login to one server, shared by all reads."""

    def __init__(
        self, auth: Mapping[str, JSON], api: VaultApi, *, resolve: Resolve, clock: Callable[[], float]
    ) -> None:
        self._auth = auth
        self._api = api
        self._resolve = resolve
        self._clock = clock
        self._login: _Login | None = None
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """A token that should do. `ReadFailed`."""
        async with self._lock:
            login = self._login
            if login is None or self._clock() >= login.ends:
                login = await self._begin()
            elif self._clock() >= login.due:
                login = await self._renewed(login)
            self._login = login
            return login.token

    async def another(self, denied: str) -> str | None:
        """A token to try instead of this one, which was denied; None when that one is still good. `ReadFailed`."""
        async with self._lock:
            login = self._login
            if login is not None and login.token == denied:
                if await self._is_alive(denied):
                    return None
                login = self._login = await self._begin()
            return None if login is None or login.token == denied else login.token

    def renew_seconds(self) -> float:
        """How long from now our login needs nothing."""
        return math.inf if self._login is None else self._login.due - self._clock()

    async def _begin(self) -> _Login:
        try:
            if text_of(self._auth, "token"):
                return await self._with_token(await self._resolved(text_of(self._auth, "token")))
            place, body = await self._proof()
            answer = await self._api.write(f"auth/{place}/login", body, token=None)
            return self._from_answer(answer)
        except ReadFailed as failed:
            raise ReadFailed("login_refused") if failed.cause in DENIED else failed from None

    async def _proof(self) -> tuple[str, dict[str, JSON]]:
        """The place of the method to log in with, and what it asks for."""
        method = self._auth.get("kubernetes")
        if isinstance(method, dict):
            jwt = await self._resolved(f"${{file:{text_of(method, 'token_file')}}}")
            return quoted(text_of(method, "mount", "kubernetes").strip("/")), {
                "role": text_of(method, "role"),
                "jwt": jwt,
            }
        method = self._auth.get("approle")
        settings = method if isinstance(method, dict) else {}
        names = [name for name in ("role_id", "secret_id") if text_of(settings, name)]
        body: dict[str, JSON] = {name: await self._resolved(text_of(settings, name)) for name in names}
        return quoted(text_of(settings, "mount", "approle").strip("/")), body

    async def _resolved(self, text: str) -> str:
        return await asyncio.to_thread(resolved, self._resolve, text)

    async def _with_token(self, token: str) -> _Login:
        """A login with a token somebody else made; how long it lasts is the server's to say, if it lets us ask."""
        try:
            answer = await self._api.read("auth/token/lookup-self", token=token)
        except ReadFailed as failed:
            if failed.cause in AWAY or failed.cause == "standby":
                raise
            # Not every token may ask that, and not everything that speaks like a Vault knows the question.
            return self._lasting(token, math.inf, renewable=False)
        data = answer.get("data")
        if not isinstance(data, dict):
            raise ReadFailed("malformed")
        return self._lasting(token, seconds_of(data.get("ttl", 0)), renewable=data.get("renewable") is True)

    def _from_answer(self, answer: Mapping[str, JSON]) -> _Login:
        auth = answer.get("auth")
        token = auth.get("client_token") if isinstance(auth, dict) else None
        if not isinstance(auth, dict) or not isinstance(token, str):
            raise ReadFailed("malformed")
        return self._lasting(token, seconds_of(auth.get("lease_duration", 0)), renewable=auth.get("renewable") is True)

    def _lasting(self, token: str, life: float, *, renewable: bool) -> _Login:
        now = self._clock()
        return _Login(token, life, renewable, now + life * RENEW_AFTER, now + life)

    async def _renewed(self, login: _Login) -> _Login:
        """The same token for longer, or another where that one comes to its end."""
        if login.renewable:
            try:
                renewed = self._from_answer(await self._api.write("auth/token/renew-self", {}, token=login.token))
            except ReadFailed as failed:
                if failed.cause not in DENIED:
                    raise
            else:
                # A life that renewal no longer brings back to its length is near the most it may have.
                if renewed.life > login.life / 2 or text_of(self._auth, "token"):
                    return renewed
        return await self._begin()

    async def _is_alive(self, token: str) -> bool:
        try:
            await self._api.read("auth/token/lookup-self", token=token)
        except ReadFailed as failed:
            if failed.cause not in DENIED:
                raise
            return False
        return True
