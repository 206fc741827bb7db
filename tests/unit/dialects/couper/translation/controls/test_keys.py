from __future__ import annotations

from pathlib import Path

import pytest

from jwtgate.dialects.couper.reading.configuration import Secret
from jwtgate.dialects.couper.translation.controls.keys import insecure, key_of, secret_of, secret_text


def test_a_secret_of_a_variable_stays_a_reference() -> None:
    assert secret_text(Secret(b"s", variable="KEY")) == "${env:KEY}"
    assert secret_of(Secret(b"s", variable="KEY")) == {"secret": "${env:KEY}"}


def test_what_looks_like_a_reference_in_a_secret_is_none() -> None:
    assert secret_of(Secret(b"${env:A}")) == {"secret": "$${env:A}"}


def test_a_secret_that_is_no_text_is_written_in_base64url() -> None:
    assert secret_text(Secret(b"\xff\xfe")) is None
    assert secret_of(Secret(b"\xff\xfe")) == {"secret": "__4", "base64url": True}


def test_a_key_comes_from_its_file_or_variable_or_stands_in_the_document() -> None:
    assert key_of(Secret(b"PEM", file=Path("/k.pem"))) == {"file": "/k.pem"}
    assert key_of(Secret(b"PEM", variable="KEY")) == {"pem": "${env:KEY}"}
    assert key_of(Secret(b"  A\n  B\n")) == {"pem": "A\nB"}


@pytest.mark.parametrize(
    ("url", "is_insecure"),
    [
        ("https://a.example/k", False),
        ("http://a.example/k", True),
        ("http://127.0.0.1:9/k", False),
        ("http://[::1]/k", False),
        ("http://localhost/k", False),
        ("http://10.0.0.1/k", True),
    ],
)
def test_plain_http_to_another_machine_has_to_be_allowed(url: str, is_insecure: bool) -> None:
    assert insecure(url) == ({"insecure_http": True} if is_insecure else {})
