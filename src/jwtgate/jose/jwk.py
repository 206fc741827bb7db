"""The members of a JSON Web Key (RFC 7517, 7518 section 6, 8037, 9964) to key material, and back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from jwtgate.errors import KeyRefused
from jwtgate.jose.encoding import base64url_decode, base64url_encode
from jwtgate.jose.key_formats import parse_certificate
from jwtgate.jose.key_material import (
    EC_CURVES,
    ED_PRIVATE,
    ED_PUBLIC,
    MLDSA_PRIVATE,
    MLDSA_PUBLIC,
    EdPublicKey,
    Material,
    private_material,
    public_material,
    raw_private,
    raw_public,
    secret_material,
)
from jwtgate.jose.key_strength import check_ed, check_material, check_rsa

Members = Mapping[str, object]

# What a thumbprint covers, which is also all of the public half (RFC 7638 section 3.2, RFC 8037, RFC 9964).
PUBLIC_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "AKP": ("alg", "kty", "pub"),
}
_PUBLIC_HALF = {"RSA": "n", "EC": "x"}
_RSA_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


def parse_material(jwk: Members) -> Material:
    """The material a JWK holds. `KeyRefused` when it is malformed, weak, or its halves do not match."""
    kty = jwk.get("kty")
    if not isinstance(kty, str):
        raise KeyRefused("key_malformed", member="kty")
    parse = _PARSERS.get(kty)
    if parse is None:
        raise KeyRefused("key_type_unknown")
    if "x5c" in jwk and _PUBLIC_HALF.get(kty, "x5c") not in jwk:
        return _certified(jwk, kty)
    return parse(jwk)


def _certified(jwk: Members, kty: str) -> Material:
    """The key of the first certificate, where the JWK has it nowhere else (RFC 7517 section 4.7).

    Whoever publishes the set vouches for it, as for any other member: the certificate itself is not verified.
    """
    chain = jwk["x5c"]
    first = chain[0] if isinstance(chain, list) and chain else None
    if not isinstance(first, str):
        raise KeyRefused("key_malformed", member="x5c")
    _refuse_members(jwk, *_RSA_PRIVATE, "oth")
    material = parse_certificate(_decoded(first))
    if material.kty != kty or jwk.get("crv", material.crv) != material.crv:
        raise KeyRefused("key_malformed", member="x5c")
    check_material(material)
    return material


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise KeyRefused("key_malformed", member="x5c") from None


def public_members(material: Material) -> dict[str, str]:
    """The public members of a key, built one by one, so that nothing private can slip in."""
    public = material.verifier
    if isinstance(public, bytes):
        raise KeyRefused("key_not_public")
    if isinstance(public, rsa.RSAPublicKey):
        rsa_numbers = public.public_numbers()
        return {"kty": "RSA", "n": _from_number(rsa_numbers.n), "e": _from_number(rsa_numbers.e)}
    if isinstance(public, ec.EllipticCurvePublicKey):
        size, point = _octets(public.curve), public.public_numbers()
        x, y = _from_number(point.x, size), _from_number(point.y, size)
        return {"kty": "EC", "crv": str(material.crv), "x": x, "y": y}
    raw = base64url_encode(raw_public(public))
    if material.alg is not None:
        return {"kty": "AKP", "alg": material.alg, "pub": raw}
    return {"kty": "OKP", "crv": str(material.crv), "x": raw}


def private_members(material: Material) -> dict[str, str]:
    """All members of a private or symmetric key; `KeyRefused("key_unfit")` for a public one."""
    private = material.signer
    if private is None:
        raise KeyRefused("key_unfit")
    if isinstance(private, bytes):
        return {"kty": "oct", "k": base64url_encode(private)}
    members = public_members(material)
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = private.private_numbers()
        values = (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        return members | {name: _from_number(value) for name, value in zip(_RSA_PRIVATE, values, strict=True)}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        d = _from_number(private.private_numbers().private_value, _octets(private.curve))
        return members | {"d": d}
    return members | {"priv" if material.kty == "AKP" else "d": base64url_encode(raw_private(private))}


def _parse_oct(jwk: Members) -> Material:
    return secret_material(_bytes(jwk, "k"))


def _parse_rsa(jwk: Members) -> Material:
    n, e = _number(jwk, "n"), _number(jwk, "e")
    check_rsa(n, e)
    public = rsa.RSAPublicNumbers(e, n)
    if "d" not in jwk:
        _refuse_members(jwk, *_RSA_PRIVATE, "oth")
        return public_material(public.public_key())
    _refuse_members(jwk, "oth")
    d, p, q, dp, dq, qi = (_number(jwk, name) for name in _RSA_PRIVATE)
    try:
        return private_material(_checked_rsa(rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public)))
    except ValueError:
        raise KeyRefused("key_halves_differ") from None


@lru_cache(maxsize=8)
def _checked_rsa(numbers: rsa.RSAPrivateNumbers) -> rsa.RSAPrivateKey:
    """The key of these numbers, checked once: that takes 40 ms, and every change of a document asks again."""
    return numbers.private_key()


def _parse_ec(jwk: Members) -> Material:
    crv = _name(jwk, "crv")
    curve = EC_CURVES.get(crv)
    if curve is None:
        raise KeyRefused("key_type_unknown")
    size = _octets(curve)
    x, y = (int.from_bytes(_bytes(jwk, name, size), "big") for name in ("x", "y"))
    try:
        public = ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError:
        raise KeyRefused("key_malformed", point="off curve") from None
    if "d" not in jwk:
        return public_material(public)
    d = int.from_bytes(_bytes(jwk, "d", size), "big")
    try:
        private = ec.derive_private_key(d, curve)
    except ValueError:
        raise KeyRefused("key_malformed", member="d") from None
    if private.public_key() != public:
        raise KeyRefused("key_halves_differ")
    return private_material(private)


def _parse_okp(jwk: Members) -> Material:
    crv = _name(jwk, "crv")
    kind = ED_PUBLIC.get(crv)
    if kind is None:
        raise KeyRefused("key_type_unknown")
    size = 32 if crv == "Ed25519" else 57
    x = _bytes(jwk, "x", size)
    check_ed(crv, x)
    public: EdPublicKey = kind.from_public_bytes(x)
    if "d" not in jwk:
        return public_material(public)
    private = ED_PRIVATE[crv].from_private_bytes(_bytes(jwk, "d", size))
    if raw_public(private.public_key()) != x:
        raise KeyRefused("key_halves_differ")
    return private_material(private)


def _parse_akp(jwk: Members) -> Material:
    alg = _name(jwk, "alg")
    kind = MLDSA_PUBLIC.get(alg)
    if kind is None:
        raise KeyRefused("key_type_unknown")
    pub = _bytes(jwk, "pub")
    try:
        public = kind.from_public_bytes(pub)
    except ValueError:
        raise KeyRefused("key_malformed", member="pub") from None
    if "priv" not in jwk:
        return public_material(public)
    private = MLDSA_PRIVATE[alg].from_seed_bytes(_bytes(jwk, "priv", 32))
    if raw_public(private.public_key()) != pub:
        raise KeyRefused("key_halves_differ")
    return private_material(private)


_PARSERS = {"oct": _parse_oct, "RSA": _parse_rsa, "EC": _parse_ec, "OKP": _parse_okp, "AKP": _parse_akp}


def _octets(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


def _name(jwk: Members, member: str) -> str:
    value = jwk.get(member)
    if not isinstance(value, str):
        raise KeyRefused("key_malformed", member=member)
    return value


def _bytes(jwk: Members, member: str, size: int | None = None) -> bytes:
    try:
        value = base64url_decode(_name(jwk, member))
    except ValueError:
        raise KeyRefused("key_malformed", member=member) from None
    if size is not None and len(value) != size:
        raise KeyRefused("key_malformed", member=member)
    return value


def _number(jwk: Members, member: str) -> int:
    """A Base64urlUInt: big-endian, at least one byte, none more than needed (RFC 7518 section 2)."""
    value = _bytes(jwk, member)
    if not value or value[0] == 0 or len(value) > 1_024:
        raise KeyRefused("key_malformed", member=member)
    return int.from_bytes(value, "big")


def _from_number(number: int, size: int | None = None) -> str:
    return base64url_encode(number.to_bytes((number.bit_length() + 7) // 8 if size is None else size, "big"))


def _refuse_members(jwk: Members, *members: str) -> None:
    for member in members:
        if member in jwk:
            raise KeyRefused("key_malformed", member=member)
