"""A small document, and the values made from it, for the tests of this folder."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jwtgate.control.built import Built
from jwtgate.control.documents import Text
from jwtgate.control.generations import Generations
from jwtgate.control.workers.messages import KeysChanged
from jwtgate.state.stores.store import MemoryStore, Store

SECRET = "a secret of the tests, and of the tests only"
DOCUMENT = """
listen: "127.0.0.1:0"
signing: {issuer: "https://gate.example"}
issuers:
  main:
    issuer: https://issuer.example
    audience: orders
    algorithms: [HS256]
    keys: {secret: "${env:TEST_SECRET}"}
upstreams:
  orders: {targets: "http://127.0.0.1:9"}
routes:
  orders:
    path: "/*"
    upstream: orders
    auth: required
    issuers: main
    issue: {audience: orders, ttl_seconds: 600}
"""


def generations(*, store: Store | None = None, changed: Callable[[KeysChanged], None] = lambda _: None) -> Generations:
    return Generations(
        Path(), store=store or MemoryStore(), saved=None, environ={"TEST_SECRET": SECRET}, changed=changed
    )


def built(document: str = DOCUMENT, *, by: Generations | None = None) -> Built:
    """A generation, with nothing of it running any more."""

    async def build() -> Built:
        made = await (by or generations()).build(Text("jwtgate.yaml", document.encode()), after=None)
        await made.close()
        return made

    return asyncio.run(build())


def write_certificate(certificate: Path, key: Path) -> None:
    """A fresh certificate of its own and its key, as PEM files."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gate.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(private, SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
