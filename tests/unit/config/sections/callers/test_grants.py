"""How claims become permissions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jwtgate.config.sections.callers.grants import GrantsSection


def load(value: dict[str, Any], folder: Path = Path()) -> GrantsSection:
    return GrantsSection.model_validate(value, context={"folder": folder})


def test_roles_and_permissions_map_to_permissions() -> None:
    section = load(
        {"roles_claim": "realm.roles", "roles": {"admin": ["a", "b"], "*": "c", "guest": []}, "implied": {"a": ["d"]}}
    )
    assert section.roles_claim == ("realm", "roles")
    assert section.of_role == {"admin": ("a", "b"), "*": ("c",), "guest": ()}
    assert section.of_permission == {"a": ("d",)}
    assert load({"claim": "permissions"}).of_role is None


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, "needs claim or roles_claim"),
        ({"implied": {"a": "b"}}, "needs claim or roles_claim"),
        ({"roles_claim": "r"}, "roles_claim and roles need each other"),
        ({"claim": "c", "roles": {"a": "b"}}, "roles_claim and roles need each other"),
        ({"claim": "c", "implied": {"a": [1]}}, "valid string"),
        ({"claim": "c", "implied": {"a": {"b": 1}}}, "valid tuple"),
        ({"claim": "c", "implied": {"": "a"}}, "at least 1 character"),
        ({"claim": "c", "implied": {"a": [f"p{i}" for i in range(10_000)]}}, "more than 10000 permissions"),
        ({"roles_claim": "r", "roles": {f"r{i}": [f"p{i}"] for i in range(10_001)}}, "more than 10000 permissions"),
    ],
)
def test_sec_48_what_is_no_grant_is_refused(value: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        load(value)


def test_sec_48_as_many_permissions_as_may_be_are_taken() -> None:
    assert load({"claim": "c", "implied": {"p0": [f"p{i}" for i in range(10_000)]}})


@pytest.mark.parametrize("text", ["admin: [a, b]\n'*': c\n", '{"admin": ["a", "b"], "*": "c"}'])
def test_mappings_may_stand_in_files(tmp_path: Path, text: str) -> None:
    name = "roles.json" if text.startswith("{") else "roles.yaml"
    (tmp_path / name).write_text(text)
    section = load({"roles_claim": "r", "roles_file": name, "claim": "c", "implied_file": name}, tmp_path)
    assert section.of_role == section.of_permission == {"admin": ("a", "b"), "*": ("c",)}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot be read: No such file"),
        ("[1]", "must hold names, each mapped to a word or a list of words"),
        ("a: [1]", r"must hold names, each mapped to a word or a list of words \(a\)"),
        ("a: b\na: c", "roles.yaml:2: the key is given twice"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str | None, sentence: str) -> None:
    if text is not None:
        (tmp_path / "roles.yaml").write_text(text)
    with pytest.raises(ValidationError, match=sentence):
        load({"roles_claim": "r", "roles_file": "roles.yaml"}, tmp_path)


@pytest.mark.parametrize("value", [1, "", None, "a\0b", ["a"]])
def test_the_name_of_a_file_is_text(value: object) -> None:
    with pytest.raises(ValidationError):
        load({"roles_claim": "r", "roles_file": value})


def test_a_mapping_stands_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: b")
    for names in ({"roles_claim": "r", "roles": {"a": "b"}, "roles_file": "a.yaml"},
                  {"claim": "c", "implied": {"a": "b"}, "implied_file": "a.yaml"}):  # fmt: skip
        with pytest.raises(ValidationError, match="here or in a file, never in both"):
            load(names, tmp_path)
