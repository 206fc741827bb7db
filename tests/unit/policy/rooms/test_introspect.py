from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import GOOD, ISSUER, NOON, a_token, finish, reason

from jwtgate.jose.encoding import JSON
from jwtgate.policy.facts import Introspected, NeedIntrospection
from jwtgate.policy.requirements import Introspection
from jwtgate.policy.rooms.introspect import Described, introspect

PLAIN = Introspection()


def described(reading: Introspection = PLAIN, *, active: bool = True, **members: JSON) -> Described:
    issuer = replace(ISSUER, introspection=reading)
    steps = introspect(issuer, "opaque", limit_bytes=16_384)
    assert next(steps) == NeedIntrospection("main", "opaque", reading.hint)
    told = finish(steps, [Introspected(active, members, NOON + 60)])
    assert isinstance(told, Described)
    assert told.answer.until == NOON + 60
    return told


def test_the_members_of_an_answer_are_the_claims_of_the_token() -> None:
    token = described(sub="alice", scope="a b", active=True).token
    assert dict(token.claims) == {"sub": "alice", "scope": "a b"}
    assert (token.alg, token.kid, token.typ, token.key, dict(token.header)) == (None, None, None, None, {})


def test_that_it_is_active_is_a_claim_where_the_document_says_so() -> None:
    assert dict(described(Introspection(active_kept=True), sub="alice").claims) == {"sub": "alice", "active": True}
    assert "active" not in described(sub="alice").claims


def test_sec_68_a_token_that_is_not_active_is_refused() -> None:
    assert reason(lambda: described(active=False, sub="alice")) == "token_inactive"


def test_an_answer_may_hold_things_elsewhere() -> None:
    moved = Introspection(moved=(("scope", ("ext", "scp")), ("exp", ("expires",)), ("aud", ("nowhere",))), hint=None)
    token = described(moved, ext={"scp": "a"}, expires=7, scope="wrong", aud="wrong").token
    assert (token.claims["scope"], token.claims["exp"]) == ("a", 7)
    assert "aud" not in token.claims


def test_an_answer_may_carry_a_jwt_whose_claims_stand_for_it() -> None:
    told = described(Introspection(jwt_claim=("ext", "jwt")), ext={"jwt": a_token()}, sub="other")
    assert dict(told.claims) == dict(told.token.claims) == GOOD
    assert told.token.alg == "ES256"


def test_that_jwt_may_be_taken_unseen_and_the_answer_checked_in_its_place() -> None:
    reading = Introspection(jwt_claim=("jwt",), moved=(("scope", ("scp",)),), inner_unchecked=True)
    told = described(reading, jwt=a_token(exp=1), sub="other", scp="a", exp=7)
    assert dict(told.token.claims) == {**GOOD, "exp": 1}
    assert (told.claims["sub"], told.claims["scope"], told.claims["exp"]) == ("other", "a", 7)


@pytest.mark.parametrize("carried", [None, 7, {}])
def test_an_answer_that_lacks_the_jwt_it_should_carry_is_refused(carried: JSON) -> None:
    assert reason(lambda: described(Introspection(jwt_claim=("jwt",)), jwt=carried)) == "claim_malformed"
    assert reason(lambda: described(Introspection(jwt_claim=("jwt",)))) == "claim_malformed"
    assert reason(lambda: described(Introspection(jwt_claim=("jwt",)), jwt="a.b")) == "token_malformed"
