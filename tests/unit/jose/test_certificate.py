from __future__ import annotations

import base64
import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from jwtgate.errors import KeyRefused
from jwtgate.jose.certificate import hex_thumbprint, parse_certificates, sha1_digest, sha256_digest, x5c
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key, generate_key

KEY = generate_key("ES256")


def certificate(name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    material = KEY.material
    builder = x509.CertificateBuilder(subject, subject, material.verifier, 7, start, start + datetime.timedelta(days=1))
    return builder.sign(material.signer, hashes.SHA256())


LEAF, ROOT = certificate("leaf"), certificate("root")
PEM = b"".join(each.public_bytes(Encoding.PEM) for each in (LEAF, ROOT))
CHAIN = tuple(each.public_bytes(Encoding.DER) for each in (LEAF, ROOT))


def test_a_chain_is_read_in_its_order() -> None:
    assert parse_certificates(PEM) == CHAIN
    assert Key.from_der(parse_certificates(PEM)[0]).thumbprint() == KEY.thumbprint()


@pytest.mark.parametrize(
    "text", [b"", b"no certificate", KEY.to_pem().encode(), PEM.replace(b"MII", b"AAA", 1), PEM + b" " * 65_536]
)
def test_what_is_no_chain_is_refused(text: bytes) -> None:
    with pytest.raises(KeyRefused) as caught:
        parse_certificates(text)
    assert caught.value.reason == "key_malformed"


def test_the_chain_of_a_header_is_in_standard_base64() -> None:
    assert [base64.b64decode(each, validate=True) for each in x5c(CHAIN)] == list(CHAIN)


def test_the_digests_are_those_of_the_der() -> None:
    assert sha1_digest(CHAIN[0]) == hashlib.sha1(CHAIN[0]).digest() == LEAF.fingerprint(hashes.SHA1())
    assert sha256_digest(CHAIN[0]) == LEAF.fingerprint(hashes.SHA256())


@pytest.mark.parametrize(
    ("digest", "of_hex", "plain"),
    [
        (
            "501fc1432d87155dc431382aeb843ed558ad61b1",
            "NTAxZmMxNDMyZDg3MTU1ZGM0MzEzODJhZWI4NDNlZDU1OGFkNjFiMQ",
            "UB_BQy2HFV3EMTgq64Q-1VitYbE",
        ),
        (
            "817cfa10c038e0f202c9ba26b4aa6e8b2fe15a7a",
            "ODE3Y2ZhMTBjMDM4ZTBmMjAyYzliYTI2YjRhYTZlOGIyZmUxNWE3YQ",
            "gXz6EMA44PICybomtKpuiy_hWno",
        ),
    ],
)
def test_both_forms_of_a_thumbprint(digest: str, of_hex: str, plain: str) -> None:
    assert hex_thumbprint(bytes.fromhex(digest)) == of_hex
    assert base64url_encode(bytes.fromhex(digest)) == plain
