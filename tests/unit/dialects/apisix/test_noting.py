"""Notes on every setting."""

from __future__ import annotations

from jwtgate.dialects.apisix.noting import Noting, places
from jwtgate.dialects.dialect import Meaning, Note


def test_every_setting_has_a_place() -> None:
    assert list(places({"a": 1, "b": {"c": [2, {}]}, "d": []}, ("x",))) == [
        ("x", "a"),
        ("x", "b", "c", "0"),
        ("x", "b", "c", "1"),
        ("x", "d"),
    ]


def test_what_nobody_noted_anything_on_is_exact() -> None:
    noting = Noting()
    noting.changed(("x", "b"), "otherwise")
    notes = noting.notes([("x", "a"), ("x", "b", "c")])
    assert notes == (Note("x/b", Meaning.CHANGED, "otherwise"), Note("x/a", Meaning.EXACT))


def test_a_refusal_stands_over_what_was_noted_before_and_nothing_stands_over_it() -> None:
    noting = Noting()
    noting.danger(("x",), "look")
    noting.changed(("x",), "later")
    assert noting.notes(()) == (Note("x", Meaning.EXACT, "look", dangerous=True),)
    noting.refused(("x",), "no")
    noting.changed(("x",), "yes")
    assert noting.notes(()) == (Note("x", Meaning.REFUSED, "no"),)


def test_what_is_refused_or_missing_inside_makes_what_is_around_it_unusable() -> None:
    noting = Noting()
    noting.refused(("routes", "1", "vars"), "no")
    noting.changed(("routes", "2"), "otherwise")
    noting.missing(("routes", "3", "service_id"), "gone")
    assert noting.is_unusable(("routes", "1"))
    assert noting.is_unusable(("routes", "1", "vars"))
    assert not noting.is_unusable(("routes", "2"))
    assert not noting.is_unusable(("routes", "1", "uri"))
    assert noting.is_unusable(("routes", "3"))
    assert Note("routes/3/service_id", Meaning.CHANGED, "gone") in noting.notes(())
