from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.policy.plans import (
    ACME,
    GOOD,
    NOON,
    ROUTE,
    Expr,
    Tongue,
    asks_for,
    finish,
    known,
    principal,
    proven,
    reason,
    refusal,
    request,
    told,
)

from jwtgate.errors import AccessRefused, DependencyFault
from jwtgate.policy.calls.call import Called
from jwtgate.policy.expression import Asks, ExpressionFailed
from jwtgate.policy.facts import NeedConsumer
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.value import MOST_ASKED, Known, asking, holds, value_of

VIEW = request(
    (b"x-a", b"caf\xe9"), (b"x-b", b"1"), (b"x-b", b"2"), path="/orders/7", method="PUT", id="0007", query="a=%20"
)
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
        (Value(Origin.ID), "0007"),
        (Value(Origin.QUERY), "a=%20"),
        (Value(Origin.ORIGIN), "https://api.example"),
        (Value(Origin.URL), "https://api.example/orders/7?a=%20"),
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
        origin,
        constant="c",
        slot="access",
        path=path,
        field=b"x-a",
        parameter="id",
        expression=Expr(lambda _: "x"),
        language=Tongue(lambda _: "y"),
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


NEED, OTHER = NeedConsumer((), "a"), NeedConsumer((), "b")


def failed(compute: Callable[[Known], object]) -> DependencyFault:
    with pytest.raises(DependencyFault) as caught:
        value_of(told(compute), known(ALICE))
    assert (caught.value.reason, caught.value.status) == ("expression_failed", 500)
    return caught.value


def fails(error: Exception) -> Callable[[Known], object]:
    def compute(_: Known) -> object:
        raise error

    return compute


@pytest.mark.parametrize("value", [None, "", 0, [], {"a": [None]}, MISSING])
def test_an_expression_of_a_language_says_any_value(value: object) -> None:
    assert value_of(told(lambda _: value), known(ALICE)) is value


def test_a_failure_of_an_expression_of_a_language_is_ours() -> None:
    detail = failed(fails(ExpressionFailed("no text", kind="configuration"))).detail
    assert detail == {"expression": "a text", "cause": "no text", "kind": "configuration"}
    assert failed(fails(ExpressionFailed("no text"))).detail == {"expression": "a text", "cause": "no text"}


def test_sec_144_an_error_in_a_language_quotes_nothing() -> None:
    assert failed(fails(ValueError("alice's secret"))).detail["cause"] == "ValueError"


@pytest.mark.parametrize("error", [AccessRefused("condition_not_met"), Asks(NEED, NEED)])
def test_what_an_expression_refuses_or_asks_for_is_left_to_the_walk(error: Exception) -> None:
    with pytest.raises(type(error)):
        value_of(told(fails(error)), known(ALICE))


def test_work_begins_anew_once_what_it_asks_for_is_there() -> None:
    here, begun = known(ALICE), []

    def work() -> object:
        begun.append(True)
        return [value_of(told(asks_for(need)), here) for need in (NEED, OTHER)]

    walk = asking(here, work)
    assert next(walk) is NEED
    assert walk.send("one") is OTHER
    assert finish(walk, ["two"]) == ["one", "two"]
    assert here.answers == {NEED: "one", OTHER: "two"}
    assert len(begun) == 3


def test_work_that_asks_for_nothing_yields_nothing() -> None:
    assert finish(asking(known(ALICE), lambda: 7)) == 7


def test_what_cannot_be_had_is_the_fault_of_the_work() -> None:
    walk = asking(known(ALICE), lambda: value_of(told(asks_for(NEED)), known(ALICE)))
    next(walk)
    with pytest.raises(DependencyFault) as caught:
        walk.throw(DependencyFault("signer_unavailable"))
    assert caught.value.reason == "signer_unavailable"


def test_an_expression_does_not_ask_without_end() -> None:
    here = known(ALICE)

    def work() -> object:
        raise Asks(NEED, len(here.answers))

    walk = asking(here, work)
    for _ in range(MOST_ASKED):
        next(walk)
    with pytest.raises(DependencyFault) as caught:
        next(walk)
    assert caught.value.detail == {"cause": "it asks for too much"}


def test_who_the_caller_is_may_become_known_later() -> None:
    here = known()
    assert here.variables()["token"] == {}
    here.become(ALICE)
    assert list(here.variables()["token"]) == ["access"]  # type: ignore[call-overload]


def test_the_answers_of_calls_are_read_once_however_many_expressions_look_at_them() -> None:
    it, read = known(), []

    class Counted(Called):
        def members(self) -> dict[str, object]:
            read.append(self.status)
            return super().members()

    for status in (200, 201, 202):
        it.note_called(f"c{status}", Counted(status, {}, b"{}"))
        calls = it.variables()["calls"]
        assert isinstance(calls, dict)
        assert list(calls) == [f"c{each}" for each in range(200, status + 1)]
    assert read == [200, 201, 202]
