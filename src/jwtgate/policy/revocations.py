"""Tokens that are good no longer although they have not ended (SEC-75).

An entry names tokens by one thing about them; `issued_before` narrows it to those issued earlier. The table is exact:
nothing in it is a guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


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


class Revocations:
    """The table of all entries that have not ended."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Iterable[Revocation] = ()) -> None:
        self._entries = tuple(entries)

    def __bool__(self) -> bool:
        return bool(self._entries)
