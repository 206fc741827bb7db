"""A token read and verified as everywhere in this package; the caller, not the token, says with which algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jwtgate.errors import TokenRefused
from jwtgate.integrations.kamailio.claims.lists import fits_64_bits
from jwtgate.integrations.kamailio.key_texts import USABLE
from jwtgate.integrations.kamailio.outcome import ALG_DIFFERS, Failed
from jwtgate.jose.encoding import JSON, parse_json_object
from jwtgate.jose.key import Key
from jwtgate.jose.signature import (
    MOST_TOKEN_BYTES,
    Compact,
    decode_payload,
    refuse_extensions,
    split_compact,
    verify_signature,
)

Keys = Callable[[str, str | None], tuple[Key, ...]]
Members = Mapping[str, JSON]

_REASONS = {"signature_wrong": "bad-signature", "alg_unreadable": "alg-unknown", "crit_unknown": "extension-unknown"}


def read_strictly(token: str | bytes, alg: str, keys: Keys) -> tuple[Members, Members]:
    """The header and the claims of a token, once its signature holds.

    `Failed`: `malformed`, `alg-unknown`, `extension-unknown`, `bad-signature`, and `alg-mismatch` for a token with
    another algorithm, whose signature is then not looked at; what `keys` raises passes through.
    """
    try:
        parts = split_compact(token)
        refuse_extensions(parts.header)
        claims = _claims(decode_payload(parts.payload_segment))
        _check_alg(parts, alg)
        found = keys(alg, parts.header.kid)
        verify_signature(alg, parts.signing_input, signature=parts.signature, keys=found, algorithms=(alg,))
    except TokenRefused as refusal:
        raise undecoded(_REASONS.get(refusal.reason, "malformed")) from None
    return parts.header.members, claims


def undecoded(reason: str) -> Failed:
    """The one failure the reference has for all that is wrong with a token before its claims are looked at."""
    return Failed(reason, f"failed to decode jwt value ({reason})")


def _check_alg(parts: Compact, alg: str) -> None:
    said = parts.header.alg
    if said == alg:
        return
    if said not in USABLE:
        raise undecoded("key-unusable")
    raise Failed("alg-mismatch", f"failed to validate jwt: {ALG_DIFFERS:08x} (alg-mismatch)", ALG_DIFFERS)


def _claims(payload: bytes) -> Members:
    try:
        claims = parse_json_object(payload, limit_bytes=MOST_TOKEN_BYTES)
    except ValueError:
        raise undecoded("malformed") from None
    if b"\\u0000" in payload or any(type(each) is int and not fits_64_bits(each) for each in claims.values()):
        raise undecoded("malformed")
    return claims
