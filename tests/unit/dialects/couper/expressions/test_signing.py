from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from tests.unit.dialects.couper.expressions.evaluating import value_of
from tests.unit.policy.plans import NOON, known, request

from jwtgate.dialects.couper.expressions.functions import json_text
from jwtgate.dialects.couper.expressions.language import compiled
from jwtgate.jose.encoding import base64url_encode
from jwtgate.policy.expression import Asks, ExpressionFailed
from jwtgate.policy.facts import NeedSigned
from jwtgate.policy.value import Known

PROFILE = {"key": "k", "ttl_seconds": 600, "claims": '{iss = "MyAS", iat = unixtime()}'}


def asked(text: str, here: Known | None = None, **profile: Any) -> NeedSigned:
    with pytest.raises(Asks) as caught:
        value_of(text, here, profiles={"P": {"key": "k", **profile}})
    assert isinstance(caught.value.need, NeedSigned)
    return caught.value.need


def test_the_claims_of_a_profile_come_first_then_its_end_then_the_argument() -> None:
    need = asked('jwt_sign("P", {sub = "u1"})', **PROFILE)
    assert need == NeedSigned("k", {}, {"iss": "MyAS", "iat": NOON, "exp": NOON + 600, "sub": "u1"})
    assert list(need.claims) == sorted(need.claims)
    assert asked('jwt_sign("P", {exp = 5, iss = null})', **PROFILE).claims == {"iss": None, "iat": NOON, "exp": 5}


@pytest.mark.parametrize(
    ("ttl", "claims"),
    [(0, {"exp": 1}), (60.6, {"exp": NOON + 60}), (-5, {"exp": NOON - 5}), (0.5, {"exp": 1})],
)
def test_a_profile_without_a_whole_second_sets_no_end(ttl: float, claims: dict[str, object]) -> None:
    assert asked('jwt_sign("P", {})', claims="{exp = 1}", ttl_seconds=ttl).claims == claims


def test_claims_and_headers_are_those_of_the_request() -> None:
    here = known(view=request((b"x-k", b"kid-1"), method="PUT"))
    parts = {"claims": "{m = request.method}", "headers": '{kid = request.headers.x-k, typ = "at+jwt"}'}
    need = asked('jwt_sign("P")', here, **parts)
    assert need == NeedSigned("k", {"kid": "kid-1", "typ": "at+jwt"}, {"m": "PUT"})


def test_the_answer_is_the_token_for_these_claims_and_no_others() -> None:
    expression = compiled('"${jwt_sign("P", {m = request.method})}!"', {"profiles": {"P": {"key": "k"}}})
    here = known()
    with pytest.raises(Asks) as caught:
        expression(here)
    here.answers[caught.value.key] = "a.b.c"
    assert expression(here) == "a.b.c!"
    other = known(view=request(method="PUT"))
    other.answers.update(here.answers)
    with pytest.raises(Asks):
        expression(other)


@pytest.mark.parametrize(
    ("text", "profile", "sentence"),
    [
        ('jwt_sign("Q", {})', {}, 'missing jwt_signing_profile .* block with referenced label "Q"'),
        ('jwt_sign("P", "x")', {}, "must be an object, not string"),
        ('jwt_sign("P", [1])', {}, "must be an object"),
        ('jwt_sign("P", {})', {"headers": '{alg = "none"}'}, '"alg" cannot be set'),
        ('jwt_sign("P", {})', {"claims": "[1]"}, "claims must be an object"),
        ('jwt_sign("P", {})', {"claims": "{a = 1 / 0}"}, "no number"),
        ("jwt_sign(null, {})", {}, "string required"),
        ('jwt_sign("P", {})', {"claims": '{a = jwt_sign("P", {})}'}, "missing jwt_signing_profile"),
    ],
)
def test_what_cannot_be_signed_fails(text: str, profile: dict[str, str], sentence: str) -> None:
    with pytest.raises(ExpressionFailed, match=sentence):
        value_of(text, profiles={"P": {"key": "k", **profile}})


def test_the_golden_vector_of_a_signing_profile() -> None:
    claims = '{iss = to_lower("The_Issuer"), aud = to_upper("The_Audience")}'
    need = asked('jwt_sign("P", {sub = "12345"})', ttl_seconds=0, claims=claims)
    header = {"alg": "HS256", "typ": "JWT", **need.header}
    signed = ".".join(base64url_encode(json_text(part).encode()) for part in (header, need.claims))
    signature = base64url_encode(hmac.digest(b"$3cRe4", signed.encode(), hashlib.sha256))
    assert f"{signed}.{signature}" == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJhdWQiOiJUSEVfQVVESUVOQ0UiLCJpc3MiOiJ0aGVfaXNzdWVyIiwic3ViIjoiMTIzNDUifQ."
        "Hf-ZtIlsxR2bDOdAEMaDHaOBmfVWTQi9U68yV4YHW9w"
    )
