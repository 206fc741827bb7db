"""Tokens for upstreams: signed once, and handed out again while they last.

`IssuedTokens.issue` may be called from several threads at once. What the calls share is either immutable or
changed by single dictionary operations; at worst two threads sign the same token, or some are forgotten early.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from jwtgate.errors import DependencyFault, KeyRefused
from jwtgate.jose.encoding import JSON, base64url_encode, json_bytes
from jwtgate.jose.key import Key
from jwtgate.jose.signature import sign_bytes
from jwtgate.policy.facts import IssuedToken, NeedIssuedToken
from jwtgate.policy.provisions import Issue

MOST_ENTRIES = 10_000
MOST_BYTES = 16 * 1024 * 1024
_ENTRY_BYTES = 500  # what Python itself needs for one entry, roughly
_SIGNER_CLAIMS = frozenset({"iat", "exp", "jti"})
# Those that take less than 100 microseconds; any other would hold up the requests beside it.
_QUICK = frozenset({"HS256", "HS384", "HS512", "ES256", "Ed25519", "EdDSA"})

_Described = tuple[str, str, int, bytes, int | None]


def random_id() -> str:
    """An identifier of 128 random bits, in base64url."""
    return base64url_encode(os.urandom(16))


class IssuedTokens:
    """Signs with `keys`: by name, the private key and its algorithm."""

    def __init__(
        self,
        keys: Mapping[str, tuple[Key, str]],
        *,
        random_id: Callable[[], str] = random_id,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._keys = dict(keys)
        self._random_id = random_id
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._signers: dict[tuple[str, str], tuple[Key, str, str]] = {}
        # Two generations: when the younger is full the elder goes, with all that nobody asked for again.
        self._young: dict[_Described, tuple[int, IssuedToken]] = {}
        self._old: dict[_Described, tuple[int, IssuedToken]] = {}
        self._young_bytes = 0

    def is_slow(self, need: NeedIssuedToken) -> bool:
        """Whether signing takes so long that it belongs on a thread of its own."""
        _, alg = self._keys.get(need.issue.key, (None, "HS256"))
        return alg not in _QUICK

    def issue(self, need: NeedIssuedToken, now: int) -> IssuedToken:
        """The token, signed now (NumericDate) or handed out again, with `iat`, `exp` and `jti`.

        It is handed out for three quarters of its life. `DependencyFault("signer_unavailable")` when its life
        would be over already, or the key is not there.
        """
        issue = need.issue
        claims = need.claims if _SIGNER_CLAIMS.isdisjoint(need.claims) else _without_ours(need.claims)
        try:
            body = json_bytes(dict(claims))
        except ValueError as error:
            raise DependencyFault("signer_unavailable", issue=issue.name, cause=str(error)) from None
        if not issue.reuse:
            return self._sign(need, body, now)
        described = (issue.key, issue.typ, issue.ttl_seconds, body, need.not_after)
        held = self._young.get(described) or self._old.get(described)
        # A clock that was set back would make a token of the future out of one that is held.
        if held is not None and held[0] <= now < held[1].reuse_until:
            return held[1]
        token = self._sign(need, body, now)
        self._remember(described, (now, token))
        return token

    def _sign(self, need: NeedIssuedToken, body: bytes, now: int) -> IssuedToken:
        issue = need.issue
        exp = now + issue.ttl_seconds
        if need.not_after is not None and need.not_after < exp:
            exp = need.not_after
        if exp <= now:
            raise DependencyFault("signer_unavailable", issue=issue.name, cause="its life would be over")
        key, alg, header = self._signers.get((issue.key, issue.typ)) or self._signer(issue)
        ours = b'"iat":%d,"exp":%d,"jti":"%s"}' % (now, exp, self._random_id().encode())
        payload = body[:-1] + b"," + ours if len(body) > 2 else b"{" + ours
        signing_input = f"{header}.{base64url_encode(payload)}"
        try:
            signature = sign_bytes(alg, key, signing_input.encode())
        except KeyRefused as refusal:
            raise DependencyFault("signer_unavailable", issue=issue.name, key=issue.key) from refusal
        reuse_until = now + 3 * (exp - now) // 4 if issue.reuse else now
        return IssuedToken(f"{signing_input}.{base64url_encode(signature)}", reuse_until)

    def _signer(self, issue: Issue) -> tuple[Key, str, str]:
        """The key to sign with, its algorithm, and the header segment both of them and `typ` make."""
        if issue.key not in self._keys:
            raise DependencyFault("signer_unavailable", issue=issue.name, key=issue.key)
        key, alg = self._keys[issue.key]
        named = {"kid": key.kid} if key.kid is not None else {}
        header = base64url_encode(json_bytes({"alg": alg, **named, "typ": issue.typ}))
        signer = self._signers[issue.key, issue.typ] = (key, alg, header)
        return signer

    def _remember(self, described: _Described, entry: tuple[int, IssuedToken]) -> None:
        size = len(described[3]) + len(entry[1].text) + _ENTRY_BYTES
        full = 2 * (self._young_bytes + size) > self._most_bytes or 2 * len(self._young) >= self._most_entries
        if full:
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[described] = entry
        self._young_bytes += size


def _without_ours(claims: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in claims.items() if name not in _SIGNER_CLAIMS}
