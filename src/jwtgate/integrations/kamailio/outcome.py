"""What a call tells: 1 or -1, and beside it the values of `$jwt(...)`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from jwtgate.jose.encoding import JSON

GENERAL = 0x001
ALG_DIFFERS = 0x002
EXPIRED = 0x004
NOT_YET_VALID = 0x008
ISS_DIFFERS = 0x010
SUB_DIFFERS = 0x020
AUD_DIFFERS = 0x040
CLAIM_MISSING = 0x080
CLAIM_DIFFERS = 0x100


class Result(int):
    """1 or -1, as Kamailio has it; true means success, so that a plain `if` is right too."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self > 0


SUCCESS, FAILURE = Result(1), Result(-1)


class Finding(NamedTuple):
    """One thing that does not hold of a token that was read: its bit of the status, why, and of which claim."""

    bit: int
    reason: str
    name: str = ""


class Failed(Exception):
    """The call fails. `line` is for the log: it names paths, algorithms and claims, never a value, token or key."""

    def __init__(self, reason: str, line: str, status: int = 0) -> None:
        super().__init__(line)
        self.reason = reason
        self.line = line
        self.status = status


class Jwt:
    """`$jwt(val)` and `$jwt(status)`, and what the original cannot tell: the reason of a failure, and the claims.

    `val` is the last token that was generated; `status` the bits of the last verification; `reason` a word for why the
    last call failed, and None when it did not; `claims` those of the last token, when it was verified.
    """

    __slots__ = ("_claims", "_reason", "_status", "_val")

    def __init__(self) -> None:
        self._val: str | None = None
        self._status = 0
        self._reason: str | None = None
        self._claims: Mapping[str, JSON] | None = None

    @property
    def val(self) -> str | None:
        """The token made last, or None when making one failed since."""
        return self._val

    @property
    def status(self) -> int:
        """The bits of what did not hold; 0 also where a token could not be read or its signature was wrong."""
        return self._status

    @property
    def reason(self) -> str | None:
        """Why the last call failed, in a word that stays the same."""
        return self._reason

    @property
    def claims(self) -> Mapping[str, JSON] | None:
        """The claims of the token verified last, read-only; None when the last verification failed."""
        return self._claims

    def generating(self) -> None:
        """A call to generate has begun."""
        self._val = None

    def verifying(self) -> None:
        """A call to verify has begun."""
        self._status = 0

    def generated(self, token: str) -> Result:
        """A token was made."""
        self._val, self._reason = token, None
        return SUCCESS

    def verified(self, claims: Mapping[str, JSON]) -> Result:
        """A token held."""
        self._claims, self._reason = MappingProxyType(dict(claims)), None
        return SUCCESS

    def failed(self, failure: Failed) -> Result:
        """The call failed."""
        self._reason = failure.reason
        if failure.status:
            self._status = failure.status
        return FAILURE

    def unproven(self) -> None:
        """No claims are known any more: a call to verify may fail before it begins."""
        self._claims = None
