"""Keys of a configuration: read from an attribute or a file, and checked for the algorithm they are for."""

from __future__ import annotations

import re

from jwtgate.dialects.couper.reading.attributes import Attributes
from jwtgate.dialects.couper.reading.configuration import Secret
from jwtgate.dialects.couper.reading.files import content_of
from jwtgate.errors import KeyRefused
from jwtgate.jose.algorithms import is_mac
from jwtgate.jose.key import Key

ALGORITHMS = frozenset(f"{family}{size}" for family in ("RS", "HS", "ES") for size in (256, 384, 512))

_PEM = re.compile(rb"-----BEGIN (?!EC PARAMETERS)([A-Z0-9 ]+)-----\n.*?-----END \1-----\n?", re.DOTALL)
_NO_PEM = "invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key"
_FAMILIES = {"RS": ("RSA", "RSA"), "ES": ("EC", "ECDSA")}
_WEAK = "key is too short or known to be weak; an RSA key has 2048 bits at least"


def read_secret(attributes: Attributes, name: str, *, label: str, what: str) -> Secret | None:
    """The key in the attribute or in the file of this name and `_file`. None when there is none, noted as `what`'s."""
    file_name = f"{name}_file"
    both = attributes.is_set(name), attributes.is_set(file_name)
    place = attributes.place(file_name if both[1] else name)
    if all(both):
        attributes.mistakes.of(label, f"{what}: read error: configured attribute and file", place=place)
        return None
    if not any(both):
        sentence = f"{what}: read error: required: configured attribute or file"
        attributes.mistakes.of(label, sentence, place=place)
        return None
    if both[0]:
        said = attributes.string(name)
        return None if said is None else Secret(said.encode(), variable=attributes.variable(name))
    path = attributes.path(file_name)
    if path is None:
        return None
    try:
        return Secret(content_of(path), file=path)
    except ValueError as problem:
        attributes.mistakes.of(label, f"{what}: read error: {problem}", place=place)
        return None


def public_key(secret: Secret, alg: str) -> Secret:
    """The key that verifies this algorithm, a PEM as strict readers want it. `ValueError` with Couper's words."""
    if is_mac(alg):
        return secret
    pem = _pem(secret)
    key = _read(pem, "key is not a valid RSA public key")
    if key.is_private:
        raise ValueError("key is not a valid RSA public key")
    if not key.verifies(alg):
        raise ValueError(f"invalid {_FAMILIES[alg[:2]][1]} public key")
    return _as_read(secret, pem)


def private_key(secret: Secret, alg: str) -> Secret:
    """The key that signs with this algorithm, a PEM as strict readers want it. `ValueError` with Couper's words."""
    if is_mac(alg):
        return secret
    pem = _pem(secret)
    kty, name = _FAMILIES[alg[:2]]
    unusable = f"key is not a valid {name} private key"
    key = _read(pem, unusable)
    if not key.is_private or key.kty != kty:
        raise ValueError(unusable)
    return _as_read(secret, pem)


def _read(pem: bytes, unusable: str) -> Key:
    try:
        return Key.from_pem(pem)
    except KeyRefused as refusal:
        raise ValueError(_WEAK if refusal.reason == "key_too_weak" else unusable) from None


def _pem(secret: Secret) -> bytes:
    """The first PEM block, its lines without what a heredoc left before them. `ValueError` when there is none."""
    lines = b"\n".join(line.strip() for line in secret.value.splitlines())
    found = _PEM.search(lines + b"\n")
    if found is None:
        raise ValueError(_NO_PEM)
    return found[0]


def _as_read(secret: Secret, pem: bytes) -> Secret:
    """The secret with this PEM, which is only told by its origin where that holds the very same."""
    same = secret.value.strip() == pem.strip()
    return secret if same else Secret(pem)
