"""What frames cost, and how that is earned back."""

from __future__ import annotations

import pytest
from tests.unit.gateway.http2.test_frames import a_frame

from jwtgate.gateway.http2.allowance import EARNED_EACH_SECOND, GIVEN_UP, MOST, Allowance, cost_of
from jwtgate.gateway.http2.frames import CONTINUATION, DATA, HEADERS, PING, PRIORITY, RESET, SETTINGS, WINDOW_UPDATE

ACK = END_STREAM = 1


def test_there_is_so_much_and_no_more() -> None:
    allowance = Allowance(0.0)
    assert allowance.spend(MOST, 0.0)
    assert not allowance.spend(1.0, 0.0)


def test_time_gives_it_back_up_to_the_most() -> None:
    allowance = Allowance(0.0)
    assert allowance.spend(MOST, 0.0)
    assert allowance.spend(EARNED_EACH_SECOND, 1.0)
    assert not allowance.spend(1.0, 1.0)
    assert allowance.spend(MOST, 1000.0)
    assert not allowance.spend(1.0, 1000.0)


def test_use_earns_it_back_up_to_the_most() -> None:
    allowance = Allowance(0.0)
    allowance.earn(5.0)
    assert not allowance.spend(MOST + 1.0, 0.0)
    allowance = Allowance(0.0)
    allowance.spend(MOST, 0.0)
    allowance.earn(5.0)
    assert allowance.spend(5.0, 0.0)
    assert not allowance.spend(1.0, 0.0)


@pytest.mark.parametrize(
    ("frame", "cost"),
    [
        (a_frame(HEADERS, b"x", stream=1), 0.0),
        (a_frame(DATA, b"x", stream=1), 0.0),
        (a_frame(DATA, b"", flags=END_STREAM, stream=1), 0.0),
        (a_frame(SETTINGS, flags=ACK), 0.0),
        (a_frame(PING, bytes(8), flags=ACK), 0.0),
        (a_frame(DATA, b"", stream=1), 1.0),
        (a_frame(PING, bytes(8)), 1.0),
        (a_frame(PRIORITY, bytes(5), stream=1), 1.0),
        (a_frame(WINDOW_UPDATE, bytes(4)), 1.0),
        (a_frame(CONTINUATION, b"x", stream=1), 1.0),
        (a_frame(0xBE), 1.0),
        (a_frame(SETTINGS, bytes(6)), 10.0),
        (a_frame(SETTINGS, bytes(6 * 2000)), 2000.0),
        (a_frame(RESET, bytes(4), stream=1), GIVEN_UP),
    ],
)
def test_sec_96_what_is_no_request_and_no_body_costs_something(frame: bytes, cost: float) -> None:
    assert cost_of(frame) == cost
