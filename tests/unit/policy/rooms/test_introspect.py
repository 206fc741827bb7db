from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import GOOD, ISSUER, NOON, a_token, finish, reason

from jwtgate.jose.encoding import JSON
from jwtgate.jose.token import VerifiedToken
from jwtgate.policy.facts import Introspected, NeedIntrospection
from jwtgate.policy.requirements import Introspection
from jwtgate.policy.rooms.introspect import introspect

PLAIN = Introspection()


def described(reading: Introspection = PLAIN, *, active: bool = True, **members: JSON) -> VerifiedToken:
    issuer = replace(ISSUER, introspection=reading)
    steps = introspect(issuer, "opaque", limit_bytes=16_384)
    assert next(steps) == NeedIntrospection("main", "opaque", reading.hint)
    token, answer = finish(steps, [Introspected(active, members, NOON + 60)])
    assert answer.until == NOON + 60
    assert isinstance(token, VerifiedToken)
    return token


def test_the_members_of_an_answer_are_the_claims_of_the_token() -> None:
    token = described(sub="alice", scope="a b", active=True)
    assert dict(token.claims) == {"sub": "alice", "scope": "a b"}
    assert (token.alg, token.kid, token.typ, token.key, dict(token.header)) == (None, None, None, None, {})


def test_sec_68_a_token_that_is_not_active_is_refused() -> None:
    assert reason(lambda: described(active=False, sub="alice")) == "token_inactive"


def test_an_answer_may_hold_things_elsewhere() -> None:
    moved = Introspection(moved=(("scope", ("ext", "scp")), ("exp", ("expires",)), ("aud", ("nowhere",))), hint=None)
    token = described(moved, ext={"scp": "a"}, expires=7, scope="wrong", aud="wrong")
    assert (token.claims["scope"], token.claims["exp"]) == ("a", 7)
    assert "aud" not in token.claims


def test_an_answer_may_carry_a_jwt_whose_claims_stand_for_it() -> None:
    token = described(Introspection(jwt_claim=("ext", "jwt")), ext={"jwt": a_token()}, sub="other")
    assert dict(token.claims) == GOOD
    assert token.alg == "ES256"


@pytest.mark.parametrize("carried", [None, 7, {}])
def test_an_answer_that_lacks_the_jwt_it_should_carry_is_refused(carried: JSON) -> None:
    assert reason(lambda: described(Introspection(jwt_claim=("jwt",)), jwt=carried)) == "claim_malformed"
    assert reason(lambda: described(Introspection(jwt_claim=("jwt",)))) == "claim_malformed"
    assert reason(lambda: described(Introspection(jwt_claim=("jwt",)), jwt="a.b")) == "token_malformed"
