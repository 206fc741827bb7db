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
