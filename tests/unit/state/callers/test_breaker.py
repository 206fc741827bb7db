from __future__ import annotations

import pytest

from jwtgate.state.callers.breaker import FAILURES_TO_OPEN, MOST_REST_SECONDS, Breaker, BreakerState

TRIAL = 5.0


def broken(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(now)
    return breaker


def test_a_new_breaker_lets_everything_through() -> None:
    breaker = Breaker()
    assert all(breaker.admit(now, TRIAL) for now in (0.0, 0.0, 1.0))
    assert breaker.wait_seconds(0.0) == 0


def test_rel_33_it_opens_after_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed(0.0)
    assert breaker.state(0.0) is BreakerState.CLOSED
    breaker.failed(0.0)
    assert breaker.state(0.0) is BreakerState.OPEN
    assert not breaker.admit(0.9, TRIAL)
    assert breaker.wait_seconds(0.25) == 0.75


def test_one_answer_in_between_keeps_it_closed() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed(0.0)
        breaker.succeeded()
    assert breaker.admit(0.0, TRIAL)


def test_rel_64_after_its_rest_one_call_is_let_through_and_no_herd() -> None:
    breaker = broken()
    assert [breaker.admit(1.0, TRIAL) for _ in range(3)] == [True, False, False]
    assert breaker.wait_seconds(1.0) == TRIAL


def test_a_good_trial_closes_it() -> None:
    breaker = broken()
    breaker.admit(1.0, TRIAL)
    breaker.succeeded()
    assert [breaker.admit(1.0, TRIAL) for _ in range(3)] == [True, True, True]


def test_a_trial_that_is_never_heard_of_again_does_not_block_the_next() -> None:
    breaker = broken()
    assert breaker.admit(1.0, TRIAL)
    assert not breaker.admit(5.9, TRIAL)
    assert breaker.admit(6.0, TRIAL)


def test_each_failed_trial_doubles_the_rest_up_to_a_limit() -> None:
    breaker, now, rests = broken(), 0.0, []
    for _ in range(8):
        rests.append(breaker.wait_seconds(now))
        now += rests[-1]
        assert breaker.admit(now, TRIAL)
        breaker.failed(now)
    assert rests == [1, 2, 4, 8, 16, MOST_REST_SECONDS, MOST_REST_SECONDS, MOST_REST_SECONDS]


def test_a_very_long_failure_is_arithmetic_too() -> None:
    breaker, now = broken(), 0.0
    for _ in range(5000):
        now += MOST_REST_SECONDS
        breaker.failed(now)
    assert breaker.wait_seconds(now) == MOST_REST_SECONDS


def test_failures_of_calls_that_were_on_their_way_do_not_prolong_the_rest() -> None:
    breaker = broken()
    for _ in range(60):
        breaker.failed(0.5)
    assert breaker.admit(1.0, TRIAL)


def test_a_success_of_a_call_that_was_on_its_way_closes_it() -> None:
    breaker = broken()
    breaker.succeeded()
    assert breaker.admit(0.5, TRIAL)


@pytest.mark.parametrize(("now", "state"), [(0.0, "open"), (0.99, "open"), (1.0, "trying")])
def test_its_state_has_a_word(now: float, state: str) -> None:
    assert broken().state(now).value == state
