"""Limits as the plan has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.compile.rate_limits import compile_rate_limit, of_rate_limit
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import Answer, Origin, Value
from jwtgate.policy.rate_limits import CountedBy, RateLimit

Compile = Callable[[dict[str, Any]], Plan]
LIMIT = {"requests": 3, "window_seconds": 30}


def orders(compiled: Plan) -> Route:
    return next(route for route in compiled.routes if route.name == "orders")


def limited(plan: Compile, **more: object) -> RateLimit | None:
    return orders(plan({"routes/orders/rate_limit": {**LIMIT, **more}})).rate_limit


def test_where_no_limit_is_said_there_is_none(plan: Compile) -> None:
    assert orders(plan({})).rate_limit is None
    assert compile_rate_limit(None, "") is None
    assert list(of_rate_limit(None)) == []


def test_a_limit_is_compiled_with_all_it_says(plan: Compile) -> None:
    assert limited(plan) == RateLimit(3, 30)
    assert limited(plan, by="route", show_headers=False) == RateLimit(3, 30, by=CountedBy.ROUTE, shown=False)
    assert limited(plan, status=503) == RateLimit(3, 30, answer=Answer(status=503))
    worded = Answer(body=Value(Origin.CONSTANT, constant={"a": 1}), content_type="text/x")
    assert limited(plan, body={"a": 1}, content_type="text/x") == RateLimit(3, 30, answer=worded)


def test_a_value_that_is_counted_by_belongs_to_the_first_slot_where_none_is_named(plan: Compile) -> None:
    limit = limited(plan, by={"claim": "tenant"})
    assert limit == RateLimit(3, 30, by=CountedBy.VALUE, value=Value(Origin.CLAIM, slot="access", path=("tenant",)))
    assert list(of_rate_limit(limit)) == [Value(Origin.CLAIM, slot="access", path=("tenant",))]


@pytest.mark.parametrize("by", ["caller", {"claim": "tenant"}])
def test_a_route_with_a_limit_is_never_remembered(plan: Compile, by: object) -> None:
    assert orders(plan({})).remembered
    assert not orders(plan({"routes/orders/rate_limit": {**LIMIT, "by": by}})).remembered


def test_a_limit_by_a_part_of_the_path_is_given_the_templates(plan: Compile) -> None:
    changes = {
        "routes/orders/path": "/orders/{id}",
        "routes/orders/rate_limit": {**LIMIT, "by": {"path_parameter": "id"}},
    }
    assert orders(plan(changes)).templates == ("/orders/{id}",)


def test_a_consumer_has_its_limit(plan: Compile) -> None:
    compiled = plan({"consumers": {"ann": {"rate_limit": {**LIMIT, "by": "client", "body": "wait"}}, "bob": {}}})
    ann, bob = (source.consumer for source in compiled.sources.consumers)
    wait = Answer(body=Value(Origin.CONSTANT, constant="wait"))
    assert ann.rate_limit == RateLimit(3, 30, by=CountedBy.CLIENT, answer=wait)
    assert bob.rate_limit is None
