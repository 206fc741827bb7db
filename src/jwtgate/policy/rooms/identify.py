"""From verified tokens to a principal: who this request turned out to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jwtgate.jose.token import VerifiedToken
from jwtgate.policy.requirements import Issuer


@dataclass(frozen=True, slots=True)
class Proven:
    """One slot's token after every check, with the issuer it belongs to and the end of its use."""

    issuer: Issuer
    token: VerifiedToken
    good_until: int | None


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: the proven tokens by slot. A slot whose credential was absent is not in there."""

    tokens: Mapping[str, Proven]

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing at all was proven."""
        return not self.tokens

    @property
    def good_until(self) -> int | None:
        """The instant (NumericDate) at which the first of the tokens stops being good."""
        return min(
            (proven.good_until for proven in self.tokens.values() if proven.good_until is not None),
            default=None,
        )


ANONYMOUS = Principal(MappingProxyType({}))


def identify(tokens: Mapping[str, Proven]) -> Principal:
    """The principal behind these tokens."""
    return Principal(MappingProxyType(dict(tokens))) if tokens else ANONYMOUS
