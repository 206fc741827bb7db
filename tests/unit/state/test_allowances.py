"""Requests are counted exactly, in windows that begin with the first of them, in a table that is bounded."""

from __future__ import annotations

import pytest

from jwtgate.policy.facts import Allowance, NeedAllowance
from jwtgate.state.allowances import Allowances


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def need(
    counted: str = "a", requests: int = 3, window_seconds: int = 30, *, owner: str = "route orders"
) -> NeedAllowance:
    return NeedAllowance(owner, counted, requests, window_seconds)


def test_so_many_requests_are_granted_and_not_one_more() -> None:
    allowances = Allowances(monotonic=Clock())
    taken = [allowances.take(need()) for _ in range(5)]
    assert taken[:3] == [Allowance(True, left, 30) for left in (2, 1, 0)]
    assert taken[3:] == [Allowance(False, 0, 30)] * 2


def test_what_is_counted_apart_does_not_meet() -> None:
    allowances = Allowances(monotonic=Clock())
    assert [allowances.take(need(name, 1)).granted for name in ("a", "b", "a", "b")] == [True, True, False, False]


def test_a_window_begins_with_its_first_request_and_ends_whatever_is_asked_in_it() -> None:
    clock = Clock()
    allowances = Allowances(monotonic=clock)
    assert allowances.take(need(requests=1)) == Allowance(True, 0, 30)
    clock.now += 29.5
    assert allowances.take(need(requests=1)) == Allowance(False, 0, 1)
    clock.now += 0.5
    assert allowances.take(need(requests=1)) == Allowance(True, 0, 30)


@pytest.mark.parametrize(("later", "seconds"), [(0.0, 30), (0.1, 30), (1.0, 29), (29.999, 1)])
def test_what_is_left_of_a_window_is_said_in_whole_seconds_and_never_too_few(later: float, seconds: int) -> None:
    clock = Clock()
    allowances = Allowances(monotonic=clock)
    allowances.take(need())
    clock.now += later
    assert allowances.take(need()).reset_seconds == seconds


def test_rel_18_the_table_is_bounded_and_the_least_recently_used_goes_first() -> None:
    allowances = Allowances(monotonic=Clock(), most_counted=3)
    for name in ("a", "b", "c", "a", "d"):
        allowances.take(need(name, 2))
    assert (len(allowances), allowances.evicted) == (3, 1)
    assert [allowances.take(need(name, 2)).remaining for name in ("a", "c", "d")] == [0, 0, 0]
    assert allowances.take(need("b", 2)).remaining == 1
    assert len(allowances) == 3


def test_rel_18_a_window_that_was_over_is_no_loss() -> None:
    clock = Clock()
    allowances = Allowances(monotonic=clock, most_counted=1)
    allowances.take(need("a"))
    clock.now += 30
    allowances.take(need("b"))
    assert (len(allowances), allowances.evicted) == (1, 0)


def test_rel_18_whoever_makes_up_callers_of_one_limit_has_no_other_begin_anew() -> None:
    allowances = Allowances(monotonic=Clock(), most_counted=5, most_of_one=3)
    assert allowances.take(need("victim", 1)).granted
    for number in range(9):
        allowances.take(need(str(number), owner="route open"))
    assert not allowances.take(need("victim", 1)).granted
    assert (len(allowances), allowances.evicted) == (4, 6)


def test_rel_18_a_full_table_takes_from_the_limit_that_holds_the_most() -> None:
    allowances = Allowances(monotonic=Clock(), most_counted=5, most_of_one=4)
    allowances.take(need("victim", 1, owner="consumer alice"))
    for number in range(4):
        allowances.take(need(str(number), owner="route open"))
    for number in range(3):
        allowances.take(need("a", owner=f"consumer {number}"))
    assert (len(allowances), allowances.evicted) == (5, 3)
    assert not allowances.take(need("victim", 1, owner="consumer alice")).granted


def test_rel_18_where_all_hold_one_the_one_that_was_asked_for_longest_ago_goes() -> None:
    allowances = Allowances(monotonic=Clock(), most_counted=2)
    for owner in ("a", "b", "a", "c"):
        allowances.take(need("x", 1, owner=owner))
    assert (len(allowances), allowances.evicted) == (2, 1)
    assert [allowances.take(need("x", 1, owner=owner)).granted for owner in ("a", "c", "b")] == [False, False, True]


def test_rel_18_who_left_many_behind_gives_first_although_another_has_grown_since() -> None:
    allowances = Allowances(monotonic=Clock(), most_counted=6, most_of_one=4)
    for number in range(4):
        allowances.take(need(str(number), owner="left"))
    for number in range(9):
        allowances.take(need(str(number), owner="growing"))
    assert [len(allowances), allowances.evicted] == [6, 7]
    assert [allowances.take(need("3", 3, owner="left")).remaining, len(allowances)] == [1, 6]


@pytest.mark.parametrize("now", [0.1, 30021.873, 30409.087613531, 99999.9])
def test_no_window_has_longer_to_go_than_it_is_long(now: float) -> None:
    clock = Clock()
    clock.now = now
    taken = {
        Allowances(monotonic=clock).take(need(window_seconds=seconds)).reset_seconds - seconds
        for seconds in range(1, 4000)
    }
    assert taken == {0}
