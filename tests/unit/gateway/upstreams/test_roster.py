"""Which targets are asked, and what of them a reload knows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.gateway.upstreams.fakes import TARGETS, Asking, Clock, a_balancer, a_connection, a_roster
from tests.unit.state.virtual_time import live

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.upstreams.counts import TargetCount, counts_of
from jwtgate.gateway.upstreams.name_servers import Found
from jwtgate.gateway.upstreams.retry_budget import LEAST_AT_ONCE
from jwtgate.gateway.upstreams.roster import Roster
from jwtgate.policy.traffic.upstreams import Ejection, HealthCheck

EJECTION = Ejection(failures_in_a_row=1, for_seconds=10.0, most_percent=50)


def eject(roster: Roster, *numbers: int) -> list[bool]:
    return [roster.eject(roster.standings[TARGETS[number]]) for number in numbers]


def asked(roster: Roster) -> list[int]:
    return [TARGETS.index(target) for target in roster.usable(roster.clock())]


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Any]]:
    return [(record.getMessage(), record.__dict__["fields"]["state"]) for record in caplog.records]


def test_rel_13_no_more_than_half_are_ejected() -> None:
    roster = a_roster(targets=TARGETS[:4], ejection=EJECTION)
    assert eject(roster, 0, 1, 2) == [True, True, False]
    assert asked(roster) == [2, 3]


def test_rel_13_the_only_target_is_never_ejected() -> None:
    roster = a_roster(targets=TARGETS[:1], ejection=EJECTION)
    assert eject(roster, 0) == [False]
    assert eject(a_roster(), 0) == [False]


def test_rel_13_when_more_than_half_would_be_out_the_ejected_are_asked_all_the_same() -> None:
    clock = Clock()
    roster = a_roster(clock, targets=TARGETS[:4], ejection=EJECTION)
    eject(roster, 0, 1)
    roster.standings[TARGETS[2]].unreachable(clock())
    assert asked(roster) == [0, 1, 3]
    roster.standings[TARGETS[3]].unreachable(clock())
    assert asked(roster) == [0, 1]


def test_where_all_rest_all_are_asked_but_those_checks_find_down() -> None:
    clock = Clock()
    roster = a_roster(clock)
    for standing in roster.standings.values():
        standing.unreachable(clock())
    assert asked(roster) == [0, 1, 2]
    roster.standings[TARGETS[1]].is_down = True
    assert asked(roster) == [0, 2]


def test_an_ejected_target_is_asked_again_after_its_time() -> None:
    clock = Clock()
    roster = a_roster(clock, ejection=EJECTION)
    eject(roster, 0)
    assert asked(roster) == [1, 2]
    clock.now += 10
    assert asked(roster) == [0, 1, 2]


def test_rel_39_every_change_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    roster = a_roster(clock, targets=TARGETS[:2], health_check=HealthCheck("/"))
    for target in TARGETS[:2]:
        roster.standings[target].is_down = True
        roster.refresh()
        roster.refresh()
    roster.standings[TARGETS[0]].is_down = False
    roster.refresh()
    assert said(caplog) == [
        ("target_state", "down"),
        ("target_state", "down"),
        ("upstream_state", "down"),
        ("target_state", "up"),
        ("upstream_state", "up"),
    ]


def test_requests_of_all_uses_count_together() -> None:
    roster = a_roster()
    one, two = a_balancer(roster), a_balancer(roster)
    a_connection(one.pools[0])
    a_connection(two.pools[1])
    two.pools[2].pending = 1
    assert roster.requests == 3


def test_a_reload_knows_what_was_known_and_which_target_is_new() -> None:
    clock = Clock()
    before = a_roster(clock, targets=TARGETS[:2], ejection=EJECTION, health_check=HealthCheck("/"))
    eject(before, 0)
    before.standings[TARGETS[1]].is_down = True
    before.names[TARGETS[0]].addresses = ("10.0.0.1",)
    before.budget.lend()
    before.breaker.refusals.happened(0.0)
    before.is_up = False
    after = a_roster(clock, ejection=EJECTION, health_check=HealthCheck("/"), slow_start_seconds=10.0)
    pools = a_balancer(after).pools
    after.take_over(before)
    assert after.standings[TARGETS[0]].ejected.until == clock.now + 10
    assert after.standings[TARGETS[1]].is_down
    assert after.names[TARGETS[0]].addresses == ("10.0.0.1",)
    assert (after.budget.made, after.breaker.refusals.total) == (1, 1)
    assert pools[2].share == 0.1
    assert after.is_up
    assert asked(after) == [0, 2]


def test_what_is_no_longer_asked_for_keeps_no_target_out() -> None:
    before, after = a_roster(health_check=HealthCheck("/"), ejection=EJECTION), a_roster()
    before.standings[TARGETS[0]].is_down = True
    eject(before, 1)
    after.take_over(before)
    assert asked(after) == [0, 1, 2]


def test_rel_14_what_goes_on_at_a_reload_counts_until_it_is_over() -> None:
    rosters = [a_roster(most_requests=2) for _ in range(3)]
    first, second, third = [a_balancer(roster) for roster in rosters]
    busy, pending = a_connection(first.pools[0]), first.pools[1]
    pending.pending = 1
    rosters[1].take_over(rosters[0])
    kept = a_connection(second.pools[0])
    second.pools[0].put(kept)
    rosters[2].take_over(rosters[1])
    assert rosters[2].requests == 2
    assert next(count for count in counts_of([rosters[2]]) if isinstance(count, TargetCount)).connections == 2
    with pytest.raises(UpstreamFault):
        third.pick(Asking())
    pending.pending = 0
    assert third.pick(Asking())
    busy.connection_lost(None)
    kept.connection_lost(None)
    rosters[2].names = {}  # nothing is looked up here
    rosters[2].look()
    assert rosters[2].pools() == third.pools


def test_rel_39_an_episode_and_a_budget_outlast_a_reload(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    before, after = a_roster(clock), a_roster(clock, retry_budget_percent=50)
    before.breaker.refusals.happened(clock())
    for _ in range(LEAST_AT_ONCE):
        before.budget.lend()
    after.take_over(before)
    assert not after.budget.take(0, clock())
    assert after.budget.take(100, clock())
    before.budget.give_back(LEAST_AT_ONCE)
    assert after.budget.take(0, clock())
    after.breaker.refusals.happened(clock())
    after.breaker.refusals.look(clock() + 10)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["breaker_open_began", "retry_budget_spent_began", "breaker_open_ended"]
    assert (before.breaker.refusals.total, after.budget.made) == (2, LEAST_AT_ONCE + 2)


def test_what_time_changes_is_changed_without_being_asked_for() -> None:
    clock = Clock()
    roster = a_roster(clock, targets=TARGETS[:2], ejection=EJECTION, slow_start_seconds=10.0)
    roster.names = {}  # nothing is looked up here
    balancer = a_balancer(roster)
    pool = balancer.pools[0]
    eject(roster, 0)
    assert balancer.only is balancer.pools[1]
    clock.now += 10
    roster.look()
    assert (balancer.only, pool.share) == (None, 0.1)
    for seconds, share in [(5.0, 0.5), (4.0, 0.9), (1.0, 1.0)]:
        clock.now += seconds
        roster.look()
        assert pool.share == pytest.approx(share)


def test_what_time_cannot_change_is_not_worked_out_again() -> None:
    clock = Clock()
    roster = a_roster(clock)
    roster.names = {}  # nothing is looked up here
    balancer = a_balancer(roster)
    before = balancer._usable
    roster.look()
    assert balancer._usable is before
    roster.standings[TARGETS[0]].unreachable(clock())
    roster.refresh()
    before = balancer._usable
    roster.look()
    assert balancer._usable is not before


def test_what_is_due_is_done() -> None:
    clock = Clock()
    looked_up: list[str] = []

    async def look_up(host: str) -> Found:
        looked_up.append(host)
        return Found(("10.0.0.1",))

    roster = Roster(a_roster().upstream, clock=clock, look_up=look_up)
    roster.breaker.refusals.happened(clock())
    roster.budget.spent.happened(clock())

    async def look() -> None:
        roster.look()
        await asyncio.sleep(0.01)
        clock.now += 3
        roster.look()
        await asyncio.sleep(0.01)

    live(look())
    assert looked_up == ["t1.example", "t2.example", "t3.example"]
    assert not roster.breaker.refusals.is_on
    assert not roster.budget.spent.is_on
