"""Certificates where users gave none: made by the gateway itself, vouched for by nobody. And what one is called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def self_signed(names: Sequence[str], *, now: datetime, days: int) -> tuple[bytes, bytes]:
    """A certificate for these DNS names, vouched for by nobody, and its new private key (P-256); both as PEM.

    It begins a day before `now`, since clocks differ.
    """
    return _self_signed(ec.generate_private_key(ec.SECP256R1()), names, now=now, days=days)


def self_signed_rsa(name: str, *, now: datetime, days: int) -> tuple[bytes, bytes]:
    """The same for one name, with a key for RSA."""
    return _self_signed(rsa.generate_private_key(public_exponent=65537, key_size=2048), (name,), now=now, days=days)


def subject_and_serial(pem: bytes) -> tuple[str, int]:
    """Whose certificate this is, the most particular part of the name first, and its number. `ValueError`."""
    certificate = x509.load_pem_x509_certificate(pem)
    parts = (part for relative in reversed(certificate.subject.rdns) for part in relative)
    return ", ".join(f"{_LABELS.get(part.oid, part.oid.dotted_string)}={part.value!s}" for part in parts), (
        certificate.serial_number
    )


_LABELS = {
    x509.NameOID.COMMON_NAME: "CN",
    x509.NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    x509.NameOID.ORGANIZATION_NAME: "O",
    x509.NameOID.LOCALITY_NAME: "L",
    x509.NameOID.STATE_OR_PROVINCE_NAME: "ST",
    x509.NameOID.COUNTRY_NAME: "C",
    x509.NameOID.EMAIL_ADDRESS: "EMAILADDRESS",
}


def _self_signed(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, names: Sequence[str], *, now: datetime, days: int
) -> tuple[bytes, bytes]:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private
