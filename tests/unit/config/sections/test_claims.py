"""Paths of claims, rules about them, and values taken from them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from jwtgate.config.sections.claims import ClaimRuleSection, parse_claim_path


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


def test_a_rule_may_ask_only_those_who_have_the_claim() -> None:
    assert ClaimRuleSection.model_validate({"claim": "sub", "equals": "a", "if_present": True}).if_present
    with pytest.raises(ValidationError, match="if_present and required exclude each other"):
        ClaimRuleSection.model_validate({"claim": "sub", "required": True, "if_present": True})
