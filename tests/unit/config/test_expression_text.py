"""The text of an expression: what it looks at, and what may not stand in it."""

from __future__ import annotations

import ast

import pytest

from jwtgate.config.expression_text import LIMIT_BYTES, Leaf, Reading, read_expression


def read(text: str) -> Reading:
    return read_expression(text, ast.literal_eval)


@pytest.mark.parametrize(
    ("text", "written", "paths"),
    [
        ("token.access.sub == 'a'", "_0 == 'a'", [("token", "access", "sub")]),
        ("token.access['a.b'].c[0]", "_0", [("token", "access", "a.b", "c", 0)]),
        ("now - token.a.iat", "_0 - _1", [("now",), ("token", "a", "iat")]),
        ("size(permissions) + size(permissions)", "size(_0) + size(_0)", [("permissions",)]),
        ("token.a.l[now]", "_0[_1]", [("token", "a", "l"), ("now",)]),
        ("token.a.l[-1]", "_0[-1]", [("token", "a", "l")]),
        ("token.a.sub.startsWith('x')", "_0.startsWith('x')", [("token", "a", "sub")]),
        ("now.exists(x, x.a == request.path)", "_0.exists(x, x.a == _1)", [("now",), ("request", "path")]),
        ("'token.a' == \"now\" // now", "'token.a' == \"now\" // now", []),
        ("r'\\' + now.x", "r'\\' + _0", [("now", "x")]),
        ("'''a'now''' == now", "'''a'now''' == _0", [("now",)]),
        ("{'a': now}.a", "{'a': _0}.a", [("now",)]),
        ("'a' in [now]", "'a' in [_0]", [("now",)]),
    ],
)  # fmt: skip
def test_a_path_becomes_one_name(text: str, written: str, paths: list[tuple[str | int, ...]]) -> None:
    found = read(text)
    assert found.text == written
    assert [leaf.path for leaf in found.leaves] == paths


def test_presence_is_a_value_of_its_own() -> None:
    found = read("has(token.a.b) && token.a.b == 1 && !has(token.a.b)")
    assert found.text == "_0 && _1 == 1 && !_0"
    assert found.leaves == [Leaf("_0", ("token", "a", "b"), True), Leaf("_1", ("token", "a", "b"), False)]
    assert read("permissions.exists(x, has(x.y))").text == "_0.exists(x, has(x.y))"


def test_a_pattern_is_written_out_and_matched_by_us() -> None:
    found = read("token.a.s.matches('^a') || token.a.l.exists(x, x.matches('b'))")
    assert found.text == "_0._matches('^a') || _1.exists(x, x._matches('b'))"
    assert found.patterns == ["^a", "b"]
    assert [loop.matches for loop in found.loops] == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tokn.a", "names tokn; there are request, token, consumer, permissions, calls, now"),
        ("_0", "names _0;"),
        ("true && nobody", "names nobody;"),
        ("size(x)", "names x;"),
        ("has(x.y)", "names x;"),
        ("timestamp('x')", "calls timestamp, which is no function here"),
        ("now()", "calls now, which is no function here"),
        ("token.a.s.split(',')", "calls .split, which is no function here"),
        ("token.a.s._matches('a')", "calls ._matches, which is no function here"),
        ("optional.of(1)", "names optional;|calls .of"),
        ("token.a.s.matches(token.a.p)", "matches needs its pattern written out"),
        ("token.a.s.matches('a' + 'b')", "matches needs its pattern written out"),
        ("token.a.l.exists(token, true)", "the name token is taken"),
        ("token.a.l.exists(x, x.exists(x, true))", "the name x is taken"),
        ("token.a.l.exists(true)", "exists needs a name for each element first"),
        ("token.a.l.all('x', true)", "all needs a name for each element first"),
        ("permissions.map(x, [x, x])", "may hold constants only"),
        ("permissions.map(x, {'a': now})", "may hold constants only"),
    ],
)
def test_sec_50_nothing_else_can_be_named_or_called(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "1 == 1" + " " * LIMIT_BYTES,
        "(" * 17 + "1" + ")" * 17,
        "[" * 17 + "]" * 17,
        "permissions.all(a, permissions.all(b, permissions.all(c, true)))",
        "permissions" + ".map(x, x)" * 9,
        "+".join(["now"] * 18),
    ],
)
def test_sec_50_an_expression_is_bounded(text: str) -> None:
    with pytest.raises(ValueError, match=r"longer than|nested too deeply|uses more than|adds more than"):
        read(text)


def test_what_is_just_within_the_bounds_is_taken() -> None:
    read("(" * 16 + "now" + ")" * 16)
    read("permissions.all(a, permissions.all(b, a in ['x', 'y'] || b == a))")
    read("permissions" + ".map(x, x)" * 8)
    read("+".join(["now"] * 17))


def test_what_stands_in_a_loop_is_counted_there() -> None:
    found = read("permissions.filter(x, x == now).exists(y, y in [1, 2, 3])")
    outer, inner, _ = found.loops
    assert (outer.leaves, inner.leaves) == (1, 1)
    assert (outer.lists, inner.lists) == (1, 0)
    assert found.commas == 2
    assert inner.pieces > outer.pieces > 0


def test_brackets_that_do_not_fit_are_left_to_the_engine() -> None:
    assert read(")]} now").text == ")]} _0"
