"""What all dialects share."""

from jwtgate.dialects.dialect import Call, literal, literals


def test_the_first_field_of_a_name_is_taken() -> None:
    call = Call("GET", "/", fields=(("x", "1"), ("x", "2")))
    assert (call.value("x"), call.value("y")) == ("1", None)


def test_text_that_looks_like_a_reference_stays_text() -> None:
    assert literal("a ${env:HOME} b $1") == "a $${env:HOME} b $1"


def test_every_text_of_a_value_stays_text_and_names_stay_as_they_are() -> None:
    assert literals({"${a}": ["${b}", 1, None, {"c": ("${d}",)}]}) == {"${a}": ["$${b}", 1, None, {"c": ["$${d}"]}]}
