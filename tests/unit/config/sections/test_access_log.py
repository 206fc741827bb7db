"""The `access_log` section."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document
from jwtgate.policy.plan import LOG_ATOMS

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


@pytest.mark.parametrize(
    "shape",
    [
        {"members": {name: name for name in LOG_ATOMS}},
        {"members": {"a": {"constant": {"b": [1]}}, "c": {"d": {"e": {"f": "id"}}}}, "custom": "mine"},
        {"members": {"a": "id"}, "refused": {"b": "x", "c": {"request": "path"}, "d": {"consumer": "name"}}},
        {"members": {"a": {"constant": "id", "b": "id"}}},
    ],
)
def test_a_line_may_have_another_shape(load: Load, shape: dict[str, Any]) -> None:
    section = load({"access_log": shape}).access_log
    assert section is not None
    assert dict(section.members) == shape["members"]


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ({}, "members"),
        ({"members": {}}, "must not be empty"),
        ({"members": {"a": "methode"}}, "did you mean method?"),
        ({"members": {"a": 7}}, "must be the name of what is said"),
        ({"members": {"a": {}}}, "must be the name of what is said"),
        ({"members": {"a": {"b": {"c": {"d": {"e": {"f": "id"}}}}}}}, "must be the name of what is said"),
        ({"members": {"a b": "id"}}, "a b"),
        ({"members": {"detail": "id"}}, "detail is said by the gateway"),
        ({"members": {"log": "id"}}, "says log twice"),
        ({"members": {"a": "id"}, "refused": {"a": "x"}}, "says a twice"),
        ({"members": {"a": "id"}, "custom": "a"}, "says a twice"),
    ],
)
def test_a_shape_nobody_could_read_is_a_mistake(mistakes: Find, shape: dict[str, Any], problem: str) -> None:
    assert problem in " ".join(mistakes({"access_log": shape}))


@pytest.mark.parametrize(
    "value",
    [
        {"header": "X-A"},
        {"claim": "a"},
        {"cel": "1"},
        {"path_parameter": "a"},
        {"request": "url"},
        {"request": "query"},
    ],
)
def test_sec_144_what_might_hold_a_credential_stands_in_no_line(mistakes: Find, value: dict[str, Any]) -> None:
    (mistake,) = mistakes({"access_log": {"members": {"a": "id"}, "refused": {"b": value}}})
    assert "beside its query" in mistake


def test_sec_144_a_query_with_a_credential_is_logged_by_no_route(mistakes: Find, load: Load) -> None:
    for part in ("url", "query"):
        logged = {"routes/orders/log": {"asked": {"request": part}}}
        assert load(logged).routes["orders"].log
        (mistake,) = mistakes({**logged, "routes/orders/from": [{"query": "token"}]})
        assert "stands in no log" in mistake
