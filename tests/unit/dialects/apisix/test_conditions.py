"""Conditions of routes as expressions, each with its yes and its no."""

from __future__ import annotations

from typing import Any

import pytest

from jwtgate.config.expressions import compiled_expression
from jwtgate.dialects.apisix.conditions import CannotSay, expression, text_literal, variable

REQUEST = {
    "method": "GET",
    "scheme": "http",
    "host": "a.example",
    "path": "/get/it",
    "client": "10.0.0.1",
    "headers": {"x-version": "v2", "x-odd": "it's \\ é"},
    "query": {"age": "20", "word": "ten"},
    "cookies": {"sid": "1"},
}


def holds(conditions: list[Any]) -> object:
    return compiled_expression(expression(conditions))({"request": REQUEST})


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        (["http_x_version", "==", "v2"], True),
        (["http_x_version", "==", "v1"], False),
        (["http_x_none", "==", "v1"], False),
        (["http_x_none", "~=", "v1"], True),
        (["http_x_none", "==", None], True),
        (["http_x_version", "==", None], False),
        (["uri", "==", None], False),
        (["http_x_odd", "==", "it's \\ é"], True),
        (["arg_age", ">", 18], True),
        (["arg_age", ">", 20], False),
        (["arg_age", ">=", "20"], True),
        (["arg_age", "<", 20.5], True),
        (["arg_age", "<=", 19], False),
        (["arg_age", "==", 20], True),
        (["arg_word", ">", 1], False),
        (["arg_none", "<", 1], False),
        (["cookie_sid", "in", ["2", "1"]], True),
        (["cookie_sid", "in", ["2"]], False),
        (["cookie_sid", "in", []], False),
        (["uri", "~~", "^/get"], True),
        (["uri", "~~", "^/it"], False),
        (["host", "~*", "EXAMPLE$"], True),
        (["http_host", "~~", "EXAMPLE$"], False),
        (["uri", "!", "~~", "^/it"], True),
        (["request_method", "!", "==", "GET"], False),
        (["scheme", "==", "http"], True),
        (["remote_addr", "==", "10.0.0.1"], True),
    ],
)
def test_a_condition_holds_or_does_not(condition: list[Any], truth: bool) -> None:
    assert holds([condition]) is truth


@pytest.mark.parametrize(
    ("conditions", "truth"),
    [
        ([["uri", "~~", "^/get"], ["arg_age", "==", "20"]], True),
        ([["uri", "~~", "^/get"], ["arg_age", "==", "21"]], False),
        (["OR", ["arg_age", "==", "21"], ["scheme", "==", "http"]], True),
        (["!OR", ["arg_age", "==", "21"], ["scheme", "==", "http"]], False),
        (["AND", ["arg_age", "==", "20"], ["scheme", "==", "https"]], False),
        (["!AND", ["arg_age", "==", "20"], ["scheme", "==", "https"]], True),
        ([["OR", ["arg_age", "==", "1"], ["arg_age", "==", "20"]], ["scheme", "==", "http"]], True),
        (["AND", [["arg_age", "==", "20"], ["scheme", "==", "http"]]], True),
        ([], True),
    ],
)
def test_conditions_are_joined(conditions: list[Any], truth: bool) -> None:
    assert holds(conditions) is truth


@pytest.mark.parametrize(
    ("conditions", "named"),
    [
        ([["post_arg_a", "==", "1"]], "post_arg_a"),
        ([["http_authorization", "==", "x"]], "http_authorization"),
        ([["http_cookie", "==", "x"]], "http_cookie"),
        ([["request_uri", "==", "x"]], "request_uri"),
        ([["uri", "has", "x"]], "has"),
        ([["remote_addr", "ipmatch", ["10.0.0.0/8"]]], "ipmatch"),
        ([["uri", "~~", "(?=a)"]], "pattern"),
        ([["uri", "=="]], "a variable, an operator"),
        ([["uri", "==", True]], "true or false"),
        ([["uri", ">", "a"]], "numbers"),
        ([["uri", ">", True]], "numbers"),
        ([["uri", "==", ["a"]]], "text"),
        ([["uri", "in", "a"]], "list"),
        ([[]], "a condition is a list"),
        ("uri", "list of conditions"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(conditions: Any, named: str) -> None:
    with pytest.raises(CannotSay, match=named):
        expression(conditions)


def test_a_variable_that_is_not_there_is_empty_text() -> None:
    text = f"{variable('arg_none').or_empty} + {variable('arg_age').or_empty} + {variable('uri').or_empty}"
    assert compiled_expression(text)({"request": REQUEST}) == "20/get/it"


def test_text_stands_in_an_expression_as_it_is() -> None:
    assert compiled_expression(text_literal("a'\"\\\n\x01é🎈"))({}) == "a'\"\\\n\x01é🎈"
