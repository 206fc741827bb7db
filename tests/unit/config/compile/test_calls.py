"""Calls as the plan has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.policy.calls.call import BodyForm, Call
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import Origin, Value

Compile = Callable[[dict[str, Any]], Plan]


def orders(plan: Plan) -> Route:
    return next(route for route in plan.routes if route.name == "orders")


def constant(value: Any) -> Value:
    return Value(Origin.CONSTANT, constant=value)


def test_a_call_is_compiled_with_its_upstream(plan: Compile) -> None:
    section = {
        "upstream": "echo",
        "path": {"claim": "sub"},
        "query": "a=b",
        "headers": {"X-A": {"request": "path"}},
        "expected_status": [200, 404],
        "timeout_seconds": 2,
        "most_bytes": 9,
        "for_answers": True,
    }
    route = orders(plan({"routes/orders/calls": {"one": section}}))
    assert route.calls == (
        Call(
            "one",
            route.upstream,
            Value(Origin.CLAIM, slot="access", path=("sub",)),
            constant("GET"),
            query=constant("a=b"),
            fields=((b"X-A", Value(Origin.PATH)),),
            expected=frozenset({200, 404}),
            seconds=2,
            most_bytes=9,
            for_answers=True,
        ),
    )
    assert not route.remembered


@pytest.mark.parametrize(
    ("changes", "method", "form"),
    [
        ({}, "GET", BodyForm.TEXT),
        ({"body": "a"}, "POST", BodyForm.TEXT),
        ({"json": "a"}, "POST", BodyForm.JSON),
        ({"form": "a", "method": "PUT"}, "PUT", BodyForm.FORM),
    ],
)
def test_a_call_with_a_body_is_a_post_unless_it_says_otherwise(
    plan: Compile, changes: dict[str, Any], method: str, form: BodyForm
) -> None:
    (call,) = orders(plan({"routes/orders/calls": {"one": {"upstream": "echo", **changes}}})).calls
    assert (call.path, call.method, call.form) == (constant("/"), constant(method), form)
    assert call.body == (constant("a") if method != "GET" else None)


def test_a_call_that_looks_at_the_path_has_its_templates(plan: Compile) -> None:
    call = {"upstream": "echo", "path": {"path_parameter": "id"}}
    changes = {"routes/orders/path": "/orders/{id}", "routes/orders/calls": {"one": call}}
    assert orders(plan(changes)).templates == ("/orders/{id}",)


def test_a_body_that_is_read_first_and_private_slots_are_the_routes(plan: Compile) -> None:
    assert orders(plan({})).body_first_bytes is None
    compiled = orders(plan({"routes/orders/body_read_before_decision_bytes": 7}))
    assert (compiled.body_first_bytes, compiled.remembered) == (7, False)
    assert orders(plan({})).private_responses
    assert not orders(plan({"routes/orders/private_responses": False})).private_responses
