"""Values and header fields: where each comes from."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from jwtgate.config.sections.values import Permission, SomeField, SomeValue


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


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ({"consumer": "labels.tier"}, "consumer"),
        ({"consumer": "credential"}, "consumer"),
        ({"permissions": True}, "permissions"),
        ({"path_parameter": "id"}, "path_parameter"),
        ({"cel": "now + 1"}, "cel"),
        ({"header": "X-A"}, "header"),
        ({"request": "client"}, "request"),
    ],
)
def test_a_value_and_a_field_come_from_the_same_places(value: dict[str, object], origin: str) -> None:
    assert TypeAdapter(SomeValue).validate_python(value).origin == origin
    assert TypeAdapter(SomeField).validate_python({**value, "form": "json"}).origin == origin


@pytest.mark.parametrize(
    "value",
    [{"consumer": "secret"}, {"consumer": "credentials[0]"}, {"permissions": False}, {"path_parameter": "a b"},
     {"cel": "nobody"}, {"cel": ""}, {"cel": "1 +"}, {"cel": "now", "slot": "a"}, {"consumer": "id", "cel": "now"}],
)  # fmt: skip
def test_a_place_that_is_not_there_is_refused(value: object) -> None:
    for kind in (SomeValue, SomeField):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("value", "methods"),
    [
        ("read", {"*": "constant"}),
        ("", {"*": "constant"}),
        ({"path_parameter": "p"}, {"*": "path_parameter"}),
        ({"GET": "read", "PUT": {"claim": "p"}}, {"GET": "constant", "PUT": "claim"}),
        ({"GET": "", "*": "write"}, {"GET": "constant", "*": "constant"}),
    ],
)
def test_a_permission_is_asked_for_by_method(value: object, methods: dict[str, str]) -> None:
    found = TypeAdapter(Permission).validate_python(value)
    assert {method: wanted.origin for method, wanted in found.items()} == methods


@pytest.mark.parametrize("value", [1, None, ["a"], {}, {"GET": 1}, {"GET": "a", "get": "b"}, {"constant": True}])
def test_a_permission_is_text(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Permission).validate_python(value)
