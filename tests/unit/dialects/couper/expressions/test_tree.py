from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.couper.expressions.tree import MOST_CHARACTERS, Unreadable, members_of, path_of, pieces_of, read


def without_places(node: Any) -> Any:
    if not isinstance(node, tuple):
        return node
    if len(node) > 1 and isinstance(node[0], str) and isinstance(node[1], tuple) and len(node) > 2:
        return (node[0], *(without_places(part) for part in node[2:]))
    return tuple(without_places(part) for part in node)


A, B, C = ("name", "a"), ("name", "b"), ("name", "c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", ("+", A, ("*", B, C))),
        ("a - b - c", ("-", ("-", A, B), C)),
        ("a || b && c", ("||", A, ("&&", B, C))),
        ("a == b || c", ("||", ("==", A, B), C)),
        ("!a && -b < c", ("&&", ("not", A), ("<", ("minus", B), C))),
        ("a ? b : c", ("choice", A, B, C)),
        ("(a + b) * c", ("*", ("+", A, B), C)),
        ("a.b[0].c", ("attribute", ("index", ("attribute", A, "b"), ("constant", 0)), "c")),
        ("a[b]", ("index", A, B)),
        ("a.0", ("index", A, ("constant", 0))),
        ("a[*].b[0]", ("splat", A, (("attribute", "b"), ("index", ("constant", 0))), ())),
        ("a.*.b[0]", ("splat", A, (("attribute", "b"),), (("index", ("constant", 0)),))),
        ("[a, b,]", ("list", (A, B))),
        ('{a = b, "b": c, (c) = a}', ("object", ((("constant", "a"), B), (("constant", "b"), C), (C, A)))),
        ("{null = a\n for = b}", ("object", ((("constant", "null"), A), (("constant", "for"), B)))),
        ("a(b, c...)", ("call", "a", (B, C), True)),
        ("a()", ("call", "a", (), False)),
        ("[for a in b : a if c]", ("each", (None, "a"), B, None, A, C, False)),
        ("{for a, b in c : a => b...}", ("each", ("a", "b"), C, A, B, None, True)),
        ('"${a}"', ("alone", A)),
        ('"x${a}y"', ("text", (("constant", "x"), A, ("constant", "y")))),
        ('"$${a} 100%"', ("constant", "${a} 100%")),
        ('"\\u00e9\\n\\"\\\\"', ("constant", 'é\n"\\')),
        ("a # a comment\n  + b // another", ("+", A, B)),
    ],
)
def test_an_expression_has_one_tree(text: str, tree: object) -> None:
    assert without_places(read(text)) == tree


@pytest.mark.parametrize(
    ("text", "number"), [("2-15", -13), ("-15", -15), ("1.5e3", 1500), ("a()-60", 60), ("12345678901234567890", None)]
)
def test_a_number_after_a_value_is_subtracted(text: str, number: int | None) -> None:
    node = read(text)
    if text == "2-15":
        assert without_places(node) == ("-", ("constant", 2), ("constant", 15))
    elif text == "a()-60":
        assert without_places(node) == ("-", ("call", "a", (), False), ("constant", 60))
    else:
        assert node[2] == (int(text) if number is None else number)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<<E\na\n  b\nE", "a\n  b\n"),
        ("<<-E\n    a\n      b\n\n    E", "a\n  b\n\n"),
        ("<<-E\n\ta\n\tE", "a\n"),
        ("<<E\r\na\r\nE", "a\n"),
        ("<<E\nE", ""),
        ('<<E\na\\n"b" $${c}\nE', 'a\\n"b" ${c}\n'),
    ],
)
def test_a_heredoc_is_the_text_of_its_lines(text: str, value: str) -> None:
    assert without_places(read(text)) == ("constant", value)


def test_an_interpolation_in_a_heredoc_may_hold_brackets_and_quotes() -> None:
    tree = read('\n\n<<E\na ${f("}${b}", {a = "${c}"})}\nE')
    call = ("call", "f", (("text", (("constant", "}"), B)), ("object", ((("constant", "a"), ("alone", C)),))), False)
    assert without_places(tree) == ("text", (("constant", "a "), call, ("constant", "\n")))
    assert tree[2][1][1] == (3, 1)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a +", (1, 4)),
        ("a b", (1, 3)),
        ("{a = b\n c +}", (2, 4)),
        ("a = b", (1, 3)),
        ("1)\nb = (2", (1, 1)),
        ('"%{ if a }b%{ endif }"', (1, 2)),
        ("<<E\n%{ if a }\nE", (1, 1)),
        ("<<E\n${a\nE", (1, 1)),
        ('"\\q"', (1, 2)),
        ('"\\ud800"', (1, 2)),
        ("1" * 400 + ".5", (1, 1)),
        ("", (1, 1)),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(Unreadable, match=f"^line {place[0]}, column"):
        read(text)


def test_an_expression_has_limits() -> None:
    with pytest.raises(Unreadable, match="longer than"):
        read('"' + "a" * MOST_CHARACTERS + '"')
    for text in ("(" * 500 + "a" + ")" * 500, " + ".join("a" * 500), "!" + "[" * 300 + "]" * 300):
        with pytest.raises(Unreadable, match="nested too deeply"):
            read(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a", ())),
        ('a.b["c-d"][0]', ("a", ("b", "c-d", 0))),
        ("a[b]", (None, ())),
        ("a[true]", (None, ())),
        ("f().a", (None, ())),
    ],
)
def test_a_path_is_what_is_written_out(text: str, path: object) -> None:
    assert path_of(read(text)) == path


def test_the_members_of_an_object_have_their_own_texts() -> None:
    text = '({a = "x${y}", "b-c" : f(1,\n 2)\n d = {e = 1} # comment\n if = <<E\nz\nE\n })'
    assert members_of(text) == {
        "a": '"x${y}"',
        "b-c": "f(1,\n 2)",
        "d": "{e = 1}",
        "if": "<<E\nz\nE\n",
    }
    for member in (members_of(text) or {}).values():
        read(member)


@pytest.mark.parametrize("text", ["merge({a = 1})", "a", "{(a) = 1}", "{for a in b : a => a}", '{"${a}" = 1}'])
def test_what_has_no_fixed_names_has_no_members(text: str) -> None:
    assert members_of(text) is None


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ('"a${b}$${c}${ d["e"] }"', ((True, "a"), (False, "b"), (True, "${c}"), (False, 'd["e"]'))),
        ('("x\\n")', ((True, "x\n"),)),
        ('"${a}"', ((False, "a"),)),
        ("a.b", ((False, "a.b"),)),
        ('""', ()),
    ],
)
def test_a_quoted_template_has_pieces(text: str, pieces: Any) -> None:
    assert pieces_of(text) == pieces
