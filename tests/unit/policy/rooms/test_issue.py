from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import (
    ACME,
    GOOD,
    HELD,
    ISSUE,
    ISSUED,
    ISSUER,
    NOON,
    ROUTE,
    Expr,
    finish,
    known,
    principal,
    proven,
    reason,
    request,
)

from jwtgate.policy.facts import NeedClaims, NeedConsumer, NeedIssuedToken
from jwtgate.policy.provisions import Issue, Origin, ToldConsumer, Value
from jwtgate.policy.requirements import ConsumerName, Times
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
    return dict(describe(replace(ISSUE, **changes), known(principal(access=proven()), view=VIEW), incoming=INCOMING))


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
    second = replace(ISSUE, name="orders/1", slot="channel", field=b"X-Channel")
    route = replace(ROUTE, issue=(ISSUE, second))
    alice = principal(access=proven())
    walk = issue(known(alice, route=route, view=VIEW), HELD)
    assert next(walk) == NeedIssuedToken(ISSUE, OURS, NOON + 300, NOON + 300)
    assert finish(walk, [ISSUED]) == [(ISSUE, ISSUED)]
    walk = issue(known(principal(access=proven(), channel=proven()), route=route, view=VIEW), HELD)
    assert next(walk).issue is ISSUE
    assert walk.send(ISSUED).issue is second
    assert finish(walk, [ISSUED]) == [(ISSUE, ISSUED), (second, ISSUED)]


def test_sec_158_nothing_is_issued_for_nobody() -> None:
    assert finish(issue(known(route=replace(ROUTE, issue=(ISSUE,)), view=VIEW), HELD)) == []


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


@pytest.mark.parametrize(
    ("changes", "good_until", "vouched_until", "expected"),
    [
        ({}, NOON + 330, NOON + 60, NOON + 60),
        ({}, NOON + 330, NOON + 900, NOON + 300),
        ({}, None, NOON + 60, NOON + 60),
        ({"may_outlive_incoming_token": True}, NOON + 330, NOON + 60, NOON + 60),
    ],
)
def test_sec_157_a_token_does_not_outlive_what_an_issuer_said_when_it_was_asked(
    changes: dict[str, bool], good_until: int | None, vouched_until: int, expected: int
) -> None:
    asked = replace(proven(good_until=good_until), vouched_until=vouched_until)
    assert not_after(replace(ISSUE, **changes), asked, NOON) == expected


def test_sec_157_the_leeway_is_that_of_the_issuer() -> None:
    exact = replace(ISSUER, times=Times(leeway_seconds=0))
    assert not_after(ISSUE, proven(good_until=NOON + 300, issuer=exact), NOON) == NOON + 300


def test_a_token_is_issued_where_its_condition_holds() -> None:
    alice = principal(access=proven())
    of_alice = replace(ISSUE, when=Expr(lambda seen: seen["token"]["access"]["sub"] == "alice"))
    walk = issue(known(alice, route=replace(ROUTE, issue=(of_alice,))), HELD)
    next(walk)
    assert finish(walk, [ISSUED]) == [(of_alice, ISSUED)]
    of_bob = replace(ISSUE, when=Expr(lambda seen: seen["token"]["access"]["sub"] == "bob"))
    assert finish(issue(known(alice, route=replace(ROUTE, issue=(of_bob,))), HELD)) == []
    failing = replace(ROUTE, issue=(replace(ISSUE, when=Expr(lambda seen: seen["nothing"])),))
    assert reason(lambda: next(issue(known(alice, route=failing), HELD))) == "condition_not_met"


def test_the_audience_may_be_that_of_the_incoming_token() -> None:
    assert described(audiences=None)["aud"] == "orders"
    absent = describe(replace(ISSUE, audiences=None), known(principal(access=proven())), incoming={})
    assert "aud" not in absent


def test_a_legacy_upstream_may_be_spared_claims_it_cannot_take() -> None:
    assert described(omitted=frozenset({"aud"})) == {"iss": OURS["iss"]}


def test_a_plug_in_is_told_of_the_caller_and_fills_gaps_only() -> None:
    description = replace(ISSUE, generator="acme", set=(("sub", constant("ours")),), remove=frozenset({"secret"}))
    route = replace(ROUTE, issue=(description,))
    alice = replace(principal(access=proven()), consumer=ACME, permissions=("read",))
    walk = issue(known(alice, route=route), HELD)
    need = next(walk)
    assert isinstance(need, NeedClaims)
    assert need.generator == "acme"
    assert need.context == {
        "claims": GOOD,
        "consumer": ACME.members(),
        "credential": None,
        "permissions": ["read"],
        "route": "orders",
        "slot": "access",
        "now": NOON,
    }
    asked = walk.send(
        {"extra": 1, "sub": "theirs", "secret": "x", "iss": "evil", "exp": 1, "jti": "evil", "aud": "evil"}
    )
    assert asked.claims == {**OURS, "sub": "ours", "extra": 1}


REGISTERED = {"copy_all": True, "copy_registered": True, "audiences": None}


def test_registered_claims_may_be_taken_over_but_for_who_made_it() -> None:
    assert described(**REGISTERED) == {**INCOMING, "iss": "https://gate.example"}
    assert described(**REGISTERED, copy=((("iss",), "original_iss"),))["original_iss"] == "https://idp.example"


def test_registered_claims_that_are_taken_over_may_be_worded_otherwise() -> None:
    changed = described(
        **REGISTERED,
        add=(("jti", constant("ours")), ("nonce", constant(1))),
        set=(("aud", constant("x")), ("iat", constant({"a": [1]}))),
        remove=frozenset({"nbf", "cnf"}),
        omitted=frozenset({"jti"}),
    )
    assert (changed["aud"], changed["iat"], changed["nonce"]) == ("x", {"a": [1]}, 1)
    assert changed.keys().isdisjoint({"nbf", "cnf", "jti"})
    assert described(**{**REGISTERED, "audiences": ("orders", "x")})["aud"] == ["orders", "x"]


def test_claims_may_be_taken_over_once_more_under_another_name() -> None:
    assert described(copy_all=True, copy=((("iss",), "original_iss"), (("none",), "n"))) == {
        **OURS,
        "sub": "alice",
        "deep": {"role": "admin"},
        "empty": None,
        "original_iss": "https://idp.example",
    }


def test_a_plug_in_may_be_told_of_more_consumers_and_of_the_request() -> None:
    by = (ConsumerName.NAME, ConsumerName.ID)
    told = (
        ToldConsumer("user", Value(Origin.CLAIM, slot="access", path=("sub",)), by, prefix="user:"),
        ToldConsumer("owner", Value(Origin.CLAIM, slot="access", path=("nobody",)), by),
    )
    description = replace(ISSUE, generator="acme", told=told, tells_request=True)
    caller = replace(principal(access=proven()), credential="key-1", credential_labels={"kind": "opaque"})
    walk = issue(known(caller, route=replace(ROUTE, issue=(description,)), view=VIEW), HELD)
    assert next(walk) == NeedConsumer(by, "user:alice")
    context = walk.send(ACME).context
    assert context["consumers"] == {"user": ACME.members(), "owner": None}
    assert context["credential"] == {"name": "key-1", "labels": {"kind": "opaque"}}
    assert context["request"] == {"method": VIEW.method, "path": VIEW.path}


def test_of_several_tokens_for_one_field_the_first_whose_condition_holds_is_made() -> None:
    first, second, third = (
        replace(ISSUE, name="first", when=Expr(lambda _: False)),
        replace(ISSUE, name="second", when=Expr(lambda _: True)),
        replace(ISSUE, name="third"),
    )
    other = replace(ISSUE, name="other", field=b"X-Other")
    walk = issue(known(principal(access=proven()), route=replace(ROUTE, issue=(first, second, third, other))), HELD)
    assert next(walk).issue is second
    assert walk.send(ISSUED).issue is other
    assert finish(walk, [ISSUED]) == [(second, ISSUED), (other, ISSUED)]
