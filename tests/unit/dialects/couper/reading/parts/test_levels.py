from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import FOLDER, block_of, context_of

from jwtgate.dialects.couper.reading.attributes import Attributes
from jwtgate.dialects.couper.reading.configuration import Cors, ErrorHandlers, Place
from jwtgate.dialects.couper.reading.parts.levels import Level, below, joined

LABELS = frozenset("ABC")


def level_of(above: Level, text: str, *, path: str = "", cors: Cors | None = None, folder: Path = FOLDER) -> Level:
    attributes = Attributes(block_of(text), context_of(folder))
    found = below(above, attributes, label="x", path=path, handlers=ErrorHandlers(), cors=cors, labels=LABELS)
    assert not attributes.mistakes
    return found


@pytest.mark.parametrize(
    ("lists", "wanted"),
    [
        ((["A"], ["B"], ["C"]), "ABC"),
        ((["B"], ["A", "B"], ["A"]), "BA"),
        (([], [], []), ""),
    ],
)
def test_access_controls_are_joined_in_order_each_once(lists: tuple[list[str], ...], wanted: str) -> None:
    level = Level()
    for each in lists:
        level = level_of(level, f"access_control = {each}\n".replace("'", '"'))
    assert level.access_control == tuple(wanted)


def test_a_disabled_one_does_not_hold_there_or_below_but_where_it_is_asked_again() -> None:
    server = level_of(Level(), 'access_control = ["A", "B"]\n')
    api = level_of(server, 'access_control = ["C"]\n disable_access_control = ["A", "C"]\n')
    assert (server.access_control, api.access_control) == (("A", "B"), ("B",))
    assert level_of(api, "").access_control == ("B",)
    assert level_of(api, 'access_control = ["A"]\n').access_control == ("B", "A")


def test_a_label_nobody_has_is_told_at_its_place() -> None:
    attributes = Attributes(block_of('access_control = ["X"]\ndisable_access_control = ["Y", "A"]\n'), context_of())
    below(Level(), attributes, label="x", path="", handlers=ErrorHandlers(), cors=None, labels=LABELS)
    assert attributes.mistakes.error().problems == (
        'couper.hcl:1,18-23: referenced access control "X" is not defined; ',
        'couper.hcl:2,26-36: referenced access control "Y" is not defined; ',
    )


def test_the_nearest_counts_of_what_there_is_one_of_and_all_of_log_fields(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text("page")
    cors = Cors(Place("f", 1, 1, 1, 1))
    above = level_of(
        Level(),
        'error_file = "a"\n allowed_methods = ["GET"]\n required_permission = "p"\n custom_log_fields = { a = 1 }\n',
        cors=cors,
        folder=tmp_path,
    )
    same = level_of(above, "")
    assert same == above
    nearer = level_of(
        above, 'error_file = "b"\n allowed_methods = []\n custom_log_fields = { b = 1 }\n', folder=tmp_path
    )
    assert (nearer.error_file, nearer.allowed_methods) == (tmp_path / "b", ())
    assert [text.source for text in nearer.custom_log_fields] == ["{ a = 1 }", "{ b = 1 }"]
    assert nearer.required_permission is above.required_permission
    assert nearer.cors is cors


@pytest.mark.parametrize(
    ("paths", "path"),
    [
        (("/", "/"), "/"),
        (("/", ""), "/"),
        (("/v1", "/"), "/v1/"),
        (("/v1/", ""), "/v1"),
        (("/v1", "p"), "/v1/p"),
        (("/v1/", "/p/"), "/v1/p/"),
        (("/v1", "/{p}/**"), "/v1/{p}/**"),
    ],
)
def test_paths_are_joined_with_one_slash(paths: tuple[str, ...], path: str) -> None:
    assert joined(*paths) == path
