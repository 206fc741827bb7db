"""`rewrite`, `request_headers`, `response_headers` and `respond`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


@pytest.mark.parametrize(
    "rewrite",
    [
        {"strip_matched_prefix": True},
        {"strip_matched_prefix": True, "add_prefix": "/base", "pattern": "a", "replacement": "b", "method": "PUT"},
        {"add_prefix": "/"},
        {"path": "/new", "method": "POST"},
        {"pattern": "^/a/(.*)$", "replacement": r"/\1"},
        {"pattern": "a", "replacement": ""},
    ],
)
def test_a_request_may_be_another_for_the_upstream(load: Load, rewrite: dict[str, Any]) -> None:
    assert load({"routes/orders/rewrite": rewrite}).routes["orders"].rewrite is not None


@pytest.mark.parametrize(
    "rewrite",
    [
        {},
        {"add_prefix": "base"},
        {"add_prefix": "/a/../b"},
        {"path": "/a?b=c"},
        {"path": "/a b"},
        {"path": "/a", "add_prefix": "/b"},
        {"path": "/a", "strip_matched_prefix": True},
        {"path": "/a", "pattern": "a", "replacement": "b"},
        {"pattern": "a"},
        {"replacement": "a"},
        {"pattern": "(a", "replacement": "b"},
        {"pattern": "a", "replacement": r"\1"},
        {"pattern": "a", "replacement": "?b=c"},
        {"pattern": "a", "replacement": "a b"},
        {"pattern": "a", "replacement": "a\r\nX-B: c"},
        {"pattern": "a", "replacement": "ü"},
        {"method": "HEAD"},
        {"method": "CONNECT"},
        {"method": "get"},
        None,
    ],
)
def test_sec_110_what_would_be_no_request_is_a_mistake(mistakes: Find, rewrite: object) -> None:
    assert len(mistakes({"routes/orders/rewrite": rewrite})) == 1


def test_a_socket_is_opened_with_its_own_method(mistakes: Find) -> None:
    changes = {"routes/orders/upgrade": "websocket", "routes/orders/rewrite": {"method": "POST"}}
    assert mistakes(changes) == ["routes.orders: upgrade asks for the method GET, so rewrite cannot change it"]


OF_HOPS = ("Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "transfer_encoding")


@pytest.mark.parametrize("name", [*OF_HOPS, "Content-Length", "Host", "Expect", "X-Forwarded-For", "Forwarded", "Via"])
def test_sec_90_what_frames_a_request_is_not_to_be_edited(mistakes: Find, name: str) -> None:
    for edit in ({"set": {name: "a"}}, {"add": {name: "a"}}, {"remove": [name]}):
        (mistake,) = mistakes({"routes/orders/request_headers": edit})
        assert "a field the gateway itself is responsible for" in mistake


@pytest.mark.parametrize("name", [*OF_HOPS, "Content-Length", "X-Request-Id", "Date"])
def test_sec_90_what_frames_an_answer_is_not_to_be_edited(mistakes: Find, name: str) -> None:
    for edit in ({"set": {name: "a"}}, {"add": {name: "a"}}, {"remove": [name]}):
        (mistake,) = mistakes({"routes/orders/response_headers": edit})
        assert "a field the gateway itself is responsible for" in mistake


def test_credentials_may_be_removed(load: Load) -> None:
    assert load({"routes/orders/request_headers": {"remove": ["Cookie", "Authorization"]}})


@pytest.mark.parametrize("direction", ["request_headers", "response_headers"])
def test_a_value_is_one_that_can_be_known(mistakes: Find, direction: str) -> None:
    for value in ("a\nb", 7, {"claim": "sub", "slot": "nobody"}, {"path_parameter": "nothing"}, {"cel": "nobody"}):
        assert len(mistakes({f"routes/orders/{direction}": {"set": {"X-A": value}}})) == 1


def test_a_field_is_set_once(mistakes: Find) -> None:
    twice = "another entry of this route sets the same field"
    edits = {"routes/orders/request_headers": {"set": {"x_caller": "me"}}}
    assert mistakes(edits) == [f"routes.orders.request_headers.set.x_caller: {twice}"]
    edits = {"routes/orders/request_headers": {"set": {"X-A": "1"}, "add": {"x-a": "2"}}}
    assert mistakes(edits) == [f"routes.orders.request_headers.add.x-a: {twice}"]


def own(respond: object, **changes: Any) -> dict[str, Any]:
    return {"routes/own": {"path": "/own", "auth": "none", "respond": respond, **changes}}


@pytest.mark.parametrize(
    "respond",
    [
        {},
        {"status": 404, "headers": {"X-A": "b"}, "body": {"constant": {"a": [1, None]}}},
        {"body": "x"},
        {"status": 204},
        {"status": {"header": "x-status"}, "json": {"constant": {}}, "content_type": {"header": "x-type"}},
        {"refusal": "route_unknown"},
    ],
)
def test_a_route_may_answer_by_itself(load: Load, respond: dict[str, Any]) -> None:
    assert load(own(respond)).routes["own"].respond is not None


@pytest.mark.parametrize(
    "respond",
    [
        {"status": "404"},
        {"status": True},
        {"status": 101},
        {"status": 600},
        {"headers": {"Content-Length": "1"}},
        {"headers": {"Content-Type": "text/html"}},
        {"headers": {"X-A": "a\r\nb"}},
        {"content_type": "html"},
        {"content_type": {"constant": 7}},
        {"body": {"a": 1}},
        {"body": "a", "json": "a"},
        {"refusal": "no_such_reason"},
        {"refusal": "key_malformed"},
        {"refusal": "token_expired", "status": 400},
        {"call": "who"},
        {"call": "who", "status": 200},
        None,
    ],
)
def test_what_is_no_answer_is_a_mistake(mistakes: Find, respond: object) -> None:
    assert len(mistakes(own(respond))) == 1


@pytest.mark.parametrize(
    "beside", [{"upstream": "echo"}, {"rewrite": {"path": "/a"}}, {"request_headers": {}}, {"headers": {"X-A": "b"}}]
)
def test_what_forwards_nothing_says_nothing_of_forwarding(mistakes: Find, beside: dict[str, Any]) -> None:
    assert mistakes(own({}, **beside))


def test_sec_92_what_means_nothing_behind_a_body_cannot_pass_there(load: Load, mistakes: Find) -> None:
    assert load({"routes/orders/trailers": ["X-Sum", "Server-Timing"]}).routes["orders"].trailers[0] == "X-Sum"
    for name in ("Set-Cookie", "content_length", "Transfer-Encoding", "WWW-Authenticate", "Host"):
        assert mistakes({"routes/orders/trailers": [name]}) == [
            f"routes.orders.trailers[0]: a field that means nothing behind a body cannot pass there (not {name!r})"
        ]
