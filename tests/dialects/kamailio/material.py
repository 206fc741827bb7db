"""Keys as files, in every form an administrator may have, and tokens made by hand."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

NOW = 1_795_297_089
C = "caller=alice;callee=bob;callid=a84b4c76e66710@pc33.example.com"
SECRET = b"kamailio-example-secret-0123456789"
CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1(), "k256": ec.SECP256K1()}

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def write_keys(folder: Path) -> dict[str, Path]:
    """Files of keys by name: `rsa`, `rsa.pub` and so on."""
    keys: dict[str, Private] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "other": rsa.generate_private_key(65537, 2048),
    }
    keys["small"] = rsa.generate_private_key(65537, 1024)
    keys |= {name: ec.generate_private_key(curve) for name, curve in CURVES.items()}
    texts: dict[str, bytes] = {}
    for name, key in keys.items():
        texts[name] = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        texts[f"{name}.pub"] = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        texts[f"{name}.old"] = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    pair = keys["rsa"]
    assert isinstance(pair, rsa.RSAPrivateKey)
    texts["rsa.pub1"] = pair.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    texts["rsa.crt"] = certificate(pair)
    texts["p256.crt"] = certificate(keys["p256"])
    texts |= {"garbage": b"not a key\n" * 9, "empty": b"", "secret": SECRET, "text": b"hush hush hush hush"}
    texts |= {"one": b"k", "nul": b"a\0b" * 12, "newlines": b"\n\n\n\n", "secret-newline": SECRET + b"\n"}
    texts["filler"] = b"# filler\n" * 1400 + texts["rsa"]
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    return {name: folder / name for name in (*texts, "missing")}


def certificate(key: Private) -> bytes:
    """A self-signed certificate of this key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kamailio.example")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def b64(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: object) -> str:
    """A segment of a token: JSON of a value, or these very bytes."""
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def unsigned(claims: object, header: object) -> str:
    """The first two segments."""
    return f"{part(header)}.{part(claims)}"


def by_secret(claims: object, header: object | None = None, *, secret: bytes = SECRET, alg: str = "HS256") -> str:
    """A token with an HMAC, made without anything of ours."""
    text = unsigned(claims, {"alg": alg, "typ": "JWT"} if header is None else header)
    return f"{text}.{b64(hmac.digest(secret, text.encode(), f'sha{alg[2:]}'))}"


def by_rsa(claims: object, pem: bytes, *, header: object | None = None, pss: bool = False) -> str:
    """A token signed with RS256, or with PS256, made without anything of ours."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = unsigned(claims, {"alg": "PS256" if pss else "RS256"} if header is None else header)
    key: Any = load_pem_private_key(pem, None)
    pad = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if pss else padding.PKCS1v15()
    return f"{text}.{b64(key.sign(text.encode(), pad, hashes.SHA256()))}"


def by_edwards(claims: object) -> str:
    """A token signed with EdDSA by somebody."""
    text = unsigned(claims, {"alg": "EdDSA"})
    return f"{text}.{b64(ed25519.Ed25519PrivateKey.generate().sign(text.encode()))}"
