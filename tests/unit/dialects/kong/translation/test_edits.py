from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.kong.kong_yml import not_exact, refused, route, service, translate


def on(plugin: str, **config: Any) -> dict[str, Any]:
    return route(service({"name": plugin, "config": config}))


def test_header_fields_of_a_request_are_edited() -> None:
    edited = on(
        "request-transformer",
        remove={"headers": ["x-a"]},
        add={"headers": ["x-b: one"]},
        replace={"headers": ["x-c:two:three"]},
        append={"headers": ["x-d:${env:X}"]},
    )["request_headers"]
    assert edited == {"remove": ["x-a"], "set": {"x-b": "one", "x-c": "two:three"}, "add": {"x-d": "$${env:X}"}}


def test_header_fields_of_an_answer_are_edited() -> None:
    edited = on("response-transformer", remove={"headers": ["x-a"]}, add={"headers": ["x-b:one"]})
    assert edited["response_headers"] == {"remove": ["x-a"], "set": {"x-b": "one"}}


def test_method_and_path_of_a_request_are_replaced() -> None:
    assert on("request-transformer", http_method="put", replace={"uri": "/new"})["rewrite"] == {
        "method": "PUT",
        "path": "/new",
    }


def test_a_field_that_is_set_in_any_case_is_told() -> None:
    translation = translate(service({"name": "request-transformer", "config": {"add": {"headers": ["x-b:one"]}}}))
    assert not_exact(translation).keys() == {"routes/r/plugins/request-transformer/config/add/headers"}


@pytest.mark.parametrize(
    ("plugin", "part", "kind", "value"),
    [
        ("request-transformer", "rename", "headers", ["a:b"]),
        ("request-transformer", "remove", "querystring", ["a"]),
        ("request-transformer", "append", "body", ["a:b"]),
        ("request-transformer", "add", "headers", ["a:$(headers.b)"]),
        ("request-transformer", "replace", "uri", "/$(uri_captures.a)"),
        ("response-transformer", "add", "json", ["a:b"]),
    ],
)
def test_what_is_not_edited_here_is_refused(plugin: str, part: str, kind: str, value: Any) -> None:
    translation = translate(service({"name": plugin, "config": {part: {kind: value}}}))
    assert refused(translation) == {f"routes/r/plugins/{plugin}/config/{part}/{kind}"}


def test_requests_may_be_answered_here() -> None:
    answered = on("request-termination", status_code=403, message="no")
    assert answered["respond"]["body"] == '{"message":"no"}'
    assert (answered["respond"]["status"], "upstream" in answered) == (403, False)
    assert on("request-termination")["respond"]["body"] == '{"message":"Service unavailable"}'
    text = on("request-termination", body="hi", content_type="text/plain")["respond"]
    assert (text["status"], text["body"], text["content_type"]) == (503, "hi", "text/plain")


def test_an_answer_that_depends_on_the_request_is_refused() -> None:
    translation = translate(service({"name": "request-termination", "config": {"trigger": "x", "echo": True}}))
    assert len(refused(translation)) == 2
