from __future__ import annotations

import pytest

from jwtgate.dialects.couper.reading.hcl import SyntaxProblem, parse_body, parse_expression


def test_the_tree_of_a_file_is_its_body() -> None:
    kinds = [child.data for child in parse_body('a = 1\nserver "x" {}\n').children]
    assert [kind for kind in kinds if kind != "new_line_or_comment"] == ["attribute", "block"]


def test_every_kind_of_comment_is_passed_over() -> None:
    body = parse_body("# one\n// two\n/* three\n   four */\na = 1 # five\n")
    assert [child.data for child in body.children].count("attribute") == 1


def test_a_number_behind_a_value_is_subtracted_from_it() -> None:
    assert parse_expression("unixtime()-60").data == "expr_term"
    assert parse_body("a = 2-15\n").children[0].data == "attribute"


@pytest.mark.parametrize(
    ("text", "line", "column", "detail"),
    [
        ("server {\n a = \n}", 2, 6, "Unexpected end of the line."),
        ("server {", 1, 9, "The { in line 1 is not closed."),
        ('server {\n api {\n a = "{" # }\n }\n', 5, 1, "The { in line 1 is not closed."),
        ("a = [1, (2), {}", 1, 16, "The [ in line 1 is not closed."),
        ("a = 1 ?", 1, 8, ""),
        ("server {}\n}", 2, 1, "Unexpected }."),
        ('a = "b', 1, 7, 'The " in line 1 is not closed.'),
        ("\x00", 1, 1, "Unexpected character."),
    ],
)
def test_a_text_that_is_no_hcl_is_refused_with_its_place(text: str, line: int, column: int, detail: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_body(text)
    assert (caught.value.line, caught.value.column, caught.value.detail) == (line, column, detail)


def test_a_secret_between_wrong_quotes_is_not_told() -> None:
    with pytest.raises(SyntaxProblem, match="Invalid expression or block") as caught:
        parse_body("key = 's3cret'\n")
    assert caught.value.detail == "Unexpected '."


def test_an_expression_may_have_several_lines() -> None:
    assert parse_expression("a\n  ? 1\n  : 2").data == "expr_term"


@pytest.mark.parametrize(
    ("text", "line", "column"), [("1 +", 1, 4), ("a)\nb = (c", 1, 1), ("[1,\n 2", 2, 3), ("", 1, 1)]
)
def test_what_is_no_expression_is_refused_with_the_place_in_its_text(text: str, line: int, column: int) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        parse_expression(text)
    assert (caught.value.line, caught.value.column) == (line, column)
