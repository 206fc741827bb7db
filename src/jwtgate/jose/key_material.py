"""The mathematics of a key, as `cryptography` holds it, under the names RFC 7518, 8037 and 9964 use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from jwtgate.errors import KeyRefused

EdPublicKey: TypeAlias = ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
EdPrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
MldsaPublicKey: TypeAlias = "mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey"
MldsaPrivateKey: TypeAlias = "mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey"
PublicKey: TypeAlias = "rsa.RSAPublicKey | ec.EllipticCurvePublicKey | EdPublicKey | MldsaPublicKey"
PrivateKey: TypeAlias = "rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | EdPrivateKey | MldsaPrivateKey"

EC_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
ED_PUBLIC: dict[str, type[EdPublicKey]] = {"Ed25519": ed25519.Ed25519PublicKey, "Ed448": ed448.Ed448PublicKey}
ED_PRIVATE: dict[str, type[EdPrivateKey]] = {
    "Ed25519": ed25519.Ed25519PrivateKey,
    "Ed448": ed448.Ed448PrivateKey,
}
MLDSA_PUBLIC: dict[str, type[MldsaPublicKey]] = {}
MLDSA_PRIVATE: dict[str, type[MldsaPrivateKey]] = {}
try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:  # older than ML-DSA, as what some systems ship: such keys are then of a type we do not know
    pass
else:
    MLDSA_PUBLIC |= {
        "ML-DSA-44": mldsa.MLDSA44PublicKey,
        "ML-DSA-65": mldsa.MLDSA65PublicKey,
        "ML-DSA-87": mldsa.MLDSA87PublicKey,
    }
    MLDSA_PRIVATE |= {
        "ML-DSA-44": mldsa.MLDSA44PrivateKey,
        "ML-DSA-65": mldsa.MLDSA65PrivateKey,
        "ML-DSA-87": mldsa.MLDSA87PrivateKey,
    }
_PRIVATE: tuple[type[PrivateKey], ...] = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    *ED_PRIVATE.values(),
    *MLDSA_PRIVATE.values(),
)
_CURVE_NAMES = {curve.name: crv for crv, curve in EC_CURVES.items()}
_ED_BITS = {"Ed25519": 256, "Ed448": 448}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Material:
    """What verifies and what signs: two key objects, or the same secret bytes twice.

    `alg` is set where the kind of key names its only algorithm, which is AKP. `bits` is the size people
    quote.
    """

    kty: str
    crv: str | None
    alg: str | None
    bits: int
    verifier: PublicKey | bytes
    signer: PrivateKey | bytes | None


def secret_material(secret: bytes) -> Material:
    """The material of a symmetric key."""
    return Material("oct", None, None, len(secret) * 8, secret, secret)


def public_material(public: object) -> Material:
    """The material of a public key object; `KeyRefused` for a kind or curve we do not know."""
    return _material(public, None)


def private_material(private: object) -> Material:
    """The material of a private key object and its public half; `KeyRefused` as `public_material`."""
    if not isinstance(private, _PRIVATE):
        raise KeyRefused("key_type_unknown")
    return _material(private.public_key(), private)


def raw_public(public: EdPublicKey | MldsaPublicKey) -> bytes:
    """The octets of a public key whose kind has but one form."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def raw_private(private: EdPrivateKey | MldsaPrivateKey) -> bytes:
    """The octets of a private key of such a kind; for ML-DSA its seed."""
    return private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def _material(public: object, private: PrivateKey | None) -> Material:
    if isinstance(public, rsa.RSAPublicKey):
        return Material("RSA", None, None, public.key_size, public, private)
    if isinstance(public, ec.EllipticCurvePublicKey):
        crv = _CURVE_NAMES.get(public.curve.name)
        if crv is None:
            raise KeyRefused("key_type_unknown")
        return Material("EC", crv, None, public.key_size, public, private)
    for crv, kind in ED_PUBLIC.items():
        if isinstance(public, kind):
            return Material("OKP", crv, None, _ED_BITS[crv], public, private)
    for alg, akp in MLDSA_PUBLIC.items():
        if isinstance(public, akp):
            return Material("AKP", None, alg, len(raw_public(public)) * 8, public, private)
    raise KeyRefused("key_type_unknown")
