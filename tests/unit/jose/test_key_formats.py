from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.errors import KeyRefused
from jwtgate.jose.jwk import public_members
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_formats import MOST_KEY_BYTES, parse_certificate, parse_der, parse_pem, private_pem, public_pem

RSA = generate_key("RS256").material
EC = generate_key("ES256").material
ED = generate_key("Ed25519").material
AKP = generate_key("ML-DSA-44").material
HMAC = generate_key("HS256").material
ALL = {"RSA": RSA, "EC": EC, "OKP": ED, "AKP": AKP}
SPKI = PublicFormat.SubjectPublicKeyInfo


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(KeyRefused) as caught:
        call()
    return caught.value.reason


def certificate(encoding: Encoding) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, EC.verifier, 7, start, start + datetime.timedelta(days=1))
    return builder.sign(EC.signer, hashes.SHA256()).public_bytes(encoding)


@pytest.mark.parametrize("kty", ALL)
def test_what_is_written_as_pem_is_read_back(kty: str) -> None:
    material = ALL[kty]
    for text in (public_pem(material), private_pem(material)):
        read = parse_pem(text.encode(), None)
        assert public_members(read) == public_members(material)
        assert (read.signer is None) == ("PRIVATE" not in text)


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize("kty", ["RSA", "EC"])
def test_private_keys_are_read_in_both_forms_as_pem_and_der(kty: str, form: PrivateFormat) -> None:
    material = ALL[kty]
    pem = material.signer.private_bytes(Encoding.PEM, form, NoEncryption())
    der = material.signer.private_bytes(Encoding.DER, form, NoEncryption())
    for read in (parse_pem(pem, None), parse_der(der, None)):
        assert read.signer is not None
        assert public_members(read) == public_members(material)


@pytest.mark.parametrize("form", [PublicFormat.PKCS1, SPKI])
def test_public_rsa_keys_are_read_in_both_forms_as_pem_and_der(form: PublicFormat) -> None:
    pem, der = (RSA.verifier.public_bytes(encoding, form) for encoding in (Encoding.PEM, Encoding.DER))
    for read in (parse_pem(pem, None), parse_der(der, None)):
        assert read.signer is None
        assert public_members(read) == public_members(RSA)


def test_the_key_of_a_certificate_is_read_from_pem_and_der() -> None:
    for read in (parse_pem(certificate(Encoding.PEM), None), parse_der(certificate(Encoding.DER), None)):
        assert public_members(read) == public_members(EC)


def test_curve_parameters_before_a_key_are_ignored() -> None:
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    key = EC.signer.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert public_members(parse_pem((parameters + key).encode(), None)) == public_members(EC)


def test_an_encrypted_key_opens_with_its_password_only() -> None:
    pem = EC.signer.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    der = EC.signer.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    assert public_members(parse_pem(pem, b"open")) == public_members(EC)
    assert public_members(parse_der(der, b"open")) == public_members(EC)
    for password in (None, b"shut"):
        assert reason_of(lambda password=password: parse_pem(pem, password)) == "key_malformed"
        assert reason_of(lambda password=password: parse_der(der, password)) == "key_malformed"
    assert reason_of(lambda: parse_pem(private_pem(EC).encode(), b"open")) == "key_malformed"


def test_a_text_with_two_keys_or_none_is_refused() -> None:
    assert reason_of(lambda: parse_pem((public_pem(EC) + public_pem(RSA)).encode(), None)) == "key_malformed"
    assert reason_of(lambda: parse_pem(b"no key at all", None)) == "key_malformed"


def test_rubbish_between_the_lines_is_refused() -> None:
    for label in ("PUBLIC KEY", "PRIVATE KEY", "CERTIFICATE", "SOMETHING"):
        text = f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n"
        assert reason_of(lambda text=text: parse_pem(text.encode(), None)) == "key_malformed"


def test_a_kind_of_key_we_do_not_know_is_told_from_rubbish() -> None:
    strange = dsa.generate_private_key(1024).public_key()
    assert reason_of(lambda: parse_pem(strange.public_bytes(Encoding.PEM, SPKI), None)) == "key_type_unknown"
    assert reason_of(lambda: parse_der(strange.public_bytes(Encoding.DER, SPKI), None)) == "key_type_unknown"
    curve = ec.generate_private_key(ec.SECP224R1())
    pem = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert reason_of(lambda: parse_pem(pem, None)) == "key_type_unknown"


def test_a_curve_that_the_library_does_not_know_is_an_unknown_type() -> None:
    spki = EC.verifier.public_bytes(Encoding.DER, SPKI)
    p256, other = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030102")
    assert reason_of(lambda: parse_der(spki.replace(p256, other), None)) == "key_type_unknown"


def test_a_very_large_text_is_refused_unread() -> None:
    assert reason_of(lambda: parse_pem(b"\n" * 65_537, None)) == "key_malformed"
    assert reason_of(lambda: parse_der(b"0" * 65_537, None)) == "key_malformed"


def test_a_secret_has_no_pem_and_a_public_key_no_private_one() -> None:
    assert reason_of(lambda: public_pem(HMAC)) == "key_not_public"
    assert reason_of(lambda: private_pem(HMAC)) == "key_unfit"
    assert reason_of(lambda: private_pem(parse_pem(public_pem(EC).encode(), None))) == "key_unfit"


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    for text in (data, b"-----BEGIN PUBLIC KEY-----\n" + data + b"\n-----END PUBLIC KEY-----"):
        for parse in (parse_pem, parse_der):
            with pytest.raises(KeyRefused):
                parse(text, None)


def test_a_certificate_is_told_from_a_bare_key() -> None:
    der = certificate(Encoding.DER)
    assert public_pem(parse_certificate(der)) == public_pem(parse_der(der, None))
    bare = RSA.verifier.public_bytes(Encoding.DER, SPKI)
    assert reason_of(lambda: parse_certificate(bare)) == "key_malformed"
    assert reason_of(lambda: parse_certificate(b"0" * (MOST_KEY_BYTES + 1))) == "key_malformed"
