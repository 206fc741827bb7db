"""Keys and certificates of two tenants, and of an issuer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jwtgate.jose.key import generate_key

_NAMES = (
    (x509.NameOID.COUNTRY_NAME, "DE"),
    (x509.NameOID.STATE_OR_PROVINCE_NAME, "BE"),
    (x509.NameOID.LOCALITY_NAME, "Berlin"),
    (x509.NameOID.ORGANIZATION_NAME, "ACME"),
    (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "API"),
)


def certified(name: str) -> tuple[str, str]:
    """A new private key, and a certificate of this name for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(*each) for each in (*_NAMES, (x509.NameOID.COMMON_NAME, name))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), certificate.public_bytes(Encoding.PEM).decode()


SIGNING_KEY, CERTIFICATE = certified("gate")
TENANT = {"domain": "carbon.super", "id": -1234, "signing_key": SIGNING_KEY, "certificate": CERTIFICATE}
OTHER_TENANT = {"domain": "t1.com", "id": 1, **dict(zip(("signing_key", "certificate"), certified("t1"), strict=True))}
ISSUER_KEY = generate_key("RS256", kid="issuer-1")
