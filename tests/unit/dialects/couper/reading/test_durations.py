from __future__ import annotations

import pytest

from jwtgate.dialects.couper.reading.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("300s", 300),
        ("5m", 300),
        ("1h30m", 5400),
        ("300000ms", 300),
        ("300000000us", 300),
        ("300000000\u00b5s", 300),
        ("300000000\u03bcs", 300),
        ("300000000000ns", 300),
        ("60.6s", 60.6),
        (".5s", 0.5),
        ("0", 0),
        ("-1s", -1),
        ("+2s", 2),
    ],
)
def test_every_unit_is_understood(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_what_is_below_a_nanosecond_is_dropped() -> None:
    assert parse_duration("0.0833333333334h") == 300.0


@pytest.mark.parametrize(
    "text", ["invalid", "", "5", "5 minutes", "s", "1d", "1h 30m", ".s", "1_0s", "--1s", "9999999h"]
)
def test_anything_else_is_refused_with_couper_s_words(text: str) -> None:
    with pytest.raises(ValueError, match="time: invalid duration") as caught:
        parse_duration(text)
    assert str(caught.value) == f'time: invalid duration "{text}"'
