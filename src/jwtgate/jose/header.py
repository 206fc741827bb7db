"""The protected header of a token, checked by all that needs no key (RFC 7515 section 4, RFC 8725).

What a header says about keys and addresses (`jwk`, `jku`, `x5u`, `x5c`) is kept for those who want to refuse
it, and used by nobody to find a key (SEC-14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from jwtgate.errors import TokenRefused
from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.jose.encoding import JSON, base64url_decode, parse_json_object

MOST_HEADER_BYTES = 8_192
MOST_KID_BYTES = 256
MOST_ALG_CHARACTERS = 16
_MOST_REMEMBERED_BYTES = 512


@dataclass(frozen=True, slots=True)
class Header:
    """A checked header. `members` is all of it; `alg` is the name of an algorithm we know."""

    members: Mapping[str, JSON]
    alg: str
    kid: str | None
    typ: str | None
    crit: tuple[str, ...]


def parse_header(segment: bytes) -> Header:
    """The header in the first segment of a compact token.

    `TokenRefused`: `token_malformed`, `token_too_large`, `alg_unreadable` for an `alg` we do not know, or none,
    `crit_unknown` for a `crit` that is ill formed or names what is not in the header.
    """
    # An issuer writes the same few headers over and over; reading one again costs a look-up.
    if len(segment) <= _MOST_REMEMBERED_BYTES:
        return _remembered(segment)
    if len(segment) > MOST_HEADER_BYTES:
        raise TokenRefused("token_too_large", part="header")
    return _parse(segment)


def _parse(segment: bytes) -> Header:
    try:
        members = parse_json_object(base64url_decode(segment), limit_bytes=MOST_HEADER_BYTES)
    except ValueError as error:
        raise TokenRefused("token_malformed", part="header", cause=str(error)) from None
    alg = members.get("alg")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise TokenRefused("alg_unreadable", **({"alg": alg[:MOST_ALG_CHARACTERS]} if isinstance(alg, str) else {}))
    kid, typ, _ = (_text(members, name) for name in ("kid", "typ", "cty"))
    if kid is not None and len(kid.encode()) > MOST_KID_BYTES:
        raise TokenRefused("token_malformed", part="header", member="kid")
    return Header(MappingProxyType(members), alg, kid, typ, _crit(members))


_remembered = lru_cache(maxsize=1_024)(_parse)


def _text(members: Mapping[str, JSON], name: str) -> str | None:
    if name not in members:
        return None
    value = members[name]
    if not isinstance(value, str):
        raise TokenRefused("token_malformed", part="header", member=name)
    return value


def _crit(members: Mapping[str, JSON]) -> tuple[str, ...]:
    """The names a reader must understand: at least one, distinct, each a member of the header."""
    if "crit" not in members:
        return ()
    names = members["crit"]
    if not isinstance(names, list) or not names:
        raise TokenRefused("crit_unknown")
    critical = tuple(name for name in names if isinstance(name, str) and name in members)
    if len(set(critical)) != len(names):
        raise TokenRefused("crit_unknown")
    return critical
