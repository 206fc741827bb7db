"""The section `admin`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]

HASH = "0123456789abcdef" * 4
TLS = {"certificate": "c.pem", "private_key": "k.pem"}


def admin(**keys: object) -> dict[str, Any]:
    return {"admin": {"operators": {"alice": {"token_sha256": HASH}}, **keys}}


def test_it_listens_on_this_machine_by_default(load: Load) -> None:
    section = load(admin()).admin
    assert section is not None
    assert (section.listen, section.is_local, section.page) == ("127.0.0.1:9901", True, True)
    assert section.operators["alice"].may_write
    assert load({}).admin is None


@pytest.mark.parametrize("listen", ["0.0.0.0:9901", "10.0.0.1:1", "[::]:1", "gate.example:1"])
def test_sec_146_beyond_this_machine_it_speaks_tls(mistakes: Find, listen: str) -> None:
    assert mistakes(admin(listen=listen)) == ["admin: listens beyond this machine, which needs tls"]
    assert mistakes(admin(listen=listen, tls=TLS)) == []


@pytest.mark.parametrize("listen", ["127.0.0.2:1", "[::1]:1", "localhost:1"])
def test_this_machine_is_known_by_its_names(mistakes: Find, listen: str) -> None:
    assert mistakes(admin(listen=listen)) == []


def test_sec_146_there_is_no_operator_by_default(mistakes: Find) -> None:
    assert mistakes({"admin": {}}) == ["admin.operators: is missing"]
    assert mistakes({"admin": {"operators": {}}}) == ["admin.operators: must not be empty"]


@pytest.mark.parametrize(
    "operator",
    [{}, {"token_sha256": HASH, "certificate": "CN=a"}, {"token_sha256": "x"}, {"token_sha256": HASH.upper()},
     {"token": "hunter2"}, {"certificate": "alice"}],
)  # fmt: skip
def test_an_operator_is_known_by_one_thing(mistakes: Find, operator: dict[str, str]) -> None:
    found = mistakes({"admin": {"operators": {"alice": operator}}})
    assert found
    assert "hunter2" not in str(found)


def test_a_certificate_needs_somebody_who_signed_it(mistakes: Find) -> None:
    operators = {"alice": {"certificate": "CN=alice"}}
    sentence = "admin: an operator known by a certificate needs tls with client_ca"
    assert mistakes(admin(operators=operators)) == [sentence]
    assert mistakes(admin(operators=operators, tls=TLS)) == [sentence]
    assert mistakes(admin(operators=operators, tls={**TLS, "client_ca": "ca.pem"})) == []
