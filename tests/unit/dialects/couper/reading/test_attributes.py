from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import block_of, context_of, words_of

from jwtgate.dialects.couper.reading.attributes import Attributes, table_of_lists, within
from jwtgate.dialects.couper.reading.configuration import Place


def attributes_of(text: str, **environ: str) -> Attributes:
    return Attributes(block_of(text), context_of(environ=environ))


def said_of(attributes: Attributes) -> tuple[str, ...]:
    return words_of(attributes.mistakes.error())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('"a"', "a"),
        ("1", "1"),
        ("1.5", "1.5"),
        ("true", "true"),
        ('"a${env.X}"', "ab"),
        ("env.X", "b"),
        ("env.Y", None),
    ],
)
def test_a_text_may_be_a_number_or_come_from_the_environment(source: str, text: str | None) -> None:
    attributes = attributes_of(f"a = {source}\n", X="b")
    assert attributes.string("a") == text
    assert not attributes.mistakes


def test_nothing_null_and_an_empty_text_are_not_set() -> None:
    attributes = attributes_of('a = null\nb = ""\nc = env.X\nd = "x"\n')
    assert [name for name in "abcde" if attributes.is_set(name)] == ["d"]
    assert [attributes.string(name) for name in "abc"] == [None, None, None]


def test_lists_numbers_and_truths_are_converted_as_hcl_does() -> None:
    attributes = attributes_of('a = ["x", 1]\nb = "true"\nc = "5"\nd = [200, "204"]\ne = { x = ["y"] }\nf = false\n')
    assert attributes.strings("a") == ("x", "1")
    assert attributes.boolean("b") is True
    assert attributes.boolean("f") is False
    assert attributes.boolean("missing") is False
    assert attributes.number("c") == 5
    assert attributes.statuses("d") == (200, 204)
    assert attributes.table("e") == {"x": ("y",)}
    assert attributes_of('a = { x = "y", z = 1 }\n').texts("a") == {"x": "y", "z": "1"}
    assert not attributes.mistakes


def test_a_value_of_another_type_is_told_once_and_is_as_if_not_written() -> None:
    attributes = attributes_of('a = ["x"]\nb = "x"\nc = []\nd = [1.5]\ne = { x = 1 }\nf = {}\n')
    assert attributes.string("a") is None
    assert attributes.string("a") is None
    assert attributes.strings("b") is None
    assert attributes.boolean("c") is False
    assert attributes.statuses("d") == ()
    assert attributes.table("e") is None
    assert attributes.number("f") is None
    assert said_of(attributes) == (
        "couper.hcl:1,5-10: Unsuitable value type for a; string required",
        "couper.hcl:2,5-8: Unsuitable value type for b; list of strings required",
        "couper.hcl:3,5-7: Unsuitable value type for c; bool required",
        "couper.hcl:4,5-10: Unsuitable value type for d; list of whole numbers required",
        "couper.hcl:5,5-14: Unsuitable value type for e; map of lists of strings required",
        "couper.hcl:6,5-7: Unsuitable value type for f; number required",
    )


def test_what_only_a_request_could_tell_is_refused_at_its_place() -> None:
    attributes = attributes_of("a = [1,\n  request.path]\n")
    assert attributes.strings("a") is None
    assert attributes.is_set("a")
    assert not attributes.is_readable("a")
    (problem,) = said_of(attributes)
    assert problem.startswith("couper.hcl:2,")
    assert "Unsuitable value for a" in problem


def test_a_text_of_the_request_keeps_its_source() -> None:
    attributes = attributes_of("a = request.path\n")
    text = attributes.text("a")
    assert text is not None
    assert (text.source, str(text.place)) == ("request.path", "couper.hcl:1,5-17")
    assert attributes.text("b") is None
    assert not attributes.mistakes


def test_a_variable_is_told_where_it_is_all_there_is_and_really_set() -> None:
    attributes = attributes_of('a = env.X\nb = "${env.X}"\nc = "a${env.X}"\nd = env.Y\n', X="x")
    assert [attributes.variable(name) for name in "abcde"] == ["X", "X", None, None, None]


def test_durations_are_seconds_and_a_wrong_one_is_told_with_the_label() -> None:
    attributes = attributes_of('a = "1m"\nb = "x"\nc = "-1s"\nd = ""\n')
    assert attributes.duration("a", label="J") == 60
    assert attributes.duration("b", label="J") is None
    assert attributes.duration("e", label="J") is None
    assert attributes.positive_duration("e", label="J", default=3.0) == 3
    assert attributes.positive_duration("a", label="J", default=3.0) == 60
    attributes.positive_duration("c", label="J", default=3.0)
    assert attributes.required_duration("d", label="J") is None
    assert attributes.required_duration("e", label="J") is None
    assert said_of(attributes) == (
        'configuration error: J: time: invalid duration "x"',
        "configuration error: J: c: cannot be negative: '-1s'",
        'configuration error: J: time: invalid duration ""',
    )


def test_paths_are_absolute_and_modifiers_are_texts() -> None:
    attributes = attributes_of('a = "x/y"\nset_response_headers = { x = request.path }\n')
    assert attributes.path("a") == Path("/nowhere/x/y")
    assert attributes.path("b") is None
    edits = attributes.edits()
    assert edits.set_response_headers is not None
    assert edits.set_response_headers.source == "{ x = request.path }"
    assert edits.add_response_headers is None


def test_a_file_that_holds_no_text_is_told_with_the_label(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("ü")
    (tmp_path / "bad").write_bytes(b"\xff")
    attributes = Attributes(block_of('a = "good"\nb = "bad"\nc = "none"\n'), context_of(tmp_path))
    found = [attributes.text_file(name, label="J") for name in "abcd"]
    assert found == [tmp_path / "good", None, None, None]
    assert said_of(attributes) == (
        "configuration error: J: b: read error: invalid file content",
        f"configuration error: J: c: read error: open {tmp_path}/none: no such file or directory",
    )


def test_a_place_in_a_text_is_one_in_its_file() -> None:
    place = Place("f", 3, 10, 5, 1)
    assert str(within(place, (1, 2))) == "f:3,11-12"
    assert str(within(place, (2, 2))) == "f:4,2-3"


@pytest.mark.parametrize("said", [[], "x", {"a": "b"}, {"a": [[]]}, {"a": [None]}])
def test_only_an_object_of_lists_of_texts_is_a_table(said: object) -> None:
    with pytest.raises(TypeError):
        table_of_lists(said)


def test_a_variable_that_is_not_set_is_told_unless_there_is_something_else_instead() -> None:
    attributes = attributes_of('a = env.Y\nb = "${env.X}"\nc = default(env.Z, "c")\nd = "myenv.Z"\n', X="x")
    for name in "aabcd":
        attributes.text(name)
    told = "couper.hcl:1 a: env.Y is not set; it is null"
    assert attributes.context.warnings == [told]
    assert not attributes.mistakes
    attributes.mistakes.whole("wrong", place=Place("couper.hcl", 1, 1, 1, 1))
    assert said_of(attributes) == ("configuration error: wrong", told)
