from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.couper.expressions.evaluating import value_of
from tests.unit.policy.plans import known, request

from jwtgate.policy.expression import ExpressionFailed


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('[for v in ["a", "b"] : "${v}!"]', ["a!", "b!"]),
        ('[for i, v in ["a", "b"] : "${i}${v}"]', ["0a", "1b"]),
        ("[for k, v in {b = 1, a = 2} : [k, v]]", [["a", 2], ["b", 1]]),
        ("[for v in [1, 2, 3] : v if v > 1]", [2, 3]),
        ("{for k, v in {a = 1, b = 2} : k => v * 2}", {"a": 2, "b": 4}),
        ("{for v in [1, 2] : v => true}", {"1": True, "2": True}),
        ('{for v in ["a", "b", "aa"] : substr(v, 0, 1) => v...}', {"a": ["a", "aa"], "b": ["b"]}),
        ("[for v in [1, 2] : [for w in [10, 20] : v + w]]", [[11, 21], [12, 22]]),
        ("[for v in [1] : [for v in [2] : v][0] + v]", [3]),
        ("[for env in [{a = 1}] : env.a]", [1]),
        ("[]", []),
        ("[for v in [] : v]", []),
    ],
)
def test_something_is_made_of_each_element(text: str, result: object) -> None:
    assert value_of(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "[for v in null : v]",
        '[for v in "ab" : v]',
        "{for v in [1, 1] : v => v}",
        "{for v in [null] : v => v}",
        "[for v in [1] : v if null]",
    ],
)
def test_a_loop_over_what_is_none_fails(text: str) -> None:
    with pytest.raises(ExpressionFailed):
        value_of(text)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("[{a = 1}, {a = 2}, {}][*].a", [1, 2, None]),
        ("[{a = [1, 2]}, {a = [3]}][*].a[0]", [1, 3]),
        ("[{a = [1, 2]}, {a = [3]}].*.a[0]", [1, 2]),
        ("{a = 1}[*].a", [1]),
        ("null[*].a", []),
        ("request.query.none[*].a", []),
        ("[1, 2][*]", [1, 2]),
    ],
)
def test_a_splat_takes_the_same_step_from_each_element(text: str, result: object) -> None:
    assert value_of(text) == result


def test_a_loop_has_only_so_many_turns() -> None:
    many = "x" + "&x" * 400
    here = known(view=request(query=many))
    twice = "[for a in request.query.x : [for b in request.query.x : b]]"
    with pytest.raises(ExpressionFailed, match="too much work"):
        value_of(twice, here)
    assert len(value_of("[for a in request.query.x : a]", here)) == 401


def test_what_loops_make_cannot_grow_without_end() -> None:
    doubled: str = "v"
    for _ in range(40):
        doubled = f"[for v in [[v, v]] : {doubled}]"
    for text in (f'[for v in ["{"x" * 100}"] : {doubled}]', f'json_encode([for v in ["a"] : {doubled}])'):
        with pytest.raises(ExpressionFailed, match="too much work"):
            value_of(text)


def test_a_text_cannot_grow_without_end() -> None:
    longer: str = "v"
    for _ in range(20):
        longer = f'[for v in ["${{v}}${{v}}${{v}}"] : {longer}][0]'
    with pytest.raises(ExpressionFailed, match="too much work"):
        value_of(f'[for v in ["xx"] : {longer}]')


@pytest.mark.parametrize(
    "text", ['join("{x}", [for v in request.query.x : v])', "set_intersection(request.query.x, request.query.x)"]
)
def test_a_function_whose_work_is_a_product_is_bounded(text: str) -> None:
    long = "y" * 20_000
    here: Any = known(view=request(query="&".join(f"x={n}" for n in range(3_000))))
    with pytest.raises(ExpressionFailed, match="too much work"):
        value_of(text.replace("{x}", long), here)
