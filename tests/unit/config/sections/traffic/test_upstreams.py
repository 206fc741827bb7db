"""The section `upstreams`: weights, attempts, and what a target is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


def test_a_target_is_an_address_or_one_with_a_weight(load: Load) -> None:
    targets = ["http://a:1", {"url": "http://b:1", "weight": 3}, {"url": "http://c:1"}]
    found = load({"upstreams/echo/targets": targets}).upstreams["echo"].targets
    assert [(target.url, target.weight) for target in found] == [
        ("http://a:1", 1),
        ("http://b:1", 3),
        ("http://c:1", 1),
    ]


@pytest.mark.parametrize(
    "target",
    [{"url": "http://a/b"}, {"weight": 1}, {"url": "http://a", "weight": -1}, {"url": "http://a", "weight": 0.5}, 7],
)
def test_what_is_no_target_is_a_mistake(mistakes: Find, target: object) -> None:
    assert len(mistakes({"upstreams/echo/targets": ["http://a", target]})) == 1


def test_a_target_at_least_has_a_weight(mistakes: Find) -> None:
    assert mistakes({"upstreams/echo/targets": {"url": "http://a", "weight": 0}}) == [
        "upstreams.echo: needs a target whose weight is not 0"
    ]


@pytest.mark.parametrize("host", ["a", "a.example:81", "[::1]", "[::1]:80", "a_b"])
def test_the_host_an_upstream_sees_may_be_any(load: Load, host: str) -> None:
    assert load({"upstreams/echo/host": host}).upstreams["echo"].host == host


@pytest.mark.parametrize("host", ["", "a b", "a\r\nX: y", "http://a", "a/b", "ü", "a:b", None])
def test_sec_94_what_is_no_host_is_a_mistake(mistakes: Find, host: object) -> None:
    assert len(mistakes({"upstreams/echo/host": host})) == 1


def test_one_host_is_sent(mistakes: Find) -> None:
    changes = {"upstreams/echo/host": "a", "upstreams/echo/preserve_host": True}
    assert mistakes(changes) == ["upstreams.echo: host and preserve_host exclude each other"]


@pytest.mark.parametrize("retries", [-1, 33, True, "1", 1.5])
def test_attempts_are_few(mistakes: Find, retries: object) -> None:
    assert len(mistakes({"upstreams/echo/retries": retries})) == 1


def test_rel_13_everything_about_targets_has_a_default(load: Load) -> None:
    found = load({"upstreams/echo/health_check": {}, "upstreams/echo/ejection": {}}).upstreams["echo"]
    assert found.health_check is not None
    assert found.ejection is not None
    assert (found.health_check.path, found.health_check.every_seconds, found.health_check.statuses) == (None, 5.0, None)
    assert (found.ejection.statuses, found.ejection.most_percent) == ((500, 502, 503, 504), 50)
    assert (found.balance, found.hash_by, found.slow_start_seconds, found.retry_budget_percent) == (
        "round_robin",
        None,
        0.0,
        20,
    )


@pytest.mark.parametrize("by", ["consumer", "client", {"header": "X-User"}, {"cookie": "session"}])
def test_a_consistent_hash_is_of_one_thing(load: Load, by: object) -> None:
    changes = {"upstreams/echo/balance": "consistent_hash", "upstreams/echo/hash_by": by}
    assert load(changes).upstreams["echo"].hash_by is not None


@pytest.mark.parametrize("by", ["host", {}, {"header": "X", "cookie": "y"}, {"header": "a b"}, 7])
def test_what_nothing_can_be_hashed_by_is_a_mistake(mistakes: Find, by: object) -> None:
    assert mistakes({"upstreams/echo/balance": "consistent_hash", "upstreams/echo/hash_by": by})


@pytest.mark.parametrize("changes", [{"balance": "consistent_hash"}, {"hash_by": "client"}])
def test_a_hash_and_what_it_is_of_go_together(mistakes: Find, changes: dict[str, object]) -> None:
    found = mistakes({f"upstreams/echo/{name}": value for name, value in changes.items()})
    assert found == ["upstreams.echo: balance: consistent_hash and hash_by need each other"]


def test_what_a_check_asks_and_expects_needs_a_path(mistakes: Find) -> None:
    assert mistakes({"upstreams/echo/health_check": {"statuses": [204]}}) == [
        "upstreams.echo.health_check: host and statuses need path"
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("health_check", {"path": "health"}),
        ("health_check", {"path": "/a b"}),
        ("health_check", {"path": "/", "statuses": [99]}),
        ("health_check", {"path": "/", "host": "a\r\nX: y"}),
        ("health_check", {"healthy_after": 0}),
        ("ejection", {"failures_in_a_row": 0}),
        ("ejection", {"statuses": []}),
        ("ejection", {"most_percent": 101}),
        ("most_connections", 0),
        ("most_requests", 0),
        ("most_pending", 1.5),
        ("retry_budget_percent", 0),
        ("resolve_seconds", 0.5),
        ("stale_names_seconds", -1),
        ("slow_start_seconds", -1),
        ("balance", "random"),
    ],
)
def test_what_makes_no_sense_of_targets_is_a_mistake(mistakes: Find, name: str, value: object) -> None:
    assert len(mistakes({f"upstreams/echo/{name}": value})) == 1
