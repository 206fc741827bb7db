"""What workers count, added up."""

from __future__ import annotations

from tests.unit.gateway.upstreams.fakes import TARGETS, a_balancer, a_connection, a_roster

from jwtgate.gateway.upstreams.counts import TargetCount, UpstreamCount, added, counts_of, grown


def test_rel_39_a_worker_tells_of_every_upstream_and_target() -> None:
    roster = a_roster(targets=TARGETS[:4])
    one, two = a_balancer(roster), a_balancer(roster)
    roster.standings[TARGETS[1]].is_down = True
    roster.standings[TARGETS[2]].unreachable(roster.clock())
    roster.standings[TARGETS[3]].ejected.until = roster.clock() + 1
    roster.names[TARGETS[0]].is_stale = True
    roster.budget.lend()
    roster.budget.spent.total = 2
    roster.breaker.refusals.happened(0.0)
    a_connection(one.pools[0])
    idle = a_connection(two.pools[0])
    two.pools[0].put(idle)
    upstream, first, second, third, fourth = counts_of([roster])
    assert upstream == UpstreamCount("echo", usable=1, breaker_open=1, refused=1, retries=1, retries_not_made=2)
    assert first == TargetCount("echo", "t1.example:9000", up=1, connections=2, requests_in_flight=1, name_stale=1)
    assert second == TargetCount("echo", "t2.example:9000", down=1)
    assert third == TargetCount("echo", "t3.example:9000", resting=1, failures=1)
    assert fourth == TargetCount("echo", "t4.example:9000", ejected=1)


def test_counts_of_one_thing_are_added_and_of_two_things_are_not() -> None:
    one = (UpstreamCount("a", usable=1, retries=2), TargetCount("a", "t:1", up=1, failures=3))
    other = (TargetCount("a", "t:1", down=1, failures=4), TargetCount("b", "t:1", up=1), UpstreamCount("a", retries=5))
    assert added(one, other) == (
        UpstreamCount("a", usable=1, retries=7),
        TargetCount("a", "t:1", up=1, down=1, failures=7),
        TargetCount("b", "t:1", up=1),
    )


def test_of_a_worker_that_has_ended_only_what_grows_remains() -> None:
    ended = (
        UpstreamCount("a", usable=1, breaker_open=1, refused=1, retries=2, retries_not_made=3),
        TargetCount("a", "t:1", up=1, connections=4, requests_in_flight=2, name_stale=1, failures=5, times_out=6),
    )
    assert grown(ended) == (
        UpstreamCount("a", refused=1, retries=2, retries_not_made=3),
        TargetCount("a", "t:1", failures=5, times_out=6),
    )
