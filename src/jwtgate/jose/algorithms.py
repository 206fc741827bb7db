"""The signature algorithms of RFC 7518, 8037, 8812, 9864 and 9964: the key each takes, how it signs.

Padding and hash objects are made once, here. A signature is the form that stands in a token: for ECDSA that
is r and s side by side, each as long as the curve's order, never DER (RFC 7518 section 3.4).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

if TYPE_CHECKING:
    from jwtgate.jose.key import Key

Sign = Callable[["Key", bytes], bytes]
Verify = Callable[["Key", bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One JWA name. `sign` and `verify` trust that the key fits; `Key.signs` and `Key.verifies` tell.

    `curves` is empty where the key type has none. `least_bits` is the least size of a secret or a modulus.
    """

    name: str
    kty: str
    curves: tuple[str, ...]
    least_bits: int
    sign: Sign
    verify: Verify


def _hmac(name: str, digest: str, bits: int) -> Algorithm:
    def sign(key: Key, data: bytes) -> bytes:
        secret: Any = key.material.signer
        return hmac.digest(secret, data, digest)

    def verify(key: Key, data: bytes, signature: bytes) -> bool:
        secret: Any = key.material.verifier
        return hmac.compare_digest(hmac.digest(secret, data, digest), signature)

    return Algorithm(name, "oct", (), bits, sign, verify)


def _rsa(name: str, pad: padding.AsymmetricPadding, digest: hashes.HashAlgorithm) -> Algorithm:
    def sign(key: Key, data: bytes) -> bytes:
        signer: Any = key.material.signer
        signature: bytes = signer.sign(data, pad, digest)
        return signature

    def verify(key: Key, data: bytes, signature: bytes) -> bool:
        verifier: Any = key.material.verifier
        try:
            verifier.verify(signature, data, pad, digest)
        except InvalidSignature:
            return False
        return True

    return Algorithm(name, "RSA", (), 2048, sign, verify)


def _pss(name: str, digest: hashes.HashAlgorithm) -> Algorithm:
    return _rsa(name, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)


def _ecdsa(name: str, crv: str, size: int, digest: hashes.HashAlgorithm) -> Algorithm:
    scheme = ec.ECDSA(digest)

    def sign(key: Key, data: bytes) -> bytes:
        signer: Any = key.material.signer
        return _side_by_side(signer.sign(data, scheme), size)

    def verify(key: Key, data: bytes, signature: bytes) -> bool:
        if len(signature) != 2 * size:
            return False
        verifier: Any = key.material.verifier
        try:
            verifier.verify(_der(signature, size), data, scheme)
        except InvalidSignature:
            return False
        return True

    return Algorithm(name, "EC", (crv,), 0, sign, verify)


# The two forms of an ECDSA signature are turned into each other as bytes: making numbers of them takes twice as long.


def _der(signature: bytes, size: int) -> bytes:
    """A signature of a token, r and s of `size` bytes each, as the sequence of two integers `cryptography` verifies."""
    integers = _der_integer(signature[:size]) + _der_integer(signature[size:])
    length = len(integers)
    return (b"\x30%c%b" if length < 128 else b"\x30\x81%c%b") % (length, integers)


def _der_integer(number: bytes) -> bytes:
    digits = number.lstrip(b"\0")
    if not digits or digits[0] > 127:
        digits = b"\0" + digits
    return b"\x02%c%b" % (len(digits), digits)


def _side_by_side(der: bytes, size: int) -> bytes:
    """r and s of `size` bytes each, of the sequence `cryptography` signs with: never longer than 255 bytes."""
    at = 4 if der[1] == 0x81 else 3
    end = at + 1 + der[at]
    r, s = der[at + 1 : end], der[end + 2 :]
    return r.lstrip(b"\0").rjust(size, b"\0") + s.lstrip(b"\0").rjust(size, b"\0")


def _plain(name: str, kty: str, *curves: str) -> Algorithm:
    """An algorithm that takes nothing but the message: EdDSA, and ML-DSA with its empty context string."""

    def sign(key: Key, data: bytes) -> bytes:
        signer: Any = key.material.signer
        signature: bytes = signer.sign(data)
        return signature

    def verify(key: Key, data: bytes, signature: bytes) -> bool:
        verifier: Any = key.material.verifier
        try:
            verifier.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return Algorithm(name, kty, curves, 0, sign, verify)


_SHA256, _SHA384, _SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
_PKCS1 = padding.PKCS1v15()

ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        algorithm.name: algorithm
        for algorithm in (
            _hmac("HS256", "sha256", 256),
            _hmac("HS384", "sha384", 384),
            _hmac("HS512", "sha512", 512),
            _rsa("RS256", _PKCS1, _SHA256),
            _rsa("RS384", _PKCS1, _SHA384),
            _rsa("RS512", _PKCS1, _SHA512),
            _pss("PS256", _SHA256),
            _pss("PS384", _SHA384),
            _pss("PS512", _SHA512),
            _ecdsa("ES256", "P-256", 32, _SHA256),
            _ecdsa("ES384", "P-384", 48, _SHA384),
            _ecdsa("ES512", "P-521", 66, _SHA512),
            _ecdsa("ES256K", "secp256k1", 32, _SHA256),
            _plain("Ed25519", "OKP", "Ed25519"),
            _plain("Ed448", "OKP", "Ed448"),
            _plain("EdDSA", "OKP", "Ed25519", "Ed448"),
            _plain("ML-DSA-44", "AKP"),
            _plain("ML-DSA-65", "AKP"),
            _plain("ML-DSA-87", "AKP"),
        )
    }
)

# No MAC: it never shares a list with signatures. No `EdDSA`: its name leaves the curve open (RFC 9864).
DEFAULT_ALGORITHMS: frozenset[str] = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "Ed448"}
)


def is_mac(alg: str) -> bool:
    """Whether `alg` is a MAC, made and verified with one secret."""
    algorithm = ALGORITHMS.get(alg)
    return algorithm is not None and algorithm.kty == "oct"


def mixes_families(algorithms: Iterable[str]) -> bool:
    """Whether a list of names holds both a MAC and a signature, which no issuer's list may (SEC-21)."""
    return len({is_mac(alg) for alg in algorithms}) > 1
