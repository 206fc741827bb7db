"""Which keys are too weak to hold, however well they are written."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64decode
from binascii import Error as Base64Error

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from jwtgate.errors import KeyRefused
from jwtgate.jose.key_material import Material, raw_public
from jwtgate.jose.weak_secrets import WEAK_SECRETS

LEAST_RSA_BITS = 2048
MOST_RSA_BITS = 8192

# Keys of the faulty Infineon library are powers of 65537 modulo each of these primes (CVE-2017-15361,
# "ROCA").
_ROCA_PRIMES = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
)  # fmt: skip
_ROCA_RESIDUES = tuple((prime, frozenset(pow(65537, i, prime) for i in range(prime))) for prime in _ROCA_PRIMES)

_P25519 = 2**255 - 19
_P448 = 2**448 - 2**224 - 1
# The y of the points of order 8 on edwards25519; the other small orders have y in 0, 1 and -1.
_Y8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_LOW_ORDER_25519 = frozenset({0, 1, _P25519 - 1, _Y8, _P25519 - _Y8})
_LOW_ORDER_448 = frozenset({0, 1, _P448 - 1})
_D25519 = -121665 * pow(121666, -1, _P25519) % _P25519

_KEY_TEXT = re.compile(
    rb"-{2,}BEGIN|\"kty\":|\"keys\":|ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-|sk-(?:ssh|ecdsa)-",
    re.IGNORECASE,
)


def check_rsa(n: int, e: int, *, least_bits: int = LEAST_RSA_BITS) -> None:
    """Refuse an RSA public key that is too small, too large, or made by a faulty library (SEC-23)."""
    if n.bit_length() < least_bits or n.bit_length() > MOST_RSA_BITS:
        raise KeyRefused("key_too_weak", bits=n.bit_length())
    if n % 2 == 0 or e % 2 == 0 or not 3 <= e < 2**32:
        raise KeyRefused("key_too_weak")
    if all(n % prime in residues for prime, residues in _ROCA_RESIDUES):
        raise KeyRefused("key_too_weak", fingerprint="ROCA")


def check_ed(crv: str, x: bytes) -> None:
    """Refuse an Edwards public key that is not a point, not canonical, or of low order (SEC-27, RFC 8032)."""
    number = int.from_bytes(x, "little")
    if crv == "Ed25519":
        p, y, low = _P25519, number & (2**255 - 1), _LOW_ORDER_25519
        square = (y * y - 1) * (_D25519 * y * y + 1) % p
    else:
        p, y, low = _P448, number & (2**448 - 1), _LOW_ORDER_448
        square = (y * y - 1) * (-39081 * y * y - 1) % p
        if number >> 448 not in (0, 0x80):
            raise KeyRefused("key_malformed")
    if y >= p:
        raise KeyRefused("key_malformed")
    if y in low:
        raise KeyRefused("key_too_weak", order="low")
    if pow(square, (p - 1) // 2, p) != 1:
        raise KeyRefused("key_malformed")


def check_material(material: Material, *, least_rsa_bits: int = LEAST_RSA_BITS) -> None:
    """Refuse a public key, or the public half of a private one, that is too weak to hold."""
    public = material.verifier
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        check_rsa(numbers.n, numbers.e, least_bits=least_rsa_bits)
    elif material.crv is not None and not isinstance(public, bytes | ec.EllipticCurvePublicKey):
        check_ed(material.crv, raw_public(public))


def check_secret(secret: bytes) -> None:
    """Refuse a secret that everybody knows, or that is a key of another kind (SEC-21, 22)."""
    if len(set(secret)) == 1 or secret.strip().lower() in WEAK_SECRETS:
        raise KeyRefused("key_too_weak")
    check_no_key(secret)


def check_no_key(secret: bytes) -> None:
    """Refuse a secret that is empty, or that is a key of another kind (SEC-21)."""
    if not secret:
        raise KeyRefused("key_too_weak")
    if _is_key_text(secret):
        raise KeyRefused("key_is_public")


def _is_key_text(secret: bytes) -> bool:
    """Whether these bytes are a PEM, DER, SSH or JWK text of some key, however it is laid out."""
    bare = b"".join(secret.split()).replace(b"\0", b"")
    if _KEY_TEXT.search(bare) or _is_der(secret):
        return True
    for decode in (b64decode, urlsafe_b64decode):
        try:
            inner = decode(bare + b"=" * (-len(bare) % 4))
        except (Base64Error, ValueError):
            continue
        if _KEY_TEXT.search(inner) or _is_der(inner):
            return True
    return False


def _is_der(data: bytes) -> bool:
    for load in (load_der_public_key, x509.load_der_x509_certificate, _load_der_private_key):
        try:
            load(data)
        except UnsupportedAlgorithm:
            return True
        except (ValueError, TypeError, x509.InvalidVersion):
            continue
        return True
    return False


def _load_der_private_key(data: bytes) -> object:
    return load_der_private_key(data, password=None)
