from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from jwtgate.dialects.certificate import self_signed
from jwtgate.dialects.kong import complaints
from jwtgate.jose.key import generate_key

CERTIFICATE, PRIVATE_KEY = (text.decode() for text in self_signed(("a",), now=datetime(2026, 1, 1, tzinfo=UTC), days=9))


@pytest.mark.parametrize(
    ("check", "value", "complaint"),
    [
        (complaints.wrong_host, "*.a.b:80", None),
        (complaints.wrong_host, "a.*", None),
        (complaints.wrong_host, "[::1]:80", None),
        (complaints.wrong_host, "a b", "invalid value: a b"),
        (complaints.wrong_name, "a.b-c_d~e", None),
        (
            complaints.wrong_name,
            "a b",
            "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~",
        ),
        (complaints.wrong_path, "/a", None),
        (complaints.wrong_path, "~/a//\\d+", None),
        (complaints.wrong_path, "a", "should start with: / (fixed path) or ~/ (regexed path)"),
        (complaints.wrong_path, "/a//b", "must not have empty segments"),
        (complaints.wrong_service_path, "/a", None),
        (complaints.wrong_service_path, "~/a", "should start with: /"),
        (complaints.wrong_service_path, "//", "must not have empty segments"),
        (complaints.wrong_method, "PURGE", None),
        (complaints.wrong_method, "get", "invalid value: get"),
        (complaints.wrong_certificate, CERTIFICATE, None),
        (complaints.wrong_certificate, "x", "invalid certificate"),
        (complaints.wrong_private_key, PRIVATE_KEY, None),
        (complaints.wrong_private_key, CERTIFICATE, "invalid key"),
        (complaints.wrong_private_key, "x", "invalid key"),
    ],
)
def test_what_is_wrong_with_a_value(check: Callable[[str], str | None], value: str, complaint: str | None) -> None:
    assert check(value) == complaint


RSA, EC = (generate_key(alg).to_pem() for alg in ("RS256", "ES256"))
FAILED = ["failed conditional validation given value of field 'algorithm'"]


@pytest.mark.parametrize(
    ("alg", "pem", "complaint"),
    [
        ("HS256", None, None),
        ("RS256", RSA, None),
        ("PS512", None, "required field missing"),
        ("EdDSA", None, "required field missing"),
        ("RS256", "x", "invalid key"),
        ("RS256", EC, "invalid key"),
        ("ES256", EC, None),
        ("ES256", None, None),
        ("ES384", EC, "invalid key"),
    ],
)
def test_a_public_key_must_fit_its_algorithm(alg: str, pem: str | None, complaint: str | None) -> None:
    wrong = complaints.wrong_jwt_secret({"algorithm": alg, "rsa_public_key": pem})
    assert wrong == ({} if complaint is None else {"@entity": FAILED, "rsa_public_key": complaint})


def test_a_consumer_needs_a_name() -> None:
    assert complaints.wrong_consumer({"username": None, "custom_id": "a"}) == {}
    assert complaints.wrong_consumer({"username": None, "custom_id": None}) == {
        "@entity": ["at least one of these fields must be non-empty: 'custom_id', 'username'"]
    }


NO_ROUTE = dict.fromkeys(("methods", "hosts", "headers", "paths", "snis"))


def test_a_route_needs_something_to_be_found_by() -> None:
    wrong = complaints.wrong_route({**NO_ROUTE, "protocols": ["http", "https"]})
    names = "'methods', 'hosts', 'headers', 'paths', 'snis'"
    assert wrong == {"@entity": [f"must set one of {names} when 'protocols' is 'https'"]}
    wrong = complaints.wrong_route({**NO_ROUTE, "protocols": ["http"]})
    assert wrong == {"@entity": ["must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'"]}
    assert complaints.wrong_route({**NO_ROUTE, "protocols": ["https"], "snis": ["a"]}) == {}
    assert complaints.wrong_route({**NO_ROUTE, "protocols": ["grpc"]}) == {}
    assert "snis" in complaints.wrong_route({**NO_ROUTE, "protocols": ["http"], "paths": ["/"], "snis": ["a"]})
