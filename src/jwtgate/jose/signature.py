"""JWS in its compact form (RFC 7515), with detached and unencoded payloads for those who ask (RFC 7797).

The verifier chooses: which keys, which algorithms, whether a payload may be detached. What is verified is the
bytes that arrived, never something written again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from jwtgate.errors import KeyRefused, TokenRefused
from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.jose.encoding import JSON, base64url_decode, base64url_encode, decode_segment, json_bytes
from jwtgate.jose.header import Header, parse_header
from jwtgate.jose.key import Key

MOST_TOKEN_BYTES = 16_384
MOST_DETACHED_BYTES = 1_048_576
MOST_KEYS_TRIED = 4

# Orders of the groups of the curves (SEC 2, FIPS 186-4 D.1.2).
_ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": 2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
    "ES512": 2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
}
_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


class Compact(NamedTuple):
    """A JWS taken apart, unverified. `signing_input` is what its first two segments were received as."""

    header: Header
    payload_segment: bytes
    signing_input: bytes
    signature: bytes


def split_compact(text: str | bytes, *, limit_bytes: int = MOST_TOKEN_BYTES) -> Compact:
    """As `parts_of`, by name."""
    return Compact(*parts_of(text, limit_bytes))


def parts_of(text: str | bytes, limit_bytes: int) -> tuple[Header, bytes, bytes, bytes]:
    """The parts of a compact JWS in the order of `Compact`, its header checked.

    `TokenRefused`: `token_too_large`, `token_malformed`, `signature_unreadable`, `token_encrypted` for five segments,
    and what `parse_header` refuses. Size and shape are looked at before anything is decoded (SEC-4, SEC-6).
    """
    if len(text) > limit_bytes:
        raise TokenRefused("token_too_large")
    if isinstance(text, str):
        text = text.encode("utf-8", "replace")  # what is not ASCII becomes bytes that no token may hold
    segments = text.split(b".", 5)
    # What is no base64 at all is refused when it is decoded; these three are, and stand in no token.
    if len(segments) != 3 or 0x2B in text or 0x2F in text or 0x3D in text or not segments[0]:
        raise TokenRefused("token_encrypted" if _is_encrypted(text) else "token_malformed", part="shape")
    header_segment, payload_segment, signature_segment = segments
    if not signature_segment:
        raise TokenRefused("token_malformed", part="signature", alg=_named_alg(header_segment))
    header = parse_header(header_segment)
    try:
        signature = decode_segment(signature_segment)
    except ValueError:
        if text.translate(None, _CHARACTERS):
            raise TokenRefused("token_malformed", part="shape") from None
        raise TokenRefused("signature_unreadable") from None
    return header, payload_segment, text[: -len(signature_segment) - 1], signature


def _named_alg(header_segment: bytes) -> object:
    """The `alg` of a header, for the log: most of those who leave out the signature say that there is none."""
    try:
        return parse_header(header_segment).alg
    except TokenRefused as refusal:
        return refusal.detail.get("alg")


def decode_payload(segment: bytes) -> bytes:
    """The payload bytes of a segment `split_compact` gave; `TokenRefused("token_malformed")` if it is not base64url."""
    try:
        return decode_segment(segment)
    except ValueError:
        raise TokenRefused("token_malformed", part="payload") from None


def refuse_extensions(header: Header) -> None:
    """Refuse a header that asks for any extension: none is implemented here (SEC-12, SEC-13)."""
    if header.crit:
        raise TokenRefused("crit_unknown")
    if header.members.get("b64", True) is not True:
        raise TokenRefused("token_malformed", part="header", member="b64")


def verify_signature(
    alg: str, signing_input: bytes, *, signature: bytes, keys: Sequence[Key], algorithms: Collection[str]
) -> Key:
    """The first of `keys` that made `signature`.

    `TokenRefused`: `alg_not_allowed` when `alg` is not among `algorithms` or fits none of the keys,
    `key_unknown` when there are no keys, `key_ambiguous` when there are more than four, `signature_wrong`.
    """
    algorithm = ALGORITHMS.get(alg)
    if algorithm is None or alg not in algorithms:
        raise TokenRefused("alg_not_allowed")
    if len(keys) > MOST_KEYS_TRIED:
        raise TokenRefused("key_ambiguous")
    verify, tried = algorithm.verify, False
    for key in keys:
        if key.verifies(alg):
            tried = True
            if verify(key, signing_input, signature):
                return key
    if tried:
        raise TokenRefused("signature_wrong")
    raise TokenRefused("alg_not_allowed" if keys else "key_unknown")


def twin_of(token: str, alg: str) -> str | None:
    """The one other compact text of a verified token that anybody can make: an ECDSA `s` may be `-s` as well."""
    order = _ORDERS.get(alg)
    if order is None:
        return None
    signing_input, _, segment = token.rpartition(".")
    signature = base64url_decode(segment)
    size = len(signature) // 2
    s = order - int.from_bytes(signature[size:], "big")
    return f"{signing_input}.{base64url_encode(signature[:size] + s.to_bytes(size, 'big'))}"


def verify_compact(
    token: str | bytes,
    keys: Sequence[Key],
    algorithms: Collection[str],
    *,
    limit_bytes: int = MOST_TOKEN_BYTES,
) -> tuple[bytes, Mapping[str, JSON]]:
    """The payload and the header of a compact JWS whose signature holds. The payload may be anything at all.

    `TokenRefused` as `split_compact` and `verify_signature`, and for any `crit`.
    """
    parts = split_compact(token, limit_bytes=limit_bytes)
    refuse_extensions(parts.header)
    payload = decode_payload(parts.payload_segment)
    _verify(parts, parts.signing_input, keys, algorithms)
    return payload, parts.header.members


def verify_detached(
    token: str | bytes, payload: bytes, *, keys: Sequence[Key], algorithms: Collection[str]
) -> Mapping[str, JSON]:
    """The header of a compact JWS over a payload that travelled apart (RFC 7515 appendix F, RFC 7797).

    The middle segment must be empty. `TokenRefused` as `verify_compact`; only `b64` is understood in `crit`.
    """
    if len(payload) > MOST_DETACHED_BYTES:
        raise TokenRefused("token_too_large", part="payload")
    parts = split_compact(token)
    if parts.payload_segment:
        raise TokenRefused("token_malformed", part="payload")
    if set(parts.header.crit) - {"b64"}:
        raise TokenRefused("crit_unknown")
    encoded = parts.header.members.get("b64", True)
    if not isinstance(encoded, bool) or ("b64" in parts.header.members) != ("b64" in parts.header.crit):
        raise TokenRefused("token_malformed", part="header", member="b64")
    body = base64url_encode(payload).encode("ascii") if encoded else payload
    _verify(parts, parts.signing_input + body, keys, algorithms)
    return parts.header.members


def sign_compact(payload: bytes, key: Key, *, alg: str, header: Mapping[str, JSON] | None = None) -> str:
    """A compact JWS over `payload`. `header` adds members; `alg` and the key's `kid` are set here.

    `KeyRefused("key_unfit")` when the key may not sign with `alg`, which holds for `none` with every key
    (SEC-38). `ValueError` for a header that names `alg`, `crit` or `b64`, or a `kid` that is not the key's.
    """
    return _sign(f"{_header_segment(key, alg, header)}.{base64url_encode(payload)}", key, alg)


def sign_detached(payload: bytes, key: Key, *, alg: str, header: Mapping[str, JSON] | None = None) -> str:
    """A compact JWS with an empty middle over an unencoded `payload` (RFC 7797); errors as `sign_compact`."""
    segment = _header_segment(key, alg, header, {"b64": False, "crit": ["b64"]})
    signature = sign_bytes(alg, key, f"{segment}.".encode("ascii") + payload)
    return f"{segment}..{base64url_encode(signature)}"


def sign_bytes(alg: str, key: Key, data: bytes) -> bytes:
    """The signature over `data`; `KeyRefused("key_unfit")` when the key may not sign with `alg`."""
    if not key.signs(alg):
        raise KeyRefused("key_unfit", alg=alg)
    return ALGORITHMS[alg].sign(key, data)


def verify_bytes(alg: str, key: Key, data: bytes, *, signature: bytes) -> bool:
    """Whether `signature` over `data` is good; `KeyRefused("key_unfit")` as `sign_bytes`."""
    if not key.verifies(alg):
        raise KeyRefused("key_unfit", alg=alg)
    return ALGORITHMS[alg].verify(key, data, signature)


def _is_encrypted(text: bytes) -> bool:
    """Whether this has the shape of a compact JWE: five segments, of which the second may be empty."""
    return not text.translate(None, _CHARACTERS) and text.count(b".") == 4


def _verify(parts: Compact, signing_input: bytes, keys: Sequence[Key], algorithms: Collection[str]) -> None:
    alg, signature = parts.header.alg, parts.signature
    verify_signature(alg, signing_input, signature=signature, keys=keys, algorithms=algorithms)


def _sign(signing_input: str, key: Key, alg: str) -> str:
    return f"{signing_input}.{base64url_encode(sign_bytes(alg, key, signing_input.encode('ascii')))}"


def _header_segment(
    key: Key, alg: str, extra: Mapping[str, JSON] | None, ours: Mapping[str, JSON] | None = None
) -> str:
    members: dict[str, JSON] = {"alg": alg}
    if key.kid is not None:
        members["kid"] = key.kid
    for name, value in (extra or {}).items():
        if name in ("alg", "crit", "b64") or members.get(name, value) != value:
            raise ValueError(f"the header member {name!r} is not the caller's to set")
        members[name] = value
    return base64url_encode(json_bytes({**members, **(ours or {})}))
