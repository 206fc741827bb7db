"""What is one too many is refused at once, and only that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.gateway.upstreams.fakes import UPSTREAM

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.upstreams.breaker import Breaker


def test_rel_14_without_limits_nothing_is_refused() -> None:
    breaker = Breaker(UPSTREAM)
    breaker.check_request(10**6, 0.0)
    breaker.check_connection(10**6, 10**6, now=0.0)
    assert breaker.refusals.total == 0


def test_rel_14_the_last_one_there_is_room_for_passes_and_the_next_does_not() -> None:
    breaker = Breaker(replace(UPSTREAM, most_requests=5, most_connections=4, most_pending=3))
    breaker.check_request(4, 1.0)
    breaker.check_connection(3, 2, now=1.0)
    assert not breaker.refusals.is_on
    for refused in (
        lambda: breaker.check_request(5, 1.0),
        lambda: breaker.check_connection(4, 0, now=1.0),
        lambda: breaker.check_connection(3, 3, now=1.0),
    ):
        with pytest.raises(UpstreamFault) as caught:
            refused()
        assert (caught.value.reason, caught.value.status, caught.value.retry_after_seconds) == ("upstream_busy", 503, 1)
    assert breaker.refusals.is_on
    assert breaker.refusals.total == 3
