"""Proofs that a caller holds the key its token is bound to (RFC 9449): where they stand, and what they say.

A proof brings its own key. So a good signature says nothing of who the caller is: only that whoever made this proof
holds the key, which has to be that of the token.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from jwtgate.errors import KeyRefused, Refusal, RequestRefused, TokenRefused
from jwtgate.jose.encoding import JSON, base64url_encode, json_bytes
from jwtgate.jose.header import parse_header
from jwtgate.jose.key import Key
from jwtgate.jose.token import UnverifiedToken, type_matches
from jwtgate.oauth.bearer import error_parameters, quoted

FIELD = b"dpop"
NONCE_FIELD = "DPoP-Nonce"
TYPE = "dpop+jwt"
MOST_BYTES = 8_192
MOST_JTI_BYTES = 128

_TOKEN = re.compile(rb"[Dd][Pp][Oo][Pp] +([A-Za-z0-9._~+/-]+=*)").fullmatch
_SCHEME = re.compile(rb"[Dd][Pp][Oo][Pp](?![A-Za-z0-9!#$%&'*+.^_`|~-])").match
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
_TARGET = re.compile(
    r"([Hh][Tt][Tt][Pp][Ss]?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{0,5}))?(/[!-~]*)?", re.ASCII
).fullmatch
_USUAL_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]
"""Scheme and host in lower case, and the port, the usual one of the scheme where none was written."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof says whose signature holds; nothing of it was compared with anything yet.

    `thumbprints` are those of its key (RFC 7638): one, or two where its type may have two names. `iat` is a
    NumericDate.
    """

    thumbprints: tuple[str, ...]
    jti: str
    htm: str
    htu: str = field(repr=False)
    iat: int | float
    ath: str
    nonce: str | None = None


def parse_authorization(value: bytes) -> str | None:
    """The token of a `DPoP` credential, or None where the field value is of another scheme (RFC 9449 section 7.1).

    `RequestRefused` as for a bearer token: `credential_repeated`, `credential_malformed`.
    """
    match = _TOKEN(value)
    if match is not None:
        return match[1].decode("ascii")
    if _SCHEME(value) is None:
        return None
    raise RequestRefused("credential_repeated" if b"," in value else "credential_malformed")


def challenge(algorithms: Sequence[str], refusal: Refusal | None) -> str:
    """The value of a WWW-Authenticate field: the algorithms of proofs, and the error (RFC 9449 section 7.1)."""
    return ", ".join((f"DPoP algs={quoted(' '.join(algorithms))}", *error_parameters(refusal)))


def read_proof(text: bytes, algorithms: Sequence[str], *, ec_called_ecdsa: bool) -> Proof:
    """The proof in this field value, its signature verified with the key it brings (RFC 9449 section 4.3, 2 to 7).

    `TokenRefused("proof_wrong")`, its `cause` being `too_large`, `malformed`, `typ`, `alg`, `jwk`, `signature` or the
    claim that is not there or not of its type. With `ec_called_ecdsa` the type of an EC key may be named so.
    """
    if len(text) > MOST_BYTES:
        raise wrong("too_large")
    try:
        token = UnverifiedToken.parse(text, limit_bytes=MOST_BYTES)
    except TokenRefused as refusal:
        raise wrong("alg" if refusal.reason == "alg_unreadable" else "malformed") from None
    if not type_matches(token.typ, (TYPE,)):
        raise wrong("typ")
    if token.alg not in algorithms:
        raise wrong("alg")
    key, thumbprints = _key(text.partition(b".")[0], ec_called_ecdsa)
    if not key.verifies(token.alg):
        raise wrong("jwk")
    try:
        claims = token.verify((key,), algorithms).claims
    except TokenRefused:
        raise wrong("signature") from None
    jti = _text(claims, "jti")
    if not jti or len(jti.encode()) > MOST_JTI_BYTES:
        raise wrong("jti")
    iat = claims.get("iat")
    if isinstance(iat, bool) or not isinstance(iat, int | float):
        raise wrong("iat")
    nonce = _text(claims, "nonce") if "nonce" in claims else None
    return Proof(thumbprints, jti, _text(claims, "htm"), _text(claims, "htu"), iat, _text(claims, "ath"), nonce)


def wrong(cause: str) -> TokenRefused:
    """The refusal of a proof."""
    return TokenRefused("proof_wrong", cause=cause)


def access_token_hash(token: str) -> str:
    """What a proof says of the token it comes with: its SHA-256 in base64url (RFC 9449 section 4.2, `ath`)."""
    return base64url_encode(hashlib.sha256(token.encode("ascii")).digest())


def split_target(htu: str) -> tuple[Origin, bytes] | None:
    """The origin and the path of an `htu`, its query and fragment left out; None for what is no such address."""
    match = _TARGET(re.split(r"[?#]", htu, maxsplit=1)[0])
    if match is None:
        return None
    scheme, host, port, path = match[1].lower(), match[2].lower(), match[3], match[4] or "/"
    number = int(port) if port else _USUAL_PORTS[scheme]
    return ((scheme, host, number), path.encode("ascii")) if number < 65536 else None


@lru_cache(maxsize=1_024)
def _key(header: bytes, ec_called_ecdsa: bool) -> tuple[Key, tuple[str, ...]]:
    """The key in the header of a proof, and its thumbprints. A client makes many proofs with one key."""
    jwk = parse_header(header).members.get("jwk")
    if not isinstance(jwk, dict) or not _SECRET_MEMBERS.isdisjoint(jwk):
        raise wrong("jwk")
    renamed = ec_called_ecdsa and jwk.get("kty") == "ECDSA"
    try:
        key = Key.from_jwk({**jwk, "kty": "EC"} if renamed else jwk)
        if key.is_symmetric:
            raise wrong("jwk")
        thumbprint = key.thumbprint()
    except KeyRefused:
        raise wrong("jwk") from None
    return key, (thumbprint, _thumbprint_as_named(jwk)) if renamed else (thumbprint,)


def _thumbprint_as_named(jwk: Mapping[str, JSON]) -> str:
    members = {name: jwk.get(name) for name in ("crv", "kty", "x", "y")}
    return base64url_encode(hashlib.sha256(json_bytes(members)).digest())


def _text(claims: Mapping[str, JSON], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise wrong(name)
    return value
