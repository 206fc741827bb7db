"""The certificates of a signing key as a token's header shows them (RFC 7515 sections 4.1.6 to 4.1.8).

A certificate is its DER here. Nobody verifies anything with one: what a token's own header says of certificates is
never used to find a key (SEC-14).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from jwtgate.errors import KeyRefused
from jwtgate.jose.encoding import base64_encode, base64url_encode
from jwtgate.jose.key_formats import MOST_KEY_BYTES


def parse_certificates(pem: bytes) -> tuple[bytes, ...]:
    """The DER of every certificate in a PEM text, in its order. `KeyRefused("key_malformed")`."""
    if len(pem) > MOST_KEY_BYTES:
        raise KeyRefused("key_malformed")
    try:
        return tuple(each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(pem))
    except (ValueError, x509.InvalidVersion):
        raise KeyRefused("key_malformed") from None


def x5c(certificates: Sequence[bytes]) -> list[str]:
    """The chain as the header parameter of that name: standard base64, the leaf first."""
    return [base64_encode(certificate) for certificate in certificates]


def sha1_digest(certificate: bytes) -> bytes:
    """The digest behind `x5t`. It names a certificate and protects nothing."""
    return hashlib.sha1(certificate, usedforsecurity=False).digest()


def sha256_digest(certificate: bytes) -> bytes:
    """The digest behind `x5t#S256`."""
    return hashlib.sha256(certificate).digest()


def hex_thumbprint(digest: bytes) -> str:
    """A thumbprint as one family of gateways writes it: the base64url of the digest's lower-case hexadecimal text."""
    return base64url_encode(digest.hex().encode())
