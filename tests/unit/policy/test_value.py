from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import ACME, GOOD, NOON, ROUTE, Expr, known, principal, proven, reason, refusal, request

from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.value import holds, value_of

VIEW = request((b"x-a", b"caf\xe9"), (b"x-b", b"1"), (b"x-b", b"2"), path="/orders/7", method="PUT")
ALICE = principal(access=proven(deep={"a": [None]}))
CONSUMER = replace(principal(access=proven()), consumer=ACME, credential="acme-key", permissions=("read", "write"))
CONSUMER = replace(CONSUMER, credential_labels={"tier": "gold"})
TEMPLATED = replace(ROUTE, templates=("/orders/{id}",))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Value(Origin.CONSTANT, constant=[1]), [1]),
        (Value(Origin.CONSTANT), None),
        (Value(Origin.CLAIM, slot="access", path=("sub",)), "alice"),
        (Value(Origin.CLAIM, slot="access", path=("deep", "a", 0)), None),
        (Value(Origin.CLAIM, slot="access", path=("nickname",)), MISSING),
        (Value(Origin.CLAIM, slot="channel", path=("sub",)), MISSING),
        (Value(Origin.CLAIMS, slot="access"), {**GOOD, "deep": {"a": [None]}}),
        (Value(Origin.CLAIMS, slot="channel"), MISSING),
        (Value(Origin.FIELD, field=b"x-a"), "café"),
        (Value(Origin.FIELD, field=b"x-b"), MISSING),
        (Value(Origin.FIELD, field=b"x-c"), MISSING),
        (Value(Origin.METHOD), "PUT"),
        (Value(Origin.HOST), "api.example"),
        (Value(Origin.PATH), "/orders/7"),
        (Value(Origin.CLIENT), "192.0.2.7"),
    ],
)
def test_a_value_comes_from_where_the_plan_says(value: Value, expected: object) -> None:
    assert value_of(value, known(ALICE, view=VIEW)) == expected


def test_an_anonymous_caller_has_no_claims() -> None:
    for origin in (Origin.CLAIM, Origin.CLAIMS):
        assert value_of(Value(origin, slot="access", path=("sub",)), known(view=VIEW)) is MISSING


@pytest.mark.parametrize("origin", list(Origin))
def test_every_origin_has_a_value(origin: Origin) -> None:
    path = ("name",) if origin is Origin.CONSUMER else ("sub",)
    value = Value(
        origin, constant="c", slot="access", path=path, field=b"x-a", parameter="id", expression=Expr(lambda _: "x")
    )
    here = replace(known(CONSUMER, route=TEMPLATED, view=VIEW), refusal={"sub": "x"})
    assert value_of(value, here) not in (None, MISSING)


def test_a_refusal_is_known_while_it_is_worded_and_never_else() -> None:
    value = Value(Origin.REFUSAL, path=("reason",))
    worded = replace(known(ALICE), refusal={"reason": "token_expired"})
    assert value_of(value, worded) == worded.variables()["refusal"]["reason"] == "token_expired"  # type: ignore[index]
    assert value_of(value, known(ALICE)) is MISSING
    assert "refusal" not in known(ALICE).variables()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("name",), "acme"),
        (("id",), "c-1"),
        (("external_id",), "ext-1"),
        (("groups", 1), "eu"),
        (("labels", "tier"), "1"),
        (("attributes", "plan", "rate"), 9),
        (("attributes", "none"), MISSING),
        (("credential",), "acme-key"),
        (("credential_labels", "tier"), "gold"),
        (("credential_labels", "none"), MISSING),
    ],
)
def test_a_consumers_record_can_be_looked_into(path: tuple[str | int, ...], expected: object) -> None:
    value = Value(Origin.CONSUMER, path=path)
    assert value_of(value, known(CONSUMER)) == expected
    assert value_of(value, known(ALICE)) is MISSING


def test_what_a_consumer_lacks_is_missing_and_never_null() -> None:
    bare = replace(CONSUMER, consumer=replace(ACME, external_id=None), credential=None)
    assert value_of(Value(Origin.CONSUMER, path=("external_id",)), known(bare)) is MISSING
    assert value_of(Value(Origin.CONSUMER, path=("credential",)), known(bare)) is MISSING


def test_granted_permissions_are_a_list_and_none_are_missing() -> None:
    assert value_of(Value(Origin.PERMISSIONS), known(CONSUMER)) == ["read", "write"]
    assert value_of(Value(Origin.PERMISSIONS), known(ALICE)) is MISSING


def test_a_path_parameter_is_decoded_and_missing_where_the_template_has_none() -> None:
    escaped = replace(VIEW, path="/orders/caf%C3%A9%20x")
    value = Value(Origin.PARAMETER, parameter="id")
    assert value_of(value, known(ALICE, route=TEMPLATED, view=escaped)) == "café x"
    assert value_of(replace(value, parameter="other"), known(ALICE, route=TEMPLATED, view=escaped)) is MISSING
    assert value_of(value, known(ALICE, view=escaped)) is MISSING


def test_an_expression_sees_the_request_the_tokens_the_consumer_and_the_time() -> None:
    view = replace(
        VIEW, query="a=1&b=2&b=3&c=%20", fields=(*VIEW.fields, (b"authorization", b"Bearer x"), (b"x-d", b"4"))
    )
    seen = known(CONSUMER, route=TEMPLATED, view=view).variables()
    assert seen["token"] == {"access": dict(GOOD)}
    assert seen["consumer"] == ACME.members()
    assert (seen["permissions"], seen["now"]) == (["read", "write"], NOON)
    assert seen["request"] == {
        "method": "PUT",
        "scheme": "https",
        "host": "api.example",
        "path": "/orders/7",
        "path_parameters": {"id": "7"},
        "query": {"a": "1", "b": MISSING, "c": " "},
        "headers": {"x-a": "café", "x-b": MISSING, "x-d": "4"},
        "client": "192.0.2.7",
    }
    assert known(ALICE).variables()["consumer"] == {}


def test_what_an_expression_sees_is_put_together_once() -> None:
    once = known(ALICE)
    assert once.variables() is once.variables()


def test_sec_50_an_expression_that_fails_denies() -> None:
    failing = Expr(lambda seen: seen["token"]["access"]["nothing"])
    value = Value(Origin.EXPRESSION, expression=failing)
    error = refusal(lambda: value_of(value, known(ALICE)))
    assert (error.reason, error.status) == ("condition_not_met", 403)


@pytest.mark.parametrize("result", [1, "true", None, [], {}])
def test_sec_50_a_condition_that_is_neither_true_nor_false_denies(result: object) -> None:
    assert reason(lambda: holds(Expr(lambda _: result), known(ALICE))) == "condition_not_met"
    assert holds(Expr(lambda _: True), known(ALICE)) is True
    assert holds(Expr(lambda _: False), known(ALICE)) is False
