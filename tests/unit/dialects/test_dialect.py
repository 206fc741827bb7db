"""What all dialects share."""

import pytest

from jwtgate.dialects.dialect import Call, as_name, literal, literals


def test_the_first_field_of_a_name_is_taken() -> None:
    call = Call("GET", "/", fields=(("x", "1"), ("x", "2")))
    assert (call.value("x"), call.value("y")) == ("1", None)


def test_text_that_looks_like_a_reference_stays_text() -> None:
    assert literal("a ${env:HOME} b $1") == "a $${env:HOME} b $1"


def test_every_text_of_a_value_stays_text_and_names_stay_as_they_are() -> None:
    assert literals({"${a}": ["${b}", 1, None, {"c": ("${d}",)}]}) == {"${a}": ["$${b}", 1, None, {"c": ["$${d}"]}]}


@pytest.mark.parametrize("label", ["J", "my-jwt", "a.b/c"])
def test_a_label_that_can_be_a_name_is_one(label: str) -> None:
    assert as_name(label) == label


@pytest.mark.parametrize("label", ["my jwt", "é", 'a"b', "x" * 200])
def test_another_label_becomes_its_digest(label: str) -> None:
    assert as_name(label) == as_name(label)
    assert len(as_name(label)) == 32
    assert as_name(label) != as_name(f"{label}2")
