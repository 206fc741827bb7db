from __future__ import annotations

from jwtgate.policy.rate_limits import CountedBy, RateLimit


def test_a_limit_counts_callers_and_tells_them_unless_it_says_otherwise() -> None:
    limit = RateLimit(3, 30)
    assert (limit.by, limit.shown, limit.answer, limit.value) == (CountedBy.CALLER, True, None, None)
