"""One key: what it is, what it may be used for, and what may be shown of it (RFC 7517).

A key is parsed once and keeps the key objects of `cryptography`. Which algorithms it fits is settled then
too, so that asking costs a set look-up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jwtgate.errors import KeyRefused
from jwtgate.jose.algorithms import ALGORITHMS, is_mac
from jwtgate.jose.encoding import base64url_encode, json_bytes
from jwtgate.jose.jwk import PUBLIC_MEMBERS, parse_material, private_members, public_members
from jwtgate.jose.key_formats import parse_der, parse_pem, private_pem, public_pem
from jwtgate.jose.key_material import (
    EC_CURVES,
    ED_PRIVATE,
    MLDSA_PRIVATE,
    Material,
    private_material,
    secret_material,
)
from jwtgate.jose.key_strength import LEAST_RSA_BITS, MOST_RSA_BITS, check_material, check_no_key, check_secret

MOST_KID_BYTES = 256
LEAST_SECRET_BITS = 256


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Key:
    """A public, private or symmetric key. Make one with a class method, never with the constructor.

    `alg` is the one algorithm the key declares, `use` and `key_ops` what RFC 7517 section 4 calls so. Every
    way to make one raises `KeyRefused` with a reason.
    """

    material: Material
    kid: str | None
    use: str | None
    key_ops: tuple[str, ...] | None
    alg: str | None
    _verifying: frozenset[str]
    _signing: frozenset[str]
    _thumbprint: str | None = None

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> Key:
        """The key a JWK holds: public, private or symmetric. Members we do not know are ignored."""
        kid, use, alg = (_text(jwk, name) for name in ("kid", "use", "alg"))
        material = parse_material(jwk)
        if isinstance(material.verifier, bytes):
            check_secret(material.verifier)
            _check_secret_size(material.bits, alg)
        return _key(material, kid=kid, use=use, key_ops=_key_ops(jwk), alg=alg)

    @classmethod
    def from_pem(
        cls,
        data: bytes | str,
        *,
        kid: str | None = None,
        alg: str | None = None,
        password: bytes | None = None,
        least_rsa_bits: int = LEAST_RSA_BITS,
    ) -> Key:
        """The key in a PEM text of PKCS#1, PKCS#8, SEC1, SubjectPublicKeyInfo or an X.509 certificate.

        `least_rsa_bits` is lowered for a legacy credential alone.
        """
        material = parse_pem(data.encode() if isinstance(data, str) else data, password)
        check_material(material, least_rsa_bits=least_rsa_bits)
        return _key(material, kid=kid, alg=alg)

    @classmethod
    def from_der(
        cls, data: bytes, *, kid: str | None = None, alg: str | None = None, password: bytes | None = None
    ) -> Key:
        """The key in a DER text of the same forms as `from_pem`."""
        material = parse_der(data, password)
        check_material(material)
        return _key(material, kid=kid, alg=alg)

    @classmethod
    def secret(
        cls,
        value: bytes,
        *,
        alg: str,
        kid: str | None = None,
        short_secret_allowed_for_legacy_credential: bool = False,
        guessable_secret_allowed_for_legacy_credential: bool = False,
    ) -> Key:
        """The symmetric key with these bytes, for one MAC. An empty one and one that is another key are refused always.

        So is one that everybody knows, unless that is allowed.
        """
        if not is_mac(alg):
            raise KeyRefused("key_unfit", alg=alg)
        check = check_no_key if guessable_secret_allowed_for_legacy_credential else check_secret
        check(value)
        if not short_secret_allowed_for_legacy_credential:
            _check_secret_size(len(value) * 8, alg)
        return _key(secret_material(value), kid=kid, alg=alg)

    @property
    def kty(self) -> str:
        """The key type: `RSA`, `EC`, `OKP`, `AKP` or `oct`."""
        return self.material.kty

    @property
    def crv(self) -> str | None:
        """The curve, for the types that have one."""
        return self.material.crv

    @property
    def bits(self) -> int:
        """The size people quote: of the modulus, the curve, the secret."""
        return self.material.bits

    @property
    def is_symmetric(self) -> bool:
        """Whether one secret both signs and verifies."""
        return self.material.kty == "oct"

    @property
    def is_private(self) -> bool:
        """Whether this is the private half of a pair. A symmetric key is not; it is secret all the same."""
        return self.material.signer is not None and not self.is_symmetric

    def fits(self, alg: str) -> bool:
        """Whether the key may serve `alg`: by type, curve, size, declared `alg`, `use` and `key_ops`."""
        return alg in self._verifying or alg in self._signing

    def verifies(self, alg: str) -> bool:
        """Whether the key may verify signatures of `alg`."""
        return alg in self._verifying

    def signs(self, alg: str) -> bool:
        """Whether the key may sign with `alg`."""
        return alg in self._signing

    @property
    def algorithms(self) -> frozenset[str]:
        """Every algorithm for which `fits` says yes."""
        return self._verifying | self._signing

    def bound_to(self, alg: str) -> Key:
        """This key, declared for `alg` alone (SEC-20); `KeyRefused("key_unfit")` when it does not fit."""
        if not self.fits(alg):
            raise KeyRefused("key_unfit", alg=alg)
        only = frozenset({alg})
        return replace(self, alg=alg, _verifying=self._verifying & only, _signing=self._signing & only)

    def with_kid(self, kid: str | None) -> Key:
        """This key under another `kid`."""
        _check_kid(kid)
        return replace(self, kid=kid)

    def public(self) -> Key:
        """The public half, ready to verify; `KeyRefused("key_not_public")` for a symmetric key."""
        if self.is_symmetric:
            raise KeyRefused("key_not_public")
        key_ops = None if self.key_ops is None else ("verify",)
        return _key(replace(self.material, signer=None), kid=self.kid, use=self.use, key_ops=key_ops, alg=self.alg)

    def thumbprint(self) -> str:
        """The SHA-256 thumbprint, in base64url (RFC 7638)."""
        if self._thumbprint is None:
            members = private_members(self.material) if self.is_symmetric else public_members(self.material)
            names = ("k", "kty") if self.is_symmetric else PUBLIC_MEMBERS[self.kty]
            digest = hashlib.sha256(json_bytes({name: members[name] for name in names})).digest()
            object.__setattr__(self, "_thumbprint", base64url_encode(digest))
        return str(self._thumbprint)

    def to_jwk(self) -> dict[str, object]:
        """The public JWK; `KeyRefused("key_not_public")` for a symmetric key, which has none (SEC-155)."""
        key_ops = None if self.key_ops is None else ["verify"]
        return {**public_members(self.material), **self._declared(key_ops)}

    def to_private_jwk(self) -> dict[str, object]:
        """The JWK with all private members; `KeyRefused("key_unfit")` for a public key."""
        key_ops = None if self.key_ops is None else list(self.key_ops)
        return {**private_members(self.material), **self._declared(key_ops)}

    def to_pem(self) -> str:
        """The public half as PEM; `KeyRefused("key_not_public")` for a symmetric key."""
        return public_pem(self.material)

    def to_private_pem(self) -> str:
        """The private key as unencrypted PKCS#8 PEM; `KeyRefused("key_unfit")` for any other."""
        return private_pem(self.material)

    def _declared(self, key_ops: list[str] | None) -> dict[str, object]:
        named = {"kid": self.kid, "alg": self.alg, "use": self.use, "key_ops": key_ops}
        return {name: value for name, value in named.items() if value is not None}

    def __repr__(self) -> str:
        # A thumbprint of a secret would let the secret be guessed from it, so only pairs show theirs.
        shown = "" if self.is_symmetric else f" thumbprint={self.thumbprint()}"
        return f"<Key kid={self.kid!r} {self.kty} {self.crv or self.bits}{shown}>"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a key is not copied or pickled; write it with to_private_jwk")


def generate_key(alg: str, *, kid: str | None = None, rsa_bits: int = LEAST_RSA_BITS) -> Key:
    """A new key for `alg`; its `kid` is its thumbprint unless given.

    The one place on this floor where something random happens; the randomness is that of `cryptography`.
    """
    algorithm = ALGORITHMS.get(alg)
    if algorithm is None:
        raise KeyRefused("key_type_unknown", alg=alg)
    if algorithm.kty == "oct":
        key = _key(secret_material(_random_secret(algorithm.least_bits // 8)), alg=alg)
    else:
        key = _key(private_material(_new_private_key(alg, rsa_bits)), alg=alg)
    return key.with_kid(key.thumbprint() if kid is None else kid)


def _new_private_key(alg: str, rsa_bits: int) -> object:
    algorithm = ALGORITHMS[alg]
    if algorithm.kty == "RSA":
        if not LEAST_RSA_BITS <= rsa_bits <= MOST_RSA_BITS:
            raise KeyRefused("key_too_weak", bits=rsa_bits)
        return rsa.generate_private_key(65537, rsa_bits)
    if algorithm.kty == "EC":
        return ec.generate_private_key(EC_CURVES[algorithm.curves[0]])
    if algorithm.kty == "OKP":
        return ED_PRIVATE[algorithm.curves[0]].generate()
    kind = MLDSA_PRIVATE.get(alg)
    if kind is None:
        raise KeyRefused("key_type_unknown", alg=alg)
    return kind.generate()


def _random_secret(size: int) -> bytes:
    """`size` fresh bytes, at most 64, from the key generator of an AEAD."""
    return (AESGCM.generate_key(256) + AESGCM.generate_key(256))[:size]


def _key(
    material: Material,
    *,
    kid: str | None = None,
    use: str | None = None,
    key_ops: tuple[str, ...] | None = None,
    alg: str | None = None,
) -> Key:
    _check_kid(kid)
    alg = material.alg if alg is None else alg
    possible = _possible(material.kty, material.crv, material.alg, alg, use)
    if alg in ALGORITHMS and not _possible(material.kty, material.crv, material.alg, alg, None):
        raise KeyRefused("key_unfit", alg=alg)
    if material.kty == "oct" and alg is None:
        possible = frozenset(name for name in possible if ALGORITHMS[name].least_bits <= material.bits)
    verifying = possible if key_ops is None or "verify" in key_ops else frozenset[str]()
    signing = possible if key_ops is None or "sign" in key_ops else frozenset[str]()
    if material.signer is None:
        signing = frozenset()
    return Key(material, kid, use, key_ops, alg, verifying, signing)


@lru_cache(maxsize=256)
def _possible(kty: str, crv: str | None, own: str | None, alg: str | None, use: str | None) -> frozenset[str]:
    """The algorithms a key of this kind may serve. Remembered, so that a million keys share a few sets."""
    if use not in (None, "sig"):
        return frozenset()
    return frozenset(
        name
        for name, algorithm in ALGORITHMS.items()
        if algorithm.kty == kty
        and (not algorithm.curves or crv in algorithm.curves)
        and own in (None, name)
        and alg in (None, name)
    )


def _check_secret_size(bits: int, alg: str | None) -> None:
    least = ALGORITHMS[alg].least_bits if alg is not None and is_mac(alg) else LEAST_SECRET_BITS
    if bits < least:
        raise KeyRefused("key_too_weak", bits=bits, least=least)


def _check_kid(kid: str | None) -> None:
    if kid is not None and len(kid.encode("utf-8", "surrogatepass")) > MOST_KID_BYTES:
        raise KeyRefused("key_malformed", member="kid")


def _text(jwk: Mapping[str, object], member: str) -> str | None:
    value = jwk.get(member)
    if value is None and member not in jwk:
        return None
    if not isinstance(value, str):
        raise KeyRefused("key_malformed", member=member)
    return value


def _key_ops(jwk: Mapping[str, object]) -> tuple[str, ...] | None:
    """The operations a key is limited to: distinct strings (RFC 7517 section 4.3)."""
    if "key_ops" not in jwk:
        return None
    value = jwk["key_ops"]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise KeyRefused("key_malformed", member="key_ops")
    if len(set(value)) != len(value):
        raise KeyRefused("key_malformed", member="key_ops")
    return tuple(value)
