"""Pairs of keys in the forms people have them in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@dataclass(frozen=True, slots=True)
class Pair:
    """A private key in PEM, in its own form and in that of all of them, and its public key in PEM."""

    traditional: str
    pkcs8: str
    public: str

    def write(self, folder: Path, name: str) -> None:
        """Write `NAME.pem` (PKCS8), `NAME-own.pem` and `NAME-public.pem`."""
        (folder / f"{name}.pem").write_text(self.pkcs8)
        (folder / f"{name}-own.pem").write_text(self.traditional)
        (folder / f"{name}-public.pem").write_text(self.public)


@cache
def pair(alg: str, number: int = 0) -> Pair:
    """A pair for this algorithm, made once; one more for each number."""
    key = ec.generate_private_key(_CURVES[alg]) if alg in _CURVES else rsa.generate_private_key(65537, 2048)
    forms = (PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8)
    traditional, pkcs8 = (key.private_bytes(Encoding.PEM, form, NoEncryption()).decode() for form in forms)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return Pair(traditional, pkcs8, public)
