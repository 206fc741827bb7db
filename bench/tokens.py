"""The tokens of a run: keys, distinct RS256 tokens with about 300 bytes of claims, and files of requests."""

import json
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

ISSUER = "https://issuer.example"
AUDIENCE = "https://orders.example"
KID = "bench-1"
LIFETIME_SECONDS = 6 * 3600


def b64(raw: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(number: int, now: int) -> dict[str, object]:
    """The claims of token `number`, about 300 bytes as JSON."""
    return {
        "iss": ISSUER,
        "sub": f"user-{number:08d}",
        "aud": AUDIENCE,
        "exp": now + LIFETIME_SECONDS,
        "nbf": now - 60,
        "iat": now - 60,
        "jti": f"4f1c2a7e-0000-4000-8000-{number:012d}",
        "client_id": "orders-client",
        "scope": "orders:read orders:write stock:read",
        "tenant": "north",
        "roles": ["clerk", "buyer"],
    }


@dataclass(frozen=True, slots=True)
class Keys:
    """The issuer's RSA key and the gateways' own keys, as files of one folder."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Keys":
        """Fresh keys: private.pem, public.pem and jwks.json, and signing-ES256.pem."""
        key = rsa.generate_private_key(65537, 2048)
        numbers = key.public_key().public_numbers()
        n, e = (b64(value.to_bytes((value.bit_length() + 7) // 8)) for value in (numbers.n, numbers.e))
        jwk = {"kty": "RSA", "kid": KID, "use": "sig", "alg": "RS256", "n": n, "e": e}
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / "private.pem").write_bytes(_pem(key))
        (folder / "public.pem").write_bytes(public)
        (folder / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
        (folder / "signing-ES256.pem").write_bytes(_pem(ec.generate_private_key(ec.SECP256R1())))
        (folder / "signing-RS256.pem").write_bytes(_pem(rsa.generate_private_key(65537, 2048)))
        return cls(folder)

    def tokens(self, first: int, count: int) -> list[str]:
        """`count` distinct tokens, signed on all CPUs."""
        now, pem = int(time.time()), (self.folder / "private.pem").read_bytes()
        step = 500
        parts = [range(start, min(start + step, first + count)) for start in range(first, first + count, step)]
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            made = pool.map(_signed, [pem] * len(parts), parts, [now] * len(parts))
            return [token for part in made for token in part]


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _signed(pem: bytes, numbers: Iterable[int], now: int) -> list[str]:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    head = b64(json.dumps({"alg": "RS256", "typ": "at+jwt", "kid": KID}, separators=(",", ":")).encode())
    made = []
    for number in numbers:
        text = f"{head}.{b64(json.dumps(claims(number, now), separators=(',', ':')).encode())}"
        made.append(f"{text}.{b64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}")
    return made


def tampered(token: str) -> str:
    """The same token with another subject under the old signature."""
    head, body, signature = token.split(".")
    raw = urlsafe_b64decode(body + "=" * (-len(body) % 4))
    return f"{head}.{b64(raw.replace(b'user-0', b'user-9'))}.{signature}"


def write_requests(file: Path, tokens: Sequence[str], paths: Sequence[str]) -> Path:
    """The file, holding one line `PATH TOKEN` for each token; the paths repeat."""
    lines = (f"{paths[place % len(paths)]} {token}\n" for place, token in enumerate(tokens))
    file.write_text("".join(lines))
    return file
