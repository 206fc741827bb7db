"""Expressions (CEL): what they give, and that everything else is refused."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwtgate.config.expressions import CelExpression, compiled_expression
from jwtgate.policy.expression import ExpressionAmbiguous, ExpressionFailed
from jwtgate.policy.rooms.claims import MISSING

KNOWN: dict[str, Any] = {
    "request": {"method": "GET", "path": "/o/joe", "path_parameters": {"id": "joe"}, "headers": {"x-a": "1"}},
    "token": {
        "access": {
            "sub": "joe",
            "level": 3,
            "ratio": 0.5,
            "ok": True,
            "none": None,
            "big": 2**63,
            "least": -(2**63),
            "groups": ["a", "b"],
            "realm": {"roles": ["r"]},
            "a.b": "dotted",
            "kinds": [1, "1", True],
        }
    },
    "consumer": {"name": "alice", "labels": {"tier": "gold"}},
    "permissions": ["read"],
    "now": 1_700_000_000,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("token.access.sub == request.path_parameters.id", True),
        ("token.access.sub == 'Joe'", False),
        ("token.access['a.b']", "dotted"),
        ("'read' in permissions && consumer.labels.tier == 'gold'", True),
        ("token.access.groups[1]", "b"),
        ("token.access.groups", ["a", "b"]),
        ("token.access.realm", {"roles": ["r"]}),
        ("size(token.access.groups) + 1", 3),
        ("token.access.level >= 2.5", True),
        ("token.access.none", None),
        ("has(token.access.sub) && !has(token.access.nobody)", True),
        ("token.access.nobody == 1 || true", True),
        ("token.access.groups.exists(x, x == 'b')", True),
        ("token.access.groups.map(x, 'g:' + x)", ["g:a", "g:b"]),
        ("token.access.sub.matches('o')", True),
        ("token.access.sub.matches('^o')", False),
        ("token.access.sub.matches('(?i)^JOE$')", True),
        ("token.access.groups.all(x, x.matches('[ab]'))", True),
        ("now - 5", 1_699_999_995),
        ("request.headers['x-a']", "1"),
        ("token.access.least < 0", True),
        ("{'a': [1, 2.5, true, null]}", {"a": [1, 2.5, True, None]}),
        ("token.access.sub.contains('o') ? 'yes' : 'no'", "yes"),
        ("int('12') + int(1.9)", 13),
    ],
)
def test_an_expression_has_a_value(text: str, value: object) -> None:
    found = CelExpression(text)(KNOWN)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "token.access.nobody",
        "token.nobody.sub == 'a'",
        "has(token.nobody.sub)",
        "has(token.access.sub.a)",
        "token.access.sub.a.b",
        "token.access.groups[2]",
        "token.access.sub[0]",
        "token.access.sub + 1",
        "token.access.level.startsWith('a')",
        "token.access.level.matches('3')",
        "token.access.kinds.exists_one(x, x.matches('1'))",
        "token.access.big == 1",
        "token.access",
        "1 / 0",
        "1.0 / 0.0",
        "9223372036854775807 + now",
        "b'abc'",
        "{1: 2}",
        "int('x')",
        "token.access.nobody && true",
        "!token.access.sub",
    ],
)
def test_sec_50_whatever_cannot_be_evaluated_fails(text: str) -> None:
    with pytest.raises(ExpressionFailed):
        CelExpression(text)(KNOWN)


@pytest.mark.parametrize("text", ["", "1 +", "'a", "token.", "a b", ")", "token.access.?sub", "`a`", "\ud800"])
def test_sec_50_what_is_no_expression_is_refused_while_loading(text: str) -> None:
    with pytest.raises(ValueError):
        CelExpression(text)


@pytest.mark.parametrize(
    "pattern", ["(", "a)(b", r"(a)\\1", "(?=a)", "((a{1,30}){1,30}){1,30}", "(a{1,30}){1,30}", "a" * 1001]
)
def test_sec_50_a_pattern_runs_in_linear_time_or_not_at_all(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        CelExpression(f"token.a.s.matches('{pattern}')")


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("token.a.l.exists(x, x == 'q')", 1_000),
        ("token.a.l.exists(x, token.a.l.exists(y, x == y && false))", 30),
        ("token.a.l.map(x, x)", 100),
        ("'q' in token.a.l", 2_000),
    ],
)
def test_sec_50_what_would_take_too_long_is_not_begun(text: str, most: int) -> None:
    expression = CelExpression(text)
    expression({"token": {"a": {"l": ["v"] * most}}})
    with pytest.raises(ExpressionFailed, match="too many values"):
        expression({"token": {"a": {"l": ["v"] * most * 20}}})


def test_sec_50_a_long_text_in_a_loop_counts_as_well() -> None:
    expression = CelExpression("token.a.l.all(x, !token.a.s.matches(' ' ))")
    assert expression({"token": {"a": {"l": ["v"] * 20, "s": "v"}}}) is True
    with pytest.raises(ExpressionFailed, match="too many values"):
        expression({"token": {"a": {"l": ["v"] * 20, "s": "v" * 16_000}}})


def test_a_value_that_is_nested_without_end_fails() -> None:
    value: list[Any] = []
    for _ in range(100):
        value = [value]
    with pytest.raises(ExpressionFailed):
        CelExpression("size(token.a.l)")({"token": {"a": {"l": value}}})


def test_only_what_is_named_is_looked_at() -> None:
    known = {**KNOWN, "token": {"access": {"sub": "joe", "huge": list(range(100_000)), "big": 2**80}}}
    assert CelExpression("token.access.sub == 'joe'")(known) is True


def test_an_expression_travels_as_its_text() -> None:
    expression = CelExpression("now > 5 && token.access.sub.matches('j')")
    copy = pickle.loads(pickle.dumps(expression))
    assert copy == expression
    assert hash(copy) == hash(expression)
    assert copy(KNOWN) is True
    assert repr(copy) == f"CelExpression({expression.text!r})"
    assert expression != CelExpression("now > 6")


def test_an_expression_is_compiled_once_for_all_that_write_it() -> None:
    expression = compiled_expression("now > 7")
    assert compiled_expression("now > 7") is expression
    assert pickle.loads(pickle.dumps(expression)) is expression


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
_TEXTS = [
    *("token.a == token.b", "token.a.b + token.a.c", "token.l.exists(x, x == token.a)", "has(token.a.b)", "token.a[0]"),
    *("token.a.matches('a*')", "string(token.a)", "token.l.map(x, x + x)", "token.a in token.l", "size(token) < now"),
    *("int(token.a) % int(token.b)", "token.a ? token.b : token.c", "uint(token.a)", "-token.a", "token.a < token.b"),
]


@settings(max_examples=300)
@given(st.sampled_from([CelExpression(text) for text in _TEXTS]), st.dictionaries(st.sampled_from("abcl"), _JSON))
def test_sec_50_any_values_give_json_or_a_failure(expression: CelExpression, token: dict[str, Any]) -> None:
    try:
        value = expression({"token": token, "now": 1})
    except ExpressionFailed:
        return
    assert value is None or isinstance(value, bool | int | float | str | list | dict)


def test_an_expression_tells_what_it_looks_at() -> None:
    looked_at = CelExpression("has(token.a.sub) && request.headers['x-t'] == token.a.sub ? now : 1").paths
    assert set(looked_at) == {("token", "a", "sub"), ("request", "headers", "x-t"), ("now",)}
    assert CelExpression("1 < 2").paths == ()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("has(request.query.admin)", True),
        ("'admin' in request.query", True),
        ("!('admin' in request['query'])", False),
        ("request.query.size() == 1", True),
        ("request.query.admin != '1'", None),
        ("!has(request.query.admin) || request.query.admin != '1'", None),
    ],
)
def test_sec_50_what_is_sent_several_times_is_there_and_has_no_value(text: str, holds: bool | None) -> None:
    """Else whoever sends something twice would pass for somebody who did not send it."""
    known = {"request": {"query": {"admin": MISSING}}}
    if holds is None:
        with pytest.raises(ExpressionAmbiguous):
            CelExpression(text)(known)
        return
    assert CelExpression(text)(known) is holds


def test_sec_50_what_is_not_sent_is_not_what_is_sent_several_times() -> None:
    with pytest.raises(ExpressionFailed) as failure:
        CelExpression("request.query.admin != '1'")({"request": {"query": {}}})
    assert not isinstance(failure.value, ExpressionAmbiguous)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("token.a.team == 'x'", "names something that is not there, or of another type"),
        ("request.method > 1", "names something that is not there, or of another type"),
        ("[1][size(request.path)]", "names an element that is not in the list"),
        ("1 / (size(request.path) - 6) == 1", "divides by zero"),
        ("size(request.path) + 9223372036854775807 > 1", "makes a number that is too large"),
    ],
)
def test_an_expression_that_fails_says_why_in_words(text: str, cause: str) -> None:
    with pytest.raises(ExpressionFailed) as failure:
        CelExpression(text)({**KNOWN, "token": {"a": {}}})
    assert str(failure.value) == cause
