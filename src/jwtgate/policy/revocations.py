"""Tokens that are good no longer although they have not ended (SEC-75).

An entry names tokens by one thing about them; `issued_before` narrows it to those issued earlier. The table is exact:
nothing in it is a guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from jwtgate.jose.encoding import JSON, base64url_encode
from jwtgate.jose.signature import twin_of


class RevokedBy(Enum):
    """What an entry names tokens by."""

    JTI = "jti"
    TOKEN = "token"  # noqa: S105 - a kind, not a token
    """The base64url SHA-256 of the whole token."""
    SUBJECT = "subject"
    CLIENT = "client"
    """`client_id`, or `azp` where there is none."""
    SESSION = "session"
    """`sid`."""
    CONSUMER = "consumer"
    """The name of the consumer."""
    EVERYTHING = "everything"
    """All tokens of the issuer; only together with `issued_before`."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry. `issuer` is its name in the document, None: every issuer. Instants are NumericDates.

    `issued_before`: only tokens whose `iat` is earlier, or that have none. The entry itself ends at `expires_at`.
    """

    id: str
    by: RevokedBy
    value: str
    issuer: str | None = None
    issued_before: int | None = None
    expires_at: int | None = None
    note: str = ""

    def covers(self, issuer: str, iat: object, *, now: int) -> bool:
        """Whether a token of this issuer, issued then, is meant; an entry that has ended means none."""
        if self.expires_at is not None and now >= self.expires_at:
            return False
        if self.issuer is not None and self.issuer != issuer:
            return False
        # A token that does not say when it was issued may be as old as any.
        return self.issued_before is None or not isinstance(iat, int | float) or iat < self.issued_before


class Revocations:
    """The table of all entries, found by what they name."""

    __slots__ = ("_by", "_kinds")

    def __init__(self, entries: Iterable[Revocation] = ()) -> None:
        self._by: dict[tuple[RevokedBy, str], list[Revocation]] = {}
        for entry in entries:
            place = (entry.by, "" if entry.by is RevokedBy.EVERYTHING else entry.value)
            self._by.setdefault(place, []).append(entry)
        self._kinds = frozenset(by for by, _ in self._by)

    def __bool__(self) -> bool:
        return bool(self._by)

    def find(
        self,
        issuer: str,
        *,
        text: str,
        claims: Mapping[str, JSON],
        consumer: str | None,
        now: int,
        alg: str | None = None,
    ) -> Revocation | None:
        """The entry that revokes this token of the issuer, if there is one.

        `text` is the token itself, `alg` that of the signature it was verified by, if it was.
        """
        iat = claims.get("iat")
        for place in self._places(text, alg, claims, consumer=consumer):
            for entry in self._by.get(place, ()):
                if entry.covers(issuer, iat, now=now):
                    return entry
        return None

    def find_consumer(self, name: str, *, now: int) -> Revocation | None:
        """The entry that revokes this consumer where there is no token: one about nobody's tokens in particular."""
        for entry in self._by.get((RevokedBy.CONSUMER, name), ()):
            if entry.issuer is None and entry.issued_before is None and entry.covers("", None, now=now):
                return entry
        return None

    def _places(
        self, text: str, alg: str | None, claims: Mapping[str, JSON], *, consumer: str | None
    ) -> Iterator[tuple[RevokedBy, str]]:
        named = {
            RevokedBy.JTI: claims.get("jti"),
            RevokedBy.SUBJECT: claims.get("sub"),
            RevokedBy.CLIENT: claims.get("client_id", claims.get("azp")),
            RevokedBy.SESSION: claims.get("sid"),
            RevokedBy.CONSUMER: consumer,
            RevokedBy.EVERYTHING: "",
        }
        for by, value in named.items():
            if by in self._kinds and isinstance(value, str):
                yield by, value
        # Hashing is dearer than all the rest, and seldom asked for.
        if RevokedBy.TOKEN in self._kinds:
            yield RevokedBy.TOKEN, token_hash(text)
            twin = None if alg is None else twin_of(text, alg)
            if twin is not None:
                yield RevokedBy.TOKEN, token_hash(twin)


def token_hash(text: str) -> str:
    """What an entry names a whole token by: the base64url of its SHA-256."""
    return base64url_encode(hashlib.sha256(text.encode()).digest())
