"""A certificate made by the gateway itself holds for its names and its time, and its key fits it."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from jwtgate.dialects.certificate import self_signed, self_signed_rsa, subject_and_serial

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_it_holds_for_its_names_from_a_day_before(tmp_path: Path) -> None:
    pem, key = self_signed(("localhost", "gate.example"), now=NOW, days=10)
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "gate.example"]
    assert certificate.not_valid_before_utc == NOW - timedelta(days=1)
    assert certificate.not_valid_after_utc == NOW + timedelta(days=10)
    (tmp_path / "c").write_bytes(pem)
    (tmp_path / "k").write_bytes(key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "c", tmp_path / "k")


def test_no_two_have_the_same_key() -> None:
    assert len({self_signed(("a",), now=NOW, days=1)[1] for _ in range(3)}) == 3


def test_a_key_for_rsa_may_be_wanted() -> None:
    pem, key = self_signed_rsa("localhost", now=NOW, days=10)
    private = load_pem_private_key(key, None)
    assert isinstance(private, rsa.RSAPrivateKey)
    assert private.key_size == 2048
    assert x509.load_pem_x509_certificate(pem).public_key() == private.public_key()
    assert subject_and_serial(pem)[0] == "CN=localhost"


def test_a_name_begins_with_its_most_particular_part() -> None:
    parts = (
        (x509.NameOID.COUNTRY_NAME, "US"),
        (x509.NameOID.STATE_OR_PROVINCE_NAME, "CA"),
        (x509.NameOID.LOCALITY_NAME, "Mountain View"),
        (x509.NameOID.ORGANIZATION_NAME, "WSO2"),
        (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "WSO2"),
        (x509.NameOID.COMMON_NAME, "localhost"),
    )
    name = x509.Name([x509.NameAttribute(*part) for part in parts])
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = made.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1)).serial_number(1677089283)
    pem = dated.sign(key, SHA256()).public_bytes(Encoding.PEM)
    assert subject_and_serial(pem) == ("CN=localhost, OU=WSO2, O=WSO2, L=Mountain View, ST=CA, C=US", 1677089283)


def test_what_is_no_certificate_has_no_name() -> None:
    with pytest.raises(ValueError, match="PEM"):
        subject_and_serial(b"none")
