"""Who may use the Admin API."""

from __future__ import annotations

import hashlib

import pytest

from jwtgate.admin.access.operators import Operators, bearer_token, subject_text
from jwtgate.policy.sources import Operator

ALICE = Operator("alice", token_sha256=hashlib.sha256(b"secret-of-alice").hexdigest())
BOB = Operator("bob", certificate_subject="CN=bob,O=Example")


@pytest.fixture
def operators() -> Operators:
    return Operators([ALICE, BOB])


def certificate(*names: tuple[str, str]) -> dict[str, object]:
    return {"subject": tuple((name,) for name in names)}


def test_an_operator_is_known_by_the_digest_of_a_token(operators: Operators) -> None:
    assert operators.by_token(b"secret-of-alice") is ALICE


@pytest.mark.parametrize("token", [b"", b"secret-of-bob", b"secret-of-alice ", ALICE.token_sha256.encode()])  # type: ignore[union-attr]
def test_nobody_is_known_by_anything_else(operators: Operators, token: bytes) -> None:
    assert operators.by_token(token) is None


def test_sec_146_without_operators_there_is_no_default(operators: Operators) -> None:
    nobody = Operators([])
    assert nobody.by_token(b"") is None
    assert nobody.by_certificate({}) is None


def test_an_operator_is_known_by_the_whole_subject_of_a_certificate(operators: Operators) -> None:
    assert operators.by_certificate(certificate(("organizationName", "Example"), ("commonName", "bob"))) is BOB


@pytest.mark.parametrize(
    "names",
    [
        [("commonName", "bob")],
        [("organizationName", "Other"), ("commonName", "bob")],
        [("commonName", "bob,O=Example")],
        [("organizationName", "Example"), ("commonName", "bob"), ("commonName", "eve")],
        [],
    ],
)
def test_a_subject_that_differs_is_nobody(operators: Operators, names: list[tuple[str, str]]) -> None:
    assert operators.by_certificate(certificate(*names)) is None


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (((("countryName", "DE"),), (("commonName", "a b"),)), "CN=a b,C=DE"),
        (((("commonName", "a"), ("userId", "7")),), "CN=a+UID=7"),
        (((("commonName", ' #a,+"\\<>;= '),),), 'CN=\\ #a\\,\\+\\"\\\\\\<\\>\\;\\=\\ '),
        (((("commonName", "#a"),),), "CN=\\#a"),
        (((("emailAddress", "a@example.com"),),), "emailAddress=a@example.com"),
    ],
)
def test_a_subject_is_written_as_rfc_4514_says(subject: tuple[tuple[tuple[str, str], ...], ...], text: str) -> None:
    assert subject_text(subject) == text


@pytest.mark.parametrize("value", [b"Bearer abc.DEF-_~+/==", b"bearer   abc", b"BEARER abc"])
def test_a_bearer_token_is_found(value: bytes) -> None:
    assert bearer_token([value]) == value.split()[1]


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [b"Bearer a", b"Bearer a"],
        [b"Bearer"],
        [b"Bearer "],
        [b"Bearer a b"],
        [b"Bearer a,b"],
        [b"Basic YWxpY2U6eA=="],
        [b"Bearer a\xff"],
        [b"Bearer =a"],
    ],
)
def test_nothing_else_is_a_bearer_token(fields: list[bytes]) -> None:
    assert bearer_token(fields) is None
