"""Retries are a part of what is on its way, and come at times of their own."""

from __future__ import annotations

from jwtgate.gateway.upstreams.retry_budget import LEAST_AT_ONCE, RetryBudget


def test_rel_11_a_fifth_of_the_requests_on_their_way_may_be_retries() -> None:
    budget = RetryBudget("echo", 20)
    assert [budget.take(100, 0.0) for _ in range(21)] == [True] * 20 + [False]
    assert (budget.made, budget.spent.total, budget.spent.is_on) == (20, 1, True)
    budget.give_back(2)
    assert [budget.take(100, 0.0) for _ in range(3)] == [True, True, False]


def test_rel_11_a_few_may_be_whatever_the_share() -> None:
    budget = RetryBudget("echo", 20)
    assert [budget.take(1, 0.0) for _ in range(LEAST_AT_ONCE + 1)] == [True] * LEAST_AT_ONCE + [False]


def test_what_is_lent_counts_and_is_never_refused() -> None:
    budget = RetryBudget("echo", 20)
    for _ in range(LEAST_AT_ONCE + 5):
        budget.lend()
    assert budget.made == LEAST_AT_ONCE + 5
    assert not budget.take(1, 0.0)


def test_rel_11_pauses_are_by_chance_and_grow_to_a_bound() -> None:
    assert RetryBudget("echo", 20, chance=lambda: 0.0).pause_seconds(1) == 0.0
    longest = RetryBudget("echo", 20, chance=lambda: 1.0)
    assert [longest.pause_seconds(retry) for retry in (1, 2, 3, 20)] == [0.02, 0.04, 0.08, 0.25]
    pauses = {RetryBudget("echo", 20).pause_seconds(1) for _ in range(9)}
    assert len(pauses) > 1
