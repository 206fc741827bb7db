"""How often an address may present a wrong credential."""

from __future__ import annotations

import pytest

from jwtgate.admin.access.attempts import MOST_ADDRESSES, Attempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> Attempts:
    return Attempts(clock, burst=3, seconds=10)


def test_sec_146_an_address_waits_once_its_attempts_are_used_up(attempts: Attempts) -> None:
    for _ in range(2):
        attempts.failed("192.0.2.1")
    assert attempts.wait_seconds("192.0.2.1") == 0
    attempts.failed("192.0.2.1")
    assert attempts.wait_seconds("192.0.2.1") == 10


def test_an_attempt_is_given_back_with_time(attempts: Attempts, clock: Clock) -> None:
    for _ in range(3):
        attempts.failed("192.0.2.1")
    clock.now += 9.5
    assert attempts.wait_seconds("192.0.2.1") == 1
    clock.now += 0.5
    assert attempts.wait_seconds("192.0.2.1") == 0
    attempts.failed("192.0.2.1")
    assert attempts.wait_seconds("192.0.2.1") == 10


def test_one_address_does_not_wait_for_another(attempts: Attempts) -> None:
    for _ in range(3):
        attempts.failed("192.0.2.1")
    assert attempts.wait_seconds("192.0.2.2") == 0


def test_the_addresses_of_one_ipv6_network_count_together(attempts: Attempts) -> None:
    for last in range(3):
        attempts.failed(f"2001:db8:1:2::{last}")
    assert attempts.wait_seconds("2001:db8:1:2:ffff::1") == 10
    assert attempts.wait_seconds("2001:db8:1:3::1") == 0


def test_an_ipv4_address_within_ipv6_counts_alone(attempts: Attempts) -> None:
    for _ in range(3):
        attempts.failed("::ffff:192.0.2.1")
    assert attempts.wait_seconds("::ffff:192.0.2.1") == 10
    assert attempts.wait_seconds("::ffff:192.0.2.2") == 0


def test_what_is_no_address_counts_as_it_is(attempts: Attempts) -> None:
    for _ in range(3):
        attempts.failed("")
    assert attempts.wait_seconds("") == 10


def test_no_more_addresses_are_remembered_than_there_is_room_for(attempts: Attempts) -> None:
    for _ in range(3):
        attempts.failed("192.0.2.1")
    for number in range(MOST_ADDRESSES):
        attempts.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(attempts._clear_at) == MOST_ADDRESSES
    assert attempts.wait_seconds("192.0.2.1") == 0
