"""Limits of routes and of consumers as a document says them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]
LIMIT = {"requests": 3, "window_seconds": 30}
PLACES = ("routes/orders/rate_limit", "consumers/ann/rate_limit")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"by": "client"},
        {"by": "route", "status": 503, "body": {"slow": "down"}, "content_type": "text/x", "show_headers": False},
        {"by": "caller", "body": ""},
    ],
)
def test_a_limit_says_how_many_how_long_and_who(load: Load, place: str, more: dict[str, Any]) -> None:
    document = load({place: {**LIMIT, **more}})
    limit = (document.routes["orders"] if place.startswith("routes") else document.consumers["ann"]).rate_limit
    assert limit is not None
    word = limit.by if isinstance(limit.by, str) else limit.by.constant
    assert (limit.requests, limit.window_seconds, word) == (3, 30, more.get("by", "caller"))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "more",
    [
        {"requests": 0},
        {"requests": "3"},
        {"window_seconds": 0},
        {"window_seconds": 367 * 86400},
        {"window_seconds": 0.5},
        {"by": "address"},
        {"by": None},
        {"status": 204},
        {"status": 199},
        {"body": "x", "content_type": "text"},
        {"content_type": "text/plain"},
        {"burst": 5},
    ],
)
def test_what_is_no_limit_is_refused(mistakes: Find, place: str, more: dict[str, Any]) -> None:
    (mistake,) = mistakes({place: {**LIMIT, **more}})
    assert mistake.startswith(place.replace("/", "."))


def test_a_limit_needs_both_of_its_numbers(mistakes: Find) -> None:
    assert mistakes({"routes/orders/rate_limit": {}}) == [
        "routes.orders.rate_limit.requests: is missing",
        "routes.orders.rate_limit.window_seconds: is missing",
    ]


def test_a_route_may_count_by_a_value_and_a_consumer_may_not(load: Load, mistakes: Find) -> None:
    by = {**LIMIT, "by": {"header": "x-tenant"}}
    assert load({"routes/orders/rate_limit": by}).routes["orders"].rate_limit is not None
    assert len(mistakes({"consumers/ann/rate_limit": by})) == 1


def test_a_word_nobody_knows_is_told_what_there_is(mistakes: Find) -> None:
    (mistake,) = mistakes({"routes/orders/rate_limit": {**LIMIT, "by": "tenant"}})
    assert "caller, client, route" in mistake
