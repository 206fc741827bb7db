"""Paths of claims, rules about them, and values taken from them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from jwtgate.config.sections.claims import ClaimRuleSection, SomeField, SomeValue, parse_claim_path


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("sub", ("sub",)),
        ("realm_access.roles", ("realm_access", "roles")),
        (r"a\.b.c", ("a.b", "c")),
        ("groups[0]", ("groups", 0)),
        ("a[1][20].b", ("a", 1, 20, "b")),
        (r"a\[0\]", ("a[0]",)),
        (r"a\\b", ("a\\b",)),
        (r"https://x\.example/roles", ("https://x.example/roles",)),
        (["https://x.example/roles", 0], ("https://x.example/roles", 0)),
        ("0", ("0",)),
    ],
)
def test_sec_46_a_path_has_one_reading(text: object, steps: tuple[str | int, ...]) -> None:
    assert parse_claim_path(text) == steps


@pytest.mark.parametrize(
    "value",
    ["", ".", "a.", ".a", "a..b", "a[", "a[-1]", "a[01]", "[0]", "a]", "a\\", r"a\x", "a[0]b", [], [0], [""], ["a", -1],
     ["a", True], ["a", 1.0], None, 1, {"a": 1}, ["a"] * 33, "https://x.example/roles"],
)  # fmt: skip
def test_sec_46_anything_else_is_no_path(value: object) -> None:
    with pytest.raises(ValueError):
        parse_claim_path(value)


@pytest.mark.parametrize(
    "asked",
    [{"required": True}, {"equals": None}, {"one_of": [1]}, {"contains": None}, {"matches": "a"}],
)
def test_a_rule_asks_one_thing(asked: dict[str, object]) -> None:
    rule = ClaimRuleSection.model_validate({"claim": "sub", **asked})
    assert rule.asked == next(iter(asked))


@pytest.mark.parametrize(
    "asked",
    [{}, {"required": True, "equals": 1}, {"required": False}, {"required": None}, {"one_of": []}, {"matches": "("},
     {"matches": None}],
)  # fmt: skip
def test_a_rule_that_asks_nothing_or_two_things_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ClaimRuleSection.model_validate({"claim": "sub", **asked})


@pytest.mark.parametrize("constant", ["x", 1, 1.5, True, None, ["a", {"b": 1}]])
def test_a_value_that_is_no_mapping_is_a_constant(constant: object) -> None:
    value = TypeAdapter(SomeValue).validate_python(constant)
    assert value.origin == "constant"
    assert value.constant == constant


def test_a_constant_mapping_is_said_to_be_one() -> None:
    assert TypeAdapter(SomeValue).validate_python({"constant": {"claim": "x"}}).constant == {"claim": "x"}


@pytest.mark.parametrize(
    "value",
    [{}, {"a": 1}, {"claim": "a", "header": "b"}, {"slot": "a"}, {"slot": "a", "header": "b"}, {"claim": None},
     {"request": "body"}, {"header": "bad name"}],
)  # fmt: skip
def test_a_mapping_that_is_no_value_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SomeValue).validate_python(value)


@pytest.mark.parametrize(
    "value",
    [1, None, {}, {"claims": False}, {"claims": True, "form": "text"}, {"claim": "a", "separator": "a"}, "a\nb", " a",
     {"claim": "a", "separator": "%"}, {"claim": "a", "claims": True}, {"constant": "a", "slot": "b"}, "é", ""],
)  # fmt: skip
def test_a_field_that_cannot_be_written_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SomeField).validate_python(value)


def test_a_field_is_a_claim_all_claims_or_text() -> None:
    adapter = TypeAdapter(SomeField)
    assert adapter.validate_python("some text").constant == "some text"
    assert adapter.validate_python({"claim": "a.b", "form": "json"}).origin == "claim"
    assert adapter.validate_python({"claims": True}).origin == "claims"
