from __future__ import annotations

from jwtgate.dialects.couper.reading.configuration import Place
from jwtgate.dialects.couper.reading.mistakes import Mistakes


def place(line: int, column: int = 1) -> Place:
    return Place("couper.hcl", line, column, line, column + 3)


def test_a_mistake_at_a_place_begins_with_it_and_ends_with_its_detail() -> None:
    mistakes = Mistakes()
    mistakes.at(place(2, 5), "missing label")
    mistakes.at(place(3), "Unsupported argument", detail="Not here.")
    assert mistakes.error().problems == (
        "couper.hcl:2,5-8: missing label; ",
        "couper.hcl:3,1-4: Unsupported argument; Not here.",
    )


def test_a_mistake_of_a_block_has_its_place_and_label_and_one_of_the_whole_no_label() -> None:
    mistakes = Mistakes()
    mistakes.of("J", "missing roles_map", place=place(1))
    mistakes.whole("missing 'server' block", place=place(2))
    assert mistakes.error().problems == (
        "couper.hcl:1,1-4: configuration error: J: missing roles_map",
        "couper.hcl:2,1-4: configuration error: missing 'server' block",
    )


def test_all_are_told_once_and_in_the_order_of_their_places() -> None:
    mistakes = Mistakes()
    assert not mistakes
    mistakes.of("later", "wrong", place=place(9))
    mistakes.of("first", "wrong", place=place(1))
    mistakes.of("later", "wrong", place=place(9))
    assert mistakes
    assert [problem.split(": ")[2] for problem in mistakes.error().problems] == ["first", "later"]
