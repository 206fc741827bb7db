"""Instants, and the timetable of a rotation, for people."""

from __future__ import annotations

import pytest

from jwtgate.cli.timetable import moment, timetable


@pytest.mark.parametrize(
    ("instant", "text"), [(0, "1970-01-01 00:00:00Z"), (None, "-"), ("x", "-"), (2**53, str(2**53))]
)
def test_an_instant_is_shown_as_people_read_it(instant: object, text: str) -> None:
    assert moment(instant) == text


def test_a_rotation_is_told_by_its_instants() -> None:
    told = {"former": "k1", "published_at": 0, "takes_over_at": 1, "leaves_at": 2}
    shown = timetable("It begins.", told)
    assert shown.text.startswith("It begins. The former key is k1.\n\n")
    assert [line[:20] for line in shown.text.splitlines()[3:]] == [f"1970-01-01 00:00:0{n}Z" for n in range(3)]
    assert shown.value == told


def test_a_first_key_follows_nobody() -> None:
    assert timetable("It begins.", {"former": None}).text.startswith("It begins.\n\n")
