"""The keys of those who issue tokens, in every form a file or a key set may hold them, made by libraries of others."""

from __future__ import annotations

import base64
import datetime
import functools
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, RSAKey

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

ALGORITHMS = ("RS256", "RS384", "RS512", "HS256", "HS384", "HS512", "ES256", "ES384", "ES512")
_CURVES: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
_FAR = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)


@functools.cache
def private_key(alg: str, name: str = "") -> Private:
    """The private key of this name for an algorithm; one for all of RSA."""
    return _rsa(name) if alg.startswith("RS") else ec.generate_private_key(_CURVES[alg])


@functools.cache
def _rsa(_name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pkix(key: Private) -> str:
    """The public half as `PUBLIC KEY`."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def pkcs1(key: Private) -> str:
    """The public half as `RSA PUBLIC KEY`."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()


def pkcs8(key: Private) -> str:
    """The private key as `PRIVATE KEY`."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def traditional(key: Private) -> str:
    """The private key as `RSA PRIVATE KEY` or `EC PRIVATE KEY`."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def certificate(key: Private) -> str:
    """The public half in a certificate that has long ended."""
    return _certificate(key).public_bytes(Encoding.PEM).decode()


def x5c(key: Private) -> list[str]:
    """The member of this name: the same certificate."""
    return [base64.b64encode(_certificate(key).public_bytes(Encoding.DER)).decode()]


def jwk(key: Private, **members: Any) -> dict[str, Any]:
    """The public half as a JWK for signatures with these members; None leaves one out."""
    made = (RSAKey if isinstance(key, rsa.RSAPrivateKey) else ECKey).import_key(pkix(key)).as_dict(private=False)
    return {name: value for name, value in {**made, "use": "sig", **members}.items() if value is not None}


def _certificate(key: Private) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer.example")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, _FAR, _FAR + datetime.timedelta(days=1))
    return built.sign(key, hashes.SHA256())
