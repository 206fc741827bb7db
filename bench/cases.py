"""The tokens of PERF-11, one an algorithm, with what bare `cryptography` needs to verify the same bytes."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .tokens import b64, claims, tampered


@dataclass(frozen=True, slots=True)
class Case:
    """One algorithm: a token, its tampered twin, the key as PEM or secret, and bare crypto on the token."""

    alg: str
    kty: str
    token: str
    tampered: str
    key: bytes
    bare: Callable[[], object]


def cases() -> list[Case]:
    """RS256, ES256 and HS256, with fresh keys."""
    return [_rs256(), _es256(), _hs256()]


def _rs256() -> Case:
    key, text, digest = rsa.generate_private_key(65537, 2048), _text("RS256"), hashes.SHA256()
    public, scheme = key.public_key(), padding.PKCS1v15()
    signature = key.sign(text, scheme, digest)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return _case(
        "RS256",
        "RSA",
        text,
        signature=signature,
        key=pem,
        bare=lambda: public.verify(signature, text, scheme, digest),
    )


def _es256() -> Case:
    key, text, scheme = ec.generate_private_key(ec.SECP256R1()), _text("ES256"), ec.ECDSA(hashes.SHA256())
    public, signature = key.public_key(), key.sign(text, scheme)
    r, s = utils.decode_dss_signature(signature)
    raw = r.to_bytes(32) + s.to_bytes(32)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return _case("ES256", "EC", text, signature=raw, key=pem, bare=lambda: public.verify(signature, text, scheme))


def _hs256() -> Case:
    secret, text = os.urandom(32), _text("HS256")

    def mac() -> bytes:
        made = hmac.HMAC(secret, hashes.SHA256())
        made.update(text)
        return made.finalize()

    return _case("HS256", "oct", text, signature=mac(), key=secret, bare=mac)


def _text(alg: str) -> bytes:
    """The signed part of a token."""
    parts = ({"alg": alg, "typ": "JWT"}, claims(1, int(time.time())))
    return ".".join(b64(json.dumps(part, separators=(",", ":")).encode()) for part in parts).encode()


def _case(alg: str, kty: str, text: bytes, *, signature: bytes, key: bytes, bare: Callable[[], object]) -> Case:
    token = f"{text.decode()}.{b64(signature)}"
    return Case(alg, kty, token, tampered(token), key, bare)
