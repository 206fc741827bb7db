from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import pytest

from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import sign_token
from jwtgate.oauth.introspection import (
    MOST_ANSWER_BYTES,
    Answer,
    AnswerRefused,
    lifetime_seconds,
    parse_answer,
    parse_signed_answer,
    request_form,
    verify_signed_answer,
)

ISS, CLIENT = "https://idp.example", "gateway"
NOON = 1_800_000_000
TYP = "token-introspection+jwt"


@functools.cache
def key(kid: str = "k1") -> Key:
    return generate_key("ES256", kid=kid)


def signed(*, signer: Key | None = None, typ: str | None = TYP, **changes: Any) -> bytes:
    """A good signed answer with these claims changed; None takes one away."""
    claims = {"iss": ISS, "aud": CLIENT, "iat": NOON, "token_introspection": {"active": True, "sub": "ann"}, **changes}
    present = {name: value for name, value in claims.items() if value is not None}
    return sign_token(present, signer or key(), alg="ES256", typ=typ).encode()


def read(body: bytes, *, now: int = NOON) -> Answer:
    token = parse_signed_answer(body)
    return verify_signed_answer(token, (key(),), algorithms={"ES256"}, iss=ISS, client_id=CLIENT, now=now)


def cause(body: bytes, *, now: int = NOON) -> str:
    with pytest.raises(AnswerRefused) as caught:
        read(body, now=now)
    return caught.value.cause


def test_sec_68_the_token_is_a_parameter_of_the_body_with_its_hint_and_what_else_is_wanted() -> None:
    form = request_form("t", "access_token", hint_parameter="token_type_hint", extra=(("a", "1"), ("b", "")))
    assert form == (("token", "t"), ("token_type_hint", "access_token"), ("a", "1"), ("b", ""))


def test_a_hint_may_have_another_name_or_be_left_out() -> None:
    assert request_form("t", "x", hint_parameter="kind", extra=()) == (("token", "t"), ("kind", "x"))
    assert request_form("t", None, hint_parameter="kind", extra=()) == (("token", "t"),)


def test_an_active_token_comes_with_the_other_members() -> None:
    assert parse_answer(b'{"active":true,"sub":"ann","n":1}') == Answer(True, {"sub": "ann", "n": 1})


def test_an_inactive_token_comes_with_nothing() -> None:
    assert parse_answer(b'{"active":false,"sub":"ann"}') == Answer(False, {})


@pytest.mark.parametrize("active", ["true", "True", 1, 1.0, None, [True], {"active": True}, ""])
def test_sec_68_only_the_boolean_true_is_active(active: object) -> None:
    assert parse_answer(json_bytes({"active": active, "sub": "ann"})) == Answer(False, {}, understood=False)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"true", b'"active"', b"null", b'[{"active":true}]', b'{"Active":true}']
)
def test_sec_68_an_unknown_shape_is_inactive(body: bytes) -> None:
    assert parse_answer(body) == Answer(False, {}, understood=False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"active":true',
        b'{"active":false,"active":true}',
        b'{"active":true}{}',
        b'{"active":true,"n":NaN}',
        b"\xff",
        b'{"active":true,"sub":"' + b"a" * MOST_ANSWER_BYTES + b'"}',
    ],
)
def test_what_is_not_strict_json_tells_nothing(body: bytes) -> None:
    with pytest.raises(AnswerRefused) as caught:
        parse_answer(body)
    assert caught.value.cause == "json"


def test_an_answer_is_not_shown() -> None:
    assert "ann" not in repr(parse_answer(b'{"active":true,"sub":"ann"}'))


def test_sec_69_a_signed_answer_is_read_once_it_is_verified() -> None:
    assert read(signed()) == Answer(True, {"sub": "ann"})


def test_a_signed_answer_may_say_that_a_token_is_inactive() -> None:
    assert read(signed(token_introspection={"active": False})) == Answer(False, {})


@pytest.mark.parametrize("value", [None, {}, [], "active", True, {"active": "true"}])
def test_sec_68_an_unknown_shape_inside_a_signed_answer_is_inactive(value: object) -> None:
    assert read(signed(token_introspection=value, active=True)) == Answer(False, {}, understood=False)


def test_sec_69_the_type_is_compared_as_a_media_type() -> None:
    assert read(signed(typ="application/Token-Introspection+JWT")).active


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "token-introspection", "x/token-introspection+jwt"])
def test_sec_69_a_jwt_of_another_kind_is_no_answer(typ: str | None) -> None:
    assert cause(signed(typ=typ)) == "signed_type"


@pytest.mark.parametrize("body", [b'{"active":true}', b"", b"a.b", b"a.b.c.d.e", b"\xff.\xff.\xff"])
def test_sec_69_plain_json_is_never_taken_for_a_signed_answer(body: bytes) -> None:
    assert cause(body) == "not_signed"


def test_sec_69_a_signature_of_another_key_is_refused() -> None:
    assert cause(signed(signer=generate_key("ES256", kid="k1"))) == "signature"


def test_sec_69_an_algorithm_that_was_not_agreed_on_is_refused() -> None:
    token = parse_signed_answer(signed())
    with pytest.raises(AnswerRefused) as caught:
        verify_signed_answer(token, (key(),), algorithms={"RS256"}, iss=ISS, client_id=CLIENT, now=NOON)
    assert (caught.value.cause, caught.value.detail) == ("signature", "alg_not_allowed")


def test_sec_69_without_a_key_nothing_is_believed() -> None:
    token = parse_signed_answer(signed())
    with pytest.raises(AnswerRefused) as caught:
        verify_signed_answer(token, (), algorithms={"ES256"}, iss=ISS, client_id=CLIENT, now=NOON)
    assert (caught.value.cause, caught.value.detail) == ("signature", "key_unknown")


@pytest.mark.parametrize("iss", [None, f"{ISS}/", "", [ISS]])
def test_sec_69_an_answer_of_another_issuer_is_refused(iss: object) -> None:
    assert cause(signed(iss=iss)) == "signed_issuer"


@pytest.mark.parametrize("aud", [None, "other", "", [], ["other"], {"gateway": 1}, "GATEWAY"])
def test_sec_69_an_answer_for_somebody_else_is_refused(aud: object) -> None:
    assert cause(signed(aud=aud)) == "signed_audience"


def test_sec_69_an_answer_for_us_among_others_is_good() -> None:
    assert read(signed(aud=["other", CLIENT])).active


@pytest.mark.parametrize("iat", [None, "1800000000", True, NOON - 300, NOON + 61])
def test_sec_69_an_answer_of_another_time_is_refused(iat: object) -> None:
    assert cause(signed(iat=iat)) == "signed_time"


@pytest.mark.parametrize("iat", [NOON - 299, NOON + 60, NOON + 0.5])
def test_sec_69_clocks_may_differ_a_little(iat: float) -> None:
    assert read(signed(iat=iat)).active


@pytest.mark.parametrize(("exp", "good"), [(NOON - 60, False), (NOON - 59, True), ("soon", False), (False, False)])
def test_sec_69_an_answer_with_an_end_is_not_used_after_it(exp: object, good: bool) -> None:
    if good:
        assert read(signed(exp=exp)).active
        return
    assert cause(signed(exp=exp)) == "signed_time"


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("", float("inf")),
        ("private", float("inf")),
        ("no-store", 0),
        ("No-Store", 0),
        ("no-cache, max-age=60", 0),
        ('no-cache="x"', 0),
        ("max-age=60", 60),
        ('private , Max-Age="60"', 60),
        ("max-age=60,max-age=30", 30),
        ("max-age=0", 0),
        ("max-age=", 0),
        ("max-age=-1", 0),
        ("max-age=1e3", 0),
        ("max-age=99999999999", 0),
        ("s-maxage=5", float("inf")),
    ],
)
def test_sec_70_the_answers_own_cache_rules_bound_its_lifetime(cache_control: str, seconds: float) -> None:
    assert lifetime_seconds(cache_control) == seconds


def test_the_members_of_an_answer_are_read_only() -> None:
    members: Mapping[str, Any] = parse_answer(b'{"active":true,"sub":"ann"}').members
    with pytest.raises(TypeError):
        members["sub"] = "bob"  # type: ignore[index]
