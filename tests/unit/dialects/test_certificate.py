"""A certificate made by the gateway itself holds for its names and its time, and its key fits it."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from jwtgate.dialects.certificate import self_signed

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
