import json

from jwtgate.cli.answer import json_text, mistakes, table, token_name, visible


def test_sec_144_control_characters_are_shown_as_escapes() -> None:
    assert visible("a\x1b[31m\r\nb\x9b\u202e") == "a\\x1b[31m\\r\\nb\\x9b\\u202e"


def test_ordinary_text_stays_as_it_is() -> None:
    assert visible("café 7 §") == "café 7 §"


def test_sec_144_json_is_printed_without_raw_control_characters_and_stays_the_same_value() -> None:
    value = {"a": "\x1b[31m\x9b\u202e\n", "b": [1, "é"]}
    text = json_text(value)
    assert json.loads(text) == value
    assert text.replace("\n", "").isprintable()
    assert "é" in text


def test_sec_35_the_name_of_a_token_is_the_start_of_its_digest() -> None:
    assert token_name("abc") == "token ba7816bf (3 characters)"


def test_every_problem_is_a_line_and_an_entry() -> None:
    answer = mistakes(["one", "two\x1b"])
    assert [line.partition(" ")[2] for line in answer.text.splitlines()] == ["one", "two\\x1b"]
    assert answer.value == {"good": False, "problems": ["one", "two\x1b"]}
    assert not answer.good


def test_columns_are_as_wide_as_their_widest_cell_and_lines_have_no_end_of_blanks() -> None:
    lines = table(("a", "b"), [("long cell", "x"), ("s", "")]).splitlines()
    assert lines == ["\x1b[1ma          b\x1b[0m", "long cell  x", "s"]
