"""Values and header fields: where each comes from."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from jwtgate.config.sections.values import SomeField, SomeValue


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
