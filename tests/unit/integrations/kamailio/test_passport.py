from __future__ import annotations

from typing import Any

import pytest

from jwtgate import sign
from jwtgate.integrations.kamailio.claims.templates import pv
from jwtgate.integrations.kamailio.passport import Passport, find_parameters, identity, token_of
from jwtgate.jose.key import generate_key

X5U = "https://cert.example.org/passport.cer"
VALUES: dict[str, str | int] = {"$fU": "+1 (215) 555-1212", "$rU": "sip:bob@example.com"}
# The example of RFC 8225 section 5.
HEADER = {"typ": "passport", "alg": "ES256", "x5u": X5U}
CLAIMS: dict[str, Any] = {"dest": {"uri": ["sip:alice@example.com"]}, "iat": 1471375418, "orig": {"tn": "12155551212"}}


def found(passport: Passport, header: Any, claims: Any, now: int = 1471375418) -> list[tuple[int, str]]:
    return [(each.bit, each.reason) for each in passport.find(header, claims, variables=VALUES.get, now=now)]


def test_the_example_of_rfc_8225_is_written() -> None:
    passport = Passport("+1-215-555-1212", "sip:alice@example.com", x5u=X5U)
    assert passport.claims(VALUES.get, 1471375418) == CLAIMS
    assert {**passport.header(), "alg": "ES256"} == HEADER


def test_shaken_adds_how_sure_the_signer_is() -> None:
    passport = Passport(pv("$fU"), (pv("$rU"), "911"), x5u=X5U, attest="A", origid="123e4567")
    claims = passport.claims(VALUES.get, 5)
    assert claims == {
        "attest": "A", "origid": "123e4567", "iat": 5, "orig": {"tn": "12155551212"},
        "dest": {"uri": ["sip:bob@example.com"], "tn": ["911"]},
    }  # fmt: skip
    assert passport.header()["ppt"] == "shaken"
    made_up = Passport("1", "2", x5u=X5U, attest="B").claims(VALUES.get, 5)["origid"]
    assert isinstance(made_up, str)
    assert len(made_up) == 36


@pytest.mark.parametrize(
    "passport",
    [
        Passport("", "2", x5u=X5U),
        Passport(pv("$nobody"), "2", x5u=X5U),
        Passport("alice", "2", x5u=X5U),
        Passport("()", "2", x5u=X5U),
        Passport("1", (), x5u=X5U),
        Passport("1", "2", x5u=X5U, attest="D"),
        Passport("1", "2"),
        Passport("1", "2", x5u="http://plain.example/a"),
    ],
)
def test_what_cannot_be_written_is_refused(passport: Passport) -> None:
    with pytest.raises(ValueError):
        passport.claims(VALUES.get, 5), passport.header()


def test_the_example_holds_for_its_call() -> None:
    assert found(Passport("+12155551212", "sip:alice@example.com"), HEADER, CLAIMS) == []


@pytest.mark.parametrize(
    ("header", "claims", "now", "findings"),
    [
        ({"typ": "JWT"}, {}, 0, [(1, "passport-malformed")]),
        ({"x5u": None}, {}, 0, [(1, "passport-malformed")]),
        ({"ppt": "div"}, {}, 0, [(1, "extension-unknown")]),
        ({}, {"orig": {"tn": "1"}}, 0, [(256, "claim-mismatch")]),
        ({}, {"orig": {"tn": "12155551212", "uri": "sip:x"}}, 0, [(256, "claim-mismatch")]),
        ({}, {"orig": "12155551212"}, 0, [(128, "claim-missing")]),
        ({}, {"dest": {"uri": ["sip:carol@example.com"]}}, 0, [(256, "claim-mismatch")]),
        ({}, {"dest": {"uri": "sip:alice@example.com"}}, 0, [(256, "claim-mismatch")]),
        ({}, {"dest": 5}, 0, [(128, "claim-missing")]),
        ({}, {"iat": "1471375418"}, 0, [(128, "claim-missing")]),
        ({}, {}, 60, []),
        ({}, {}, 61, [(4, "expired")]),
        ({}, {}, -61, [(8, "not-yet-valid")]),
    ],
)
def test_what_does_not_hold_is_found(header: Any, claims: Any, now: int, findings: list[tuple[int, str]]) -> None:
    passport = Passport("+12155551212", "sip:alice@example.com")
    assert found(passport, {**HEADER, **header}, {**CLAIMS, **claims}, 1471375418 + now) == findings


@pytest.mark.parametrize(
    ("asked", "said", "findings"),
    [
        ({}, {"attest": "C", "origid": "x"}, []),
        ({"attest": "C"}, {"attest": "C", "origid": "x"}, []),
        ({"attest": "A"}, {"attest": "C", "origid": "x"}, [(256, "claim-mismatch")]),
        ({}, {"attest": "Z", "origid": "x"}, [(128, "claim-missing")]),
        ({}, {"attest": "A"}, [(128, "claim-missing")]),
    ],
)
def test_shaken_is_checked(asked: Any, said: Any, findings: list[tuple[int, str]]) -> None:
    passport = Passport("+12155551212", "sip:alice@example.com", **asked)
    assert found(passport, {**HEADER, "ppt": "shaken"}, {**CLAIMS, **said}) == findings


def test_who_asks_for_shaken_gets_nothing_less() -> None:
    passport = Passport("+12155551212", "sip:alice@example.com", attest="A")
    assert found(passport, HEADER, {**CLAIMS, "attest": "A", "origid": "x"}) == [(1, "extension-unknown")]


def test_the_field_of_a_request_carries_the_token_and_what_it_says() -> None:
    key = generate_key("ES256")
    token = sign({}, key, alg="ES256", typ="passport", header={"x5u": X5U, "ppt": "shaken"})
    value = identity(token)
    assert value == f"{token};info=<{X5U}>;alg=ES256;ppt=shaken"
    found_token, parameters = token_of(value)
    assert (found_token, parameters) == (token, {"info": X5U, "alg": "ES256", "ppt": "shaken"})
    assert list(find_parameters({"x5u": X5U, "alg": "ES256", "ppt": "shaken"}, parameters)) == []
    assert [each.name for each in find_parameters({"x5u": "https://other/", "alg": "ES256"}, parameters)] == [
        "info",
        "ppt",
    ]
    assert identity(sign({}, key, alg="ES256", header={"x5u": X5U})).endswith(";alg=ES256")


def test_parameters_may_be_quoted_and_spaced() -> None:
    assert token_of('t ; ppt = "shaken" ;info=<https://x/>') == ("t", {"ppt": "shaken", "info": "https://x/"})


@pytest.mark.parametrize("value", ["t;", "t;x", "t;a=1;a=2", "t;info=<https://x/", 't;ppt="a', "t;A=1"])
def test_a_field_that_cannot_be_read_is_refused(value: str) -> None:
    with pytest.raises(ValueError):
        token_of(value)
