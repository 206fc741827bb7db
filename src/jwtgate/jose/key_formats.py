"""Keys as PEM and DER: PKCS#1, PKCS#8, SEC1, SubjectPublicKeyInfo and X.509 certificates."""

from __future__ import annotations

import re
from collections.abc import Callable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from jwtgate.errors import KeyRefused
from jwtgate.jose.key_material import Material, private_material, public_material

MOST_KEY_BYTES = 65_536
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")


def parse_pem(data: bytes, password: bytes | None) -> Material:
    """The material of the one key or certificate in a PEM text; curve parameters before it are ignored."""
    if len(data) > MOST_KEY_BYTES:
        raise KeyRefused("key_malformed")
    labels = [label for label in _BLOCK.findall(data) if label != b"EC PARAMETERS"]
    if len(labels) != 1:
        raise KeyRefused("key_malformed", blocks=len(labels))
    if labels[0] == b"CERTIFICATE":
        return _public(lambda: x509.load_pem_x509_certificate(data).public_key())
    if labels[0].endswith(b"PRIVATE KEY"):
        return _private(lambda: serialization.load_pem_private_key(data, password))
    return _public(lambda: serialization.load_pem_public_key(data))


def parse_der(data: bytes, password: bytes | None) -> Material:
    """The material of a DER key or certificate, whichever of the five forms it is."""
    if len(data) > MOST_KEY_BYTES:
        raise KeyRefused("key_malformed")
    attempts: tuple[Callable[[], Material], ...] = (
        lambda: _public(lambda: serialization.load_der_public_key(data)),
        lambda: _private(lambda: serialization.load_der_private_key(data, password)),
        lambda: parse_certificate(data),
    )
    for attempt in attempts:
        try:
            return attempt()
        except KeyRefused as refusal:
            if refusal.reason != "key_malformed":
                raise
    raise KeyRefused("key_malformed")


def parse_certificate(data: bytes) -> Material:
    """The material of the key in a DER certificate. `KeyRefused` as the others."""
    if len(data) > MOST_KEY_BYTES:
        raise KeyRefused("key_malformed")
    return _public(lambda: x509.load_der_x509_certificate(data).public_key())


def public_pem(material: Material) -> str:
    """The SubjectPublicKeyInfo PEM of a key's public half; `KeyRefused("key_not_public")` for a secret."""
    if isinstance(material.verifier, bytes):
        raise KeyRefused("key_not_public")
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return material.verifier.public_bytes(serialization.Encoding.PEM, spki).decode("ascii")


def private_pem(material: Material) -> str:
    """The unencrypted PKCS#8 PEM of a private key; `KeyRefused("key_unfit")` for any other."""
    if material.signer is None or isinstance(material.signer, bytes):
        raise KeyRefused("key_unfit")
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    return material.signer.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode("ascii")


def _public(load: Callable[[], object]) -> Material:
    return public_material(_loaded(load))


def _private(load: Callable[[], object]) -> Material:
    return private_material(_loaded(load))


def _loaded(load: Callable[[], object]) -> object:
    try:
        return load()
    except UnsupportedAlgorithm:
        raise KeyRefused("key_type_unknown") from None
    except (ValueError, TypeError, x509.InvalidVersion):  # TypeError: a password is missing, or one too many
        raise KeyRefused("key_malformed") from None
