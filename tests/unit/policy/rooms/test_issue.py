from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import (
    ISSUE,
    ISSUED,
    ISSUER,
    NOON,
    ROUTE,
    finish,
    principal,
    proven,
    request,
)

from jwtgate.policy.facts import NeedIssuedToken
from jwtgate.policy.provisions import Issue, Origin, Value
from jwtgate.policy.requirements import Times
from jwtgate.policy.rooms.identify import ANONYMOUS
from jwtgate.policy.rooms.issue import describe, issue, not_after

VIEW = request(path="/orders/7")
INCOMING = {
    "iss": "https://idp.example",
    "aud": "orders",
    "sub": "alice",
    "exp": NOON + 300,
    "nbf": NOON,
    "iat": NOON,
    "jti": "theirs",
    "cnf": {"jkt": "x"},
    "x5t#S256": "x",
    "deep": {"role": "admin"},
    "empty": None,
}
OURS = {"iss": "https://gate.example", "aud": "internal"}


def described(**changes: object) -> dict[str, object]:
    return dict(describe(replace(ISSUE, **changes), VIEW, principal(access=proven()), incoming=INCOMING))


def constant(value: object) -> Value:
    return Value(Origin.CONSTANT, constant=value)


def test_a_token_says_no_more_than_the_plan_does() -> None:
    assert described() == OURS


def test_several_audiences_are_a_list() -> None:
    assert described(audiences=("a", "b"))["aud"] == ["a", "b"]


def test_sec_158_copying_everything_leaves_out_what_says_who_made_the_token_and_for_whom() -> None:
    assert described(copy_all=True) == {**OURS, "sub": "alice", "deep": {"role": "admin"}, "empty": None}
    assert described(copy_all=True, audiences=()) == {
        "iss": "https://gate.example",
        "sub": "alice",
        "deep": {"role": "admin"},
        "empty": None,
    }


def test_sec_158_a_claim_that_is_listed_is_copied_under_its_new_name() -> None:
    copied = described(copy=((("deep", "role"), "role"), (("empty",), "empty"), (("x",), "x"), (("cnf",), "cnf")))
    assert copied == {**OURS, "role": "admin", "empty": None, "cnf": {"jkt": "x"}}


def test_sec_158_who_issued_it_is_never_taken_over() -> None:
    assert described(copy=((("iss",), "iss"), (("aud",), "aud"))) == OURS
    assert described(set=(("iss", constant("evil")), ("aud", constant("evil")))) == OURS
    assert described(remove=frozenset({"iss", "aud"})) == OURS


def test_claims_are_added_where_absent_set_in_any_case_and_removed_in_the_end() -> None:
    copy = ((("sub",), "sub"), (("empty",), "empty"))
    assert described(copy=copy, add=(("sub", constant("x")), ("empty", constant(1)), ("new", constant(2)))) == {
        **OURS,
        "sub": "alice",
        "empty": None,
        "new": 2,
    }
    assert described(copy=copy, set=(("sub", constant("x")),), remove=frozenset({"empty", "never"})) == {
        **OURS,
        "sub": "x",
    }
    assert described(copy=copy, set=(("sub", Value(Origin.PATH)),))["sub"] == "/orders/7"


def test_sec_115_a_value_that_is_not_there_leaves_no_stale_claim() -> None:
    absent = Value(Origin.CLAIM, slot="access", path=("nickname",))
    assert described(copy=((("sub",), "sub"),), set=(("sub", absent),), add=(("name", absent),)) == OURS


def test_a_token_is_asked_for_each_slot_that_was_proven() -> None:
    second = replace(ISSUE, name="orders/1", slot="channel")
    route = replace(ROUTE, issue=(ISSUE, second))
    alice = principal(access=proven())
    walk = issue(route, VIEW, alice, now=NOON)
    assert next(walk) == NeedIssuedToken(ISSUE, OURS, NOON + 300)
    assert finish(walk, [ISSUED]) == [(ISSUE, ISSUED)]
    walk = issue(route, VIEW, principal(access=proven(), channel=proven()), now=NOON)
    assert next(walk).issue is ISSUE
    assert walk.send(ISSUED).issue is second
    assert finish(walk, [ISSUED]) == [(ISSUE, ISSUED), (second, ISSUED)]


def test_sec_158_nothing_is_issued_for_nobody() -> None:
    assert finish(issue(replace(ROUTE, issue=(ISSUE,)), VIEW, ANONYMOUS, now=NOON)) == []


@pytest.mark.parametrize(
    ("changes", "good_until", "now", "expected"),
    [
        ({}, NOON + 330, NOON, NOON + 300),
        ({}, NOON + 330, NOON + 299, NOON + 300),
        ({}, NOON + 330, NOON + 300, NOON + 330),
        ({}, None, NOON, None),
        ({"may_outlive_incoming_token": True}, NOON + 330, NOON, None),
    ],
)
def test_sec_157_a_token_does_not_outlive_the_one_it_is_made_from(
    changes: dict[str, bool], good_until: int | None, now: int, expected: int | None
) -> None:
    description: Issue = replace(ISSUE, **changes)
    assert not_after(description, proven(good_until=good_until), now) == expected


def test_sec_157_the_leeway_is_that_of_the_issuer() -> None:
    exact = replace(ISSUER, times=Times(leeway_seconds=0))
    assert not_after(ISSUE, proven(good_until=NOON + 300, issuer=exact), NOON) == NOON + 300
