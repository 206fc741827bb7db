"""The truth table of verification: every case, its return and its status, in both ways where both do the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.kamailio.material import NOW, C, b64, by_edwards, by_rsa, by_secret, part, unsigned

from jwtgate.integrations.kamailio.calls import Calls

CLAIMS = {"caller": "alice", "callee": "bob", "callid": "c1", "iat": NOW}
ALL = "caller=alice;callee=bob;callid=c1"
Answer = tuple[int, int]
BOTH = [
    *((claims, (1, 0)) for claims in (ALL, "caller=alice", "callid=c1;caller=alice", "caller='alice'", ";")),
    ("caller=mallory;callee=bob", (-1, 256)),
    ("caller=alice;foo=bar", (-1, 128)),
    ("caller=mallory;foo=bar", (-1, 384)),
    ("caller=Alice", (-1, 256)),
    ("Caller=alice", (-1, 128)),
    ("caller=;callee=bob", (-1, 0)),
    ("caller=alice callee=bob", (-1, 0)),
    ("caller=alice;caller=alice", (-1, 0)),
    (";caller=alice", (1, 0)),
]
NOTHING_CHECKED = [
    "caller='';callee=bob",
    "callee=bob;caller=",
    "caller",
    "caller=alice,callee=mallory",
    "=x;caller=alice",
]


@pytest.fixture(scope="module")
def token(keys: dict[str, Path]) -> str:
    return by_rsa(CLAIMS, keys["rsa"].read_bytes())


def told(calls: Calls, *arguments: Any) -> Answer:
    return calls.jwt_verify(*arguments), calls.jwt.status


@pytest.mark.parametrize(("claims", "answer"), BOTH)
def test_claims_asked_of_a_token(either: Calls, keys: dict[str, Path], token: str, claims: str, answer: Answer) -> None:
    assert told(either, str(keys["rsa.pub"]), "RS256", claims, token) == answer


@pytest.mark.parametrize("claims", NOTHING_CHECKED)
def test_what_could_not_be_checked_is_ignored_by_the_reference_alone(
    strict: Calls, compat: Calls, keys: dict[str, Path], token: str, claims: str
) -> None:
    assert told(compat, str(keys["rsa.pub"]), "RS256", claims, token) == (1, 0)
    assert told(strict, str(keys["rsa.pub"]), "RS256", claims, token) == (-1, 0)
    assert strict.jwt.reason == "claims-malformed"


@pytest.mark.parametrize(("claims", "empty"), [("", None), (ALL, "")])
def test_an_empty_parameter_leaves_the_status(
    either: Calls, keys: dict[str, Path], token: str, claims: str, empty: str | None
) -> None:
    public = str(keys["rsa.pub"])
    assert told(either, public, "RS256", "foo=bar", token) == (-1, 128)
    assert told(either, public, "RS256", claims, token if empty is None else empty) == (-1, 128)
    assert (either.jwt.reason, either.jwt.claims) == ("invalid-parameters", None)


@pytest.mark.parametrize("key", ["other.pub", "rsa", "rsa.crt", "garbage", "empty", "missing", "p256.pub"])
def test_a_key_that_does_not_verify(either: Calls, keys: dict[str, Path], token: str, key: str) -> None:
    assert told(either, str(keys[key]), "RS256", ALL, token) == (-1, 0)


def test_a_public_key_may_be_pkcs_1(either: Calls, keys: dict[str, Path], token: str) -> None:
    assert told(either, str(keys["rsa.pub1"]), "RS256", ALL, token) == (1, 0)


@pytest.mark.parametrize(
    ("alg", "status"), [("RS384", 2), ("HS256", 2), ("ES256", 2), ("PS256", 2), ("none", 2), ("rs256", 0), ("FOO", 0)]
)
def test_another_algorithm_is_expected(either: Calls, keys: dict[str, Path], token: str, alg: str, status: int) -> None:
    assert told(either, str(keys["rsa.pub"]), alg, ALL, token) == (-1, status)


def test_a_signature_shorter_or_longer(either: Calls, keys: dict[str, Path], token: str) -> None:
    assert told(either, str(keys["rsa.pub"]), "RS256", ALL, token[:-1]) == (-1, 0)
    assert told(either, str(keys["rsa.pub"]), "RS256", ALL, token + "A") == (-1, 0)


@pytest.mark.parametrize("kind", ["padded", "other alphabet", "fourth segment"])
def test_a_signature_written_otherwise_holds_for_the_reference_alone(
    strict: Calls, compat: Calls, keys: dict[str, Path], token: str, kind: str
) -> None:
    text, _, signature = token.rpartition(".")
    other = signature.replace("-", "+").replace("_", "/")
    written = {"padded": token + "==", "other alphabet": f"{text}.{other}", "fourth segment": token + ".x"}[kind]
    assert told(compat, str(keys["rsa.pub"]), "RS256", ALL, written) == (1, 0)
    if written != token:
        assert told(strict, str(keys["rsa.pub"]), "RS256", ALL, written) == (-1, 0)
        assert strict.jwt.reason == "malformed"


BIG = 2**63
MADE: list[tuple[object, str, Answer]] = [
    ({"exp": NOW - 1}, ";", (-1, 4)),
    ({"exp": NOW}, ";", (-1, 4)),
    ({"exp": 0}, ";", (-1, 4)),
    ({"exp": NOW + 1}, ";", (1, 0)),
    ({"exp": BIG}, ";", (-1, 0)),
    ({"nbf": NOW + 1}, ";", (-1, 8)),
    ({"nbf": NOW}, ";", (1, 0)),
    ({"nbf": NOW - 9}, ";", (1, 0)),
    ({"iat": NOW + 9999}, ";", (1, 0)),
    ({"iat": 1}, ";", (1, 0)),
    ({}, ";", (1, 0)),
    ({"exp": NOW - 1, "nbf": NOW + 1}, ";", (-1, 12)),
    ({"exp": NOW - 1, "a": "x"}, "a=y", (-1, 260)),
    ({"exp": NOW - 1}, f"exp={NOW - 1}", (-1, 4)),
    ({"n": 100}, "n=100", (1, 0)),
    ({"n": 100}, "n='100'", (-1, 256)),
    ({"n": "100"}, "n=100", (-1, 256)),
    ({"n": "100"}, "n='100'", (1, 0)),
    ({"n": 100.0}, "n=100", (-1, 256)),
    ({"n": "+15551234567"}, "n=+15551234567", (-1, 256)),
    ({"n": 15551234567}, "n=+15551234567", (1, 0)),
    ({"n": True}, "n=true", (-1, 256)),
    ({"n": None}, "n=null", (-1, 256)),
    ({"n": ["a"]}, "n=a", (-1, 256)),
    ({"aud": ["a", "b"]}, "aud=a", (-1, 256)),
    ({"aud": "a"}, "aud=a", (1, 0)),
    ({"o": {"a": 1}}, "o.a=1", (-1, 128)),
    (b"not json", ";", (-1, 0)),
    (b"\xef\xbb\xbf{}", ";", (-1, 0)),
    (b"{} x", ";", (-1, 0)),
    (b'{"a":"\xff"}', ";", (-1, 0)),
    (b'{"a":"\\u0000"}', ";", (-1, 0)),
    (b'{"a":NaN}', ";", (-1, 0)),
    (b'"text"', ";", (-1, 0)),
]  # fmt: skip
NO_NUMBERS: list[tuple[object, int]] = [
    ({"exp": -1}, 4),
    *(({"exp": value}, 4) for value in (str(NOW + 9), str(NOW - 9), NOW - 0.5, True, None)),
    ({"nbf": str(NOW + 9)}, 8),
    ({"nbf": NOW + 9.5}, 8),
]


@pytest.mark.parametrize(("claims", "asked", "answer"), MADE)
def test_a_token_made_elsewhere(
    either: Calls, keys: dict[str, Path], claims: object, asked: str, answer: Answer
) -> None:
    assert told(either, str(keys["secret"]), "HS256", asked, by_secret(claims)) == answer


@pytest.mark.parametrize(("claims", "status"), NO_NUMBERS)
def test_a_time_that_is_no_whole_number_is_ignored_by_the_reference_alone(
    strict: Calls, compat: Calls, keys: dict[str, Path], claims: object, status: int
) -> None:
    assert told(compat, str(keys["secret"]), "HS256", ";", by_secret(claims)) == (1, 0)
    assert told(strict, str(keys["secret"]), "HS256", ";", by_secret(claims)) == (-1, status)


def test_a_fraction_of_a_second_is_a_time(either: Calls, keys: dict[str, Path]) -> None:
    assert told(either, str(keys["secret"]), "HS256", ";", by_secret({"exp": NOW + 0.5, "nbf": NOW - 0.5})) == (1, 0)


@pytest.mark.parametrize(("name", "status"), [("iss", 16), ("sub", 32), ("aud", 64)])
def test_a_claim_repeated_in_the_header_must_be_the_same(
    either: Calls, keys: dict[str, Path], name: str, status: int
) -> None:
    for value, answer in (("x", (1, 0)), ("y", (-1, status))):
        made = by_secret({name: "x"}, {"alg": "HS256", name: value})
        assert told(either, str(keys["secret"]), "HS256", ";", made) == answer


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ({"alg": "HS256", "typ": "foo"}, (1, 0)),
        ({"alg": "HS256"}, (1, 0)),
        ({"typ": "JWT"}, (-1, 0)),
        ({"alg": 256}, (-1, 0)),
        ({"alg": "nOnE"}, (-1, 0)),
        ({"alg": "none"}, (-1, 0)),
    ],
)
def test_a_header_made_elsewhere(
    either: Calls, keys: dict[str, Path], header: dict[str, object], answer: Answer
) -> None:
    assert told(either, str(keys["secret"]), "HS256", ";", by_secret({"a": 1}, header)) == answer


@pytest.mark.parametrize("expected", ["RS256", "none"])
@pytest.mark.parametrize("key", ["rsa.pub", "secret", "empty"])
def test_an_unsigned_token_is_never_good(either: Calls, keys: dict[str, Path], expected: str, key: str) -> None:
    for signature in ("", "x"):
        made = f"{unsigned(CLAIMS, {'alg': 'none'})}.{signature}"
        assert told(either, str(keys[key]), expected, ";", made) == (-1, 0)


def test_sec_21_a_public_key_as_a_secret(strict: Calls, compat: Calls, keys: dict[str, Path]) -> None:
    public = str(keys["rsa.pub"])
    made = by_secret(CLAIMS, secret=keys["rsa.pub"].read_bytes())
    for calls in (strict, compat):
        assert told(calls, public, "RS256", ALL, made) == (-1, 2)
    assert told(compat, public, "HS256", ALL, made) == (1, 0)
    assert told(strict, public, "HS256", ALL, made) == (-1, 0)
    assert strict.jwt.reason == "key-unusable"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: " " + token,
        lambda token: token + " ",
        lambda token: "Bearer " + token,
        lambda token: token + "=",
        lambda token: token[:-1],
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:],
        lambda token: token + ".x",
        lambda token: token.rpartition(".")[0],
        lambda _: "abc",
        lambda _: "a.b.c",
        lambda _: "...",
        lambda _: "x" * 5000,
        lambda _: "x" * 100_000 + "..",
        lambda _: "é.é.é",
        lambda _: "\udcff.a.b",
        lambda _: b64(b"[" * 12_000) + ".e30.x",
    ],
)
def test_a_spoilt_token_is_refused(either: Calls, keys: dict[str, Path], spoil: Any) -> None:
    made = by_secret(CLAIMS)
    assert told(either, str(keys["secret"]), "HS256", ALL, made) == (1, 0)
    assert told(either, str(keys["secret"]), "HS256", ALL, spoil(made)) == (-1, 0)


def test_algorithms_the_reference_cannot_use_are_refused(either: Calls, keys: dict[str, Path]) -> None:
    pss = by_rsa(CLAIMS, keys["rsa"].read_bytes(), pss=True)
    for expected in ("PS256", "RS256"):
        assert told(either, str(keys["rsa.pub"]), expected, ALL, pss) == (-1, 0)
    assert told(either, str(keys["rsa.pub"]), "RS256", ALL, by_edwards(CLAIMS)) == (-1, 0)


LOOSE: list[tuple[object, object, str, Answer]] = [
    ([1, 2], None, "a=1", (-1, 128)),
    (b'{"caller":"bob","caller":"alice"}', None, "caller=alice", (1, 0)),
    (b'{"caller":"alice","caller":"bob"}', None, "caller=alice", (-1, 256)),
    ({"a": 1}, {"alg": "HS256", "crit": ["x"], "x": 1}, "a=1", (1, 0)),
    ({"a": 1}, {"alg": "HS256", "kid": 7}, "a=1", (1, 0)),
]


@pytest.mark.parametrize(("claims", "header", "asked", "answer"), LOOSE)
def test_sec_12_what_has_two_readings_is_read_by_the_reference_alone(
    strict: Calls, compat: Calls, keys: dict[str, Path], claims: object, header: object, asked: str, answer: Answer
) -> None:
    made = by_secret(claims, header)
    assert told(compat, str(keys["secret"]), "HS256", asked, made) == answer
    assert told(strict, str(keys["secret"]), "HS256", asked, made) == (-1, 0)


@pytest.mark.parametrize("payload", ['{"a":1e999}', '{"a":"\\ud800"}', '{"a":99999999999999999999}', "[" * 9000])
def test_json_the_reference_cannot_read_is_refused(either: Calls, keys: dict[str, Path], payload: str) -> None:
    made = by_secret(payload.encode())
    assert told(either, str(keys["secret"]), "HS256", ";", made) == (-1, 0)


def test_a_required_claim_may_be_what_it_is_in_json(either: Calls, keys: dict[str, Path]) -> None:
    claims: dict[str, Any] = {"n": True, "o": {"b": [1, 2.0], "a": "x"}, "none": None}
    made, secret = by_secret(claims), str(keys["secret"])
    assert told(either, secret, "HS256", {"n": True, "o": {"a": "x", "b": [1, 2.0]}}, made) == (1, 0)
    assert told(either, secret, "HS256", {"n": 1}, made) == (-1, 256)
    assert told(either, secret, "HS256", {"o": {"a": "x", "b": [1, 2]}}, made) == (-1, 256)


def test_the_parts_of_the_tokens_here_are_what_they_seem() -> None:
    assert part({"a": 1}) == b64(json.dumps({"a": 1}).encode())
    assert C.count(";") == 2
