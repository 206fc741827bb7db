"""`calls` of a route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"path": "/a", "query": "b=c", "method": "HEAD"},
        {"path": {"cel": "'/a/' + request.method"}, "query": {"constant": {"a": ["b"]}}, "method": {"header": "X-M"}},
        {"headers": {"X-A": "b", "Cookie": {"header": "X-B"}, "Authorization": {"claim": "c"}, "User-Agent": "d"}},
        {"body": {"constant": {"a": 1}}},
        {"json": [1, None]},
        {"form": {"constant": {"a": "b"}}},
        {"expected_status": 204, "timeout_seconds": 0.5, "most_bytes": 1},
        {"expected_status": [200, 404]},
    ],
)
def test_a_call_asks_an_upstream_of_the_document(load: Load, call: dict[str, Any]) -> None:
    calls = load({"routes/orders/calls": {"one": {"upstream": "echo", **call}}}).routes["orders"].calls
    assert calls is not None
    assert set(calls) == {"one"}


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ({"upstream": None}, "upstream"),
        ({"upstream": "ecco"}, "there is no upstream of this name; did you mean echo?"),
        ({"url": "http://127.0.0.1"}, "url"),
        ({"path": "a"}, "must begin with /"),
        ({"path": 7}, "must begin with /"),
        ({"method": "CONNECT"}, "must be GET, HEAD"),
        ({"method": "get"}, "must be GET, HEAD"),
        ({"headers": {"Content-Length": "1"}}, "responsible"),
        ({"headers": {"Transfer_Encoding": "chunked"}}, "responsible"),
        ({"headers": {"Host": "other.example"}}, "responsible"),
        ({"headers": {"X-A": "1", "x_a": "2"}}, "twice"),
        ({"body": "a", "json": "b"}, "only one of body, json, form"),
        ({"expected_status": 101}, "expected_status"),
        ({"expected_status": []}, "expected_status"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"most_bytes": 0}, "most_bytes"),
        ({"headers": {"X-A": {"claim": "a", "slot": "other"}}}, "there is no slot of this name"),
        ({"path": {"path_parameter": "id"}}, "not every path of the route has {id}"),
    ],
)
def test_a_call_that_could_mean_something_else_is_a_mistake(mistakes: Find, call: dict[str, Any], problem: str) -> None:
    whole = {name: value for name, value in {"upstream": "echo", **call}.items() if value is not None}
    (mistake,) = mistakes({"routes/orders/calls": {"one": whole}})
    assert problem in mistake


def test_there_are_some_calls_and_not_too_many(mistakes: Find, load: Load) -> None:
    many = {f"call{number}": {"upstream": "echo"} for number in range(17)}
    assert len(mistakes({"routes/orders/calls": {}})) == 1
    assert len(mistakes({"routes/orders/calls": many})) == 1
    del many["call0"]
    assert len(load({"routes/orders/calls": many}).routes["orders"].calls or ()) == 16
