"""A worker that dies is replaced at once; one that keeps dying is replaced ever more slowly."""

from jwtgate.control.workers.crew import FREE_DEATHS, MOST_DELAY_SECONDS, Backoff


def deaths(backoff: Backoff, *served_seconds: float) -> list[float]:
    return [backoff.delay_seconds(served) for served in served_seconds]


def test_rel_1_a_worker_that_served_for_a_while_is_replaced_at_once_however_often_it_dies() -> None:
    backoff = Backoff()
    assert deaths(backoff, *[30.0] * 50) == [0.0] * 50
    assert not backoff.looping


def test_rel_1_a_few_quick_deaths_cost_no_wait() -> None:
    backoff = Backoff()
    assert deaths(backoff, *[0.1] * FREE_DEATHS) == [0.0] * FREE_DEATHS
    assert not backoff.looping


def test_rel_1_a_crash_loop_doubles_its_wait_up_to_ten_seconds() -> None:
    backoff = Backoff()
    deaths(backoff, *[0.0] * FREE_DEATHS)
    assert deaths(backoff, *[0.0] * 7) == [0.5, 1.0, 2.0, 4.0, 8.0, MOST_DELAY_SECONDS, MOST_DELAY_SECONDS]
    assert backoff.looping


def test_a_crash_loop_of_any_length_has_a_wait() -> None:
    assert deaths(Backoff(), *[0.0] * 5_000)[-1] == MOST_DELAY_SECONDS


def test_one_long_life_ends_a_crash_loop() -> None:
    backoff = Backoff()
    deaths(backoff, *[0.0] * 20)
    assert deaths(backoff, 2.0, 0.0) == [0.0, 0.0]
    assert not backoff.looping


def test_rel_1_a_crash_loop_is_over_once_a_worker_serves_for_a_while_and_that_is_told_once() -> None:
    backoff = Backoff()
    assert not backoff.ends_loop(30.0)
    deaths(backoff, *[0.0] * (FREE_DEATHS + 1))
    assert not backoff.ends_loop(1.9)
    assert backoff.ends_loop(2.0)
    assert not backoff.looping
    assert not backoff.ends_loop(30.0)
