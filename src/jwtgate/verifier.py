"""The toolkit's front door: sign a token, judge a token, without a gateway.

The checks are the gateway's own: what this refuses, the gateway refuses, and for the same reason. Nothing here
reads a network, a file or an environment; the clock is read only where no `now` is given.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Final, NamedTuple

from jwtgate.errors import TokenRefused
from jwtgate.jose.algorithms import mixes_families
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.signature import sign_compact, split_compact, verify_bytes, verify_compact
from jwtgate.jose.token import UnverifiedToken, sign_token, type_matches
from jwtgate.policy.requirements import Times
from jwtgate.policy.rooms.claims import check_registered


class Any(Enum):
    """The type of `ANY`."""

    ANY = "any"


ANY: Final = Any.ANY
"""Said in place of an issuer or an audience: whichever the token names will do."""


class Token(NamedTuple):
    """A token that was verified and checked: its claims and its header, both read-only."""

    claims: Mapping[str, JSON]
    header: Mapping[str, JSON]


def verify(
    token: str | bytes,
    key: Key | KeySet,
    *,
    algorithms: Collection[str],
    issuer: str | Any,
    audience: str | Collection[str] | Any,
    types: Collection[str] = (),
    leeway_seconds: int = 30,
    exp_required: bool = True,
    now: int | None = None,
) -> Token:
    """The token, once its signature and its registered claims hold (RFC 7515 section 5.2, RFC 7519 section 4.1).

    `algorithms` are the JWA names allowed; MAC and signature names are never allowed together. `audience` is one
    name or several, any of which the token may carry. `types` empty: any `typ`. `now` is a NumericDate in seconds.
    Raises `TokenRefused` with a `reason`; `ValueError` for arguments that could never be meant.
    """
    if not algorithms or isinstance(algorithms, str) or (len(algorithms) > 1 and mixes_families(algorithms)):
        raise ValueError("algorithms: a list of names, all of them signatures or all of them MACs")
    if not 0 <= leeway_seconds <= 300:
        raise ValueError("leeway_seconds: 0 to 300")
    unverified = UnverifiedToken.parse(token)
    alg = unverified.alg
    if alg not in algorithms:
        raise TokenRefused("alg_not_allowed", alg=alg)
    if types and not type_matches(unverified.typ, types):
        raise TokenRefused("type_wrong", typ=unverified.typ)
    verified = unverified.verify(_candidates(key, alg, unverified.kid), algorithms)
    claims = verified.claims
    check_registered(
        claims,
        iss=None if issuer is ANY else issuer,
        audiences=(audience,) if isinstance(audience, str) else None if audience is ANY else audience,
        times=_USUAL_TIMES if leeway_seconds == 30 and exp_required else Times(leeway_seconds, exp_required),
        now=int(time.time()) if now is None else now,
    )
    return Token(claims, verified.header)


_USUAL_TIMES = Times()


def _candidates(key: Key | KeySet, alg: str, kid: str | None) -> tuple[Key, ...]:
    if isinstance(key, KeySet):
        found = key.candidates(alg, kid)
    else:
        # A key given on its own was chosen by the caller; a `kid` that contradicts it names another one.
        found = (key,) if kid is None or key.kid is None or key.kid == kid else ()
    if not found:
        raise TokenRefused("key_unknown", kid=kid, alg=alg)
    return found


def sign(
    claims: Mapping[str, JSON],
    key: Key,
    *,
    alg: str | None = None,
    typ: str | None = "JWT",
    kid: str | None = None,
    header: Mapping[str, JSON] | None = None,
) -> str:
    """A JWT in compact form over these claims, as they are: no time and no id is added.

    `alg` may be left out when the key declares its own. `header` adds parameters to the protected header. Raises
    `KeyRefused` when the key does not fit, `ValueError` for a parameter that is not the caller's to set.
    """
    return sign_token(claims, key if kid is None else key.with_kid(kid), alg=_alg(key, alg), typ=typ, header=header)


def sign_jws(payload: bytes, key: Key, *, alg: str | None = None) -> str:
    """A JWS in compact form over any bytes (RFC 7515 section 7.1)."""
    return sign_compact(payload, key, alg=_alg(key, alg))


def verify_jws(
    token: str | bytes, key: Key | KeySet, *, algorithms: Collection[str]
) -> tuple[bytes, Mapping[str, JSON]]:
    """The payload and the protected header of a compact JWS whose signature holds. Raises `TokenRefused`."""
    header = split_compact(token).header
    return verify_compact(token, _candidates(key, header.alg, header.kid), algorithms)


def check_signature(alg: str, key: Key, data: bytes, *, signature: bytes) -> bool:
    """Whether these bytes are this key's signature over that data: the bare primitive (RFC 7518 section 3)."""
    return verify_bytes(alg, key, data, signature=signature)


def import_key(value: Mapping[str, object] | str | bytes, *, alg: str | None = None, kid: str | None = None) -> Key:
    """A key from a JWK or a PEM text. Raises `KeyRefused` when the key is malformed or too weak to be held."""
    if isinstance(value, Mapping):
        key = Key.from_jwk(value)
        key = key if alg is None else key.bound_to(alg)
        return key if kid is None else key.with_kid(kid)
    return Key.from_pem(value, alg=alg, kid=kid)


def import_key_set(value: bytes | Mapping[str, object]) -> KeySet:
    """A key set from a JWK Set. Raises `KeyRefused` when any of its keys cannot be used as it says."""
    return KeySet.parse_local(value)


def thumbprint(key: Key) -> str:
    """The SHA-256 thumbprint of a key, base64url (RFC 7638 section 3)."""
    return key.thumbprint()


def _alg(key: Key, alg: str | None) -> str:
    chosen = alg or key.alg
    if chosen is None:
        raise ValueError("alg: the key declares none, so name one")
    return chosen
