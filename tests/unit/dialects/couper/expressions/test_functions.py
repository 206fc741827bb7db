from __future__ import annotations

import pytest

from jwtgate.dialects.couper.expressions.functions import PURE, REFUSED, json_text, parsed
from jwtgate.policy.expression import ExpressionFailed

OBJECTS = ({"a": {"b": 1, "x": 1}, "k": 1}, None, {"a": {"c": [1], "x": None}, "k": "text"}, {"a": {"c": [2]}})


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("base64_encode", ("hü",), "aMO8"),
        ("base64_decode", ("aMO8",), "hü"),
        ("contains", (["a", {"b": 1}], {"b": 1.0}), True),
        ("contains", ([1], "1"), False),
        ("join", ("-", ["a", 1], [True]), "a-1-true"),
        ("join", ("-",), ""),
        ("json_decode", ('{"a": [1, null]}',), {"a": [1, None]}),
        ("json_encode", ({"b": [1.0, "<&>"], "a": None},), '{"a":null,"b":[1,"\\u003c\\u0026\\u003e"]}'),
        ("json_encode", (None,), "null"),
        ("keys", ({"b": 1, "a": 2},), ["a", "b"]),
        ("length", ([1, 2],), 2),
        ("length", ({"a": 1},), 1),
        ("lookup", ({"a": 1}, "a", 2), 1),
        ("lookup", ({"a": None}, "a", 2), None),
        ("lookup", ({"a": 1}, "b", 2), 2),
        ("lookup", (None, "b", 2), 2),
        ("merge", (), None),
        ("merge", (None, None), None),
        ("merge", OBJECTS, {"a": {"b": 1, "c": [1, 2]}, "k": "text"}),
        ("merge", ([1], [2, [3]]), [1, 2, [3]]),
        ("merge", ({"a": 1}, {"a": {"b": None, "c": 1}}), {"a": {"c": 1}}),
        ("relative_url", ("https://h:1/a%20b?c=d#e",), "/a%20b?c=d#e"),
        ("relative_url", ("http://h",), "/"),
        ("relative_url", ("//h/a",), "/a"),
        ("relative_url", ("/a?b",), "/a?b"),
        ("relative_url", ("/\\other.example/a",), "/%5Cother.example/a"),
        ("relative_url", ("https://h//other.example/a",), "/other.example/a"),
        ("set_intersection", (["b", "a", "a"], ["a", "b"]), ["a", "b"]),
        ("set_intersection", ([1, "1"], ["1"]), ["1"]),
        ("set_intersection", ([True],), [True]),
        ("split", (",", "a,,b"), ["a", "", "b"]),
        ("split", ("", "ab"), ["a", "b"]),
        ("substr", ("hello", 1, 3), "ell"),
        ("substr", ("hello", -3, -1), "llo"),
        ("substr", ("hello", -9, 2), "he"),
        ("substr", ("hello", 9, 2), ""),
        ("substr", ("hello", 0, 0), ""),
        ("to_lower", ("ÄB",), "äb"),
        ("to_number", ("12.50",), 12.5),
        ("to_number", (None,), None),
        ("to_upper", ("the_Audience",), "THE_AUDIENCE"),
        ("trim", (" \t\na b\r\n ",), "a b"),
        ("url_decode", ("a%20b+%C3%BC",), "a b+ü"),
        ("url_encode", ("a b/ü?~-._",), "a%20b%2F%C3%BC%3F~-._"),
    ],
)
def test_a_function_gives_what_couper_gives(name: str, arguments: tuple[object, ...], result: object) -> None:
    function = PURE[name]
    assert function.takes(len(arguments))
    assert function.call(*arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("base64_encode", (None,)),
        ("base64_decode", ("a",)),
        ("base64_decode", ("_w==",)),
        ("base64_decode", ("/w==",)),
        ("contains", ("abc", "a")),
        ("join", (",", ["a", None])),
        ("join", (",", "a")),
        ("json_decode", ("{",)),
        ("json_decode", ('{"a":1,"a":2}',)),
        ("json_decode", ("[" * 100 + "]" * 100,)),
        ("keys", ([1],)),
        ("length", ("abc",)),
        ("length", (None,)),
        ("lookup", ([], "a", 1)),
        ("lookup", ({}, None, 1)),
        ("merge", ({}, [])),
        ("merge", ("a",)),
        ("relative_url", ("a/b",)),
        ("relative_url", ("ftp://h/a",)),
        ("relative_url", ("http:///a",)),
        ("set_intersection", (["a"], "a")),
        ("split", (",", None)),
        ("substr", ("a", 0.5, 1)),
        ("substr", ("a", "x", 1)),
        ("to_lower", ([],)),
        ("to_number", ("a",)),
        ("to_number", (True,)),
        ("trim", (None,)),
        ("url_decode", ("%2",)),
        ("url_decode", ("%zz",)),
        ("url_encode", ({},)),
    ],
)
def test_what_a_function_cannot_take_fails(name: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(ExpressionFailed):
        PURE[name].call(*arguments)


def test_merging_changes_none_of_its_arguments() -> None:
    one = {"a": {"b": 1}, "c": [1]}
    PURE["merge"].call(one, {"a": {"d": 2}, "c": [2]}, {"a": None})
    assert one == {"a": {"b": 1}, "c": [1]}


def test_json_is_sorted_at_every_level_and_escaped_for_html() -> None:
    assert json_text({"b": {"d": 1e21, "c": "\u2028é"}, "<": 0.5}) == (
        '{"\\u003c":0.5,"b":{"c":"\\u2028é","d":1000000000000000000000}}'
    )


def test_a_json_text_is_read_strictly() -> None:
    assert parsed(b'{"a": 1}') == {"a": 1}
    for text in (b"", b"{", b"NaN", b'{"a":1} x', b"\xff"):
        with pytest.raises(ValueError):
            parsed(text)


def test_what_is_refused_by_name_is_no_function() -> None:
    assert not REFUSED & PURE.keys()
