from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SECRET, jwt, jwt_problems


def test_a_map_stands_in_an_attribute_or_a_file_and_may_have_cycles(tmp_path: Path) -> None:
    wanted = {"a": ("c",), "c": ("d",), "d": ("a",), "*": ()}
    told = f'{SECRET} permissions_map = {{ a = ["c"], c = ["d"], d = ["a"], "*" = [] }}'
    assert jwt(told).permissions_map == wanted
    (tmp_path / "map.json").write_text('{"a": ["c"], "c": ["d"], "d": ["a"], "*": []}')
    assert jwt(f'{SECRET} permissions_map_file = "map.json"', folder=tmp_path).permissions_map == wanted
    assert jwt(SECRET).permissions_map is None


@pytest.mark.parametrize(("name", "what"), [("roles", "jwt roles map"), ("permissions", "jwt permissions map")])
def test_both_an_attribute_and_a_file_are_refused(name: str, what: str) -> None:
    body = f'{SECRET} {name}_map = {{}}\n {name}_map_file = "x"'
    assert jwt_problems(body) == (f"{what}: read error: configured attribute and file",)


@pytest.mark.parametrize(("name", "what"), [("roles", "jwt roles map"), ("permissions", "jwt permissions map")])
def test_a_file_that_is_missing_or_empty_is_refused(name: str, what: str, tmp_path: Path) -> None:
    body = f'{SECRET} {name}_map_file = "x"'
    missing = f"{what}: read error: open {tmp_path}/x: no such file or directory"
    assert jwt_problems(body, folder=tmp_path) == (missing,)
    (tmp_path / "x").touch()
    assert jwt_problems(body, folder=tmp_path) == (f"{what}: read error: empty file",)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "null", '"x"', '{"a": "b"}', '{"a": [1]}', '{"a": [true]}', '{"a": null}', '{"a": {}}', "\ufeff{"],
)
@pytest.mark.parametrize(("name", "what"), [("roles", "jwt roles map"), ("permissions", "jwt permissions map")])
def test_a_file_with_anything_but_lists_of_texts_is_refused(name: str, what: str, content: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(content)
    body = f'{SECRET} {name}_map_file = "x"'
    assert jwt_problems(body, folder=tmp_path) == (f"{what}: invalid file content",)
