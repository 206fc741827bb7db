"""Which target takes a request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.gateway.parts import Gate, a_generation, a_plan, an_order, wire
from tests.unit.gateway.upstreams.fakes import TARGETS, Asking, Clock, a_balancer, a_connection, a_roster

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.upstreams.balancer import Balancer
from jwtgate.policy.traffic.upstreams import HealthCheck


def picked(balancer: Balancer, count: int) -> list[int]:
    return [balancer.pools.index(balancer.pick(Asking())) for _ in range(count)]


def a_weighted_balancer(*weights: int) -> Balancer:
    return a_balancer(
        targets=tuple(replace(target, weight=weight) for target, weight in zip(TARGETS, weights, strict=False))
    )


def rest(balancer: Balancer, *numbers: int) -> None:
    for number in numbers:
        balancer.pools[number].standing.unreachable(balancer.roster.clock())
    balancer.roster.refresh()


def test_targets_take_turns() -> None:
    balancer = a_balancer()
    assert picked(balancer, 4) == [0, 1, 2, 0]
    assert balancer.only is None


def test_a_single_target_need_not_be_picked() -> None:
    balancer = a_balancer(targets=TARGETS[:1])
    assert balancer.only is balancer.pools[0]
    assert balancer.pick(Asking()) is balancer.only


def test_rel_13_a_target_that_rests_is_passed_over_until_somebody_could_connect() -> None:
    clock = Clock()
    balancer = a_balancer(a_roster(clock))
    rest(balancer, 1)
    assert picked(balancer, 4) == [0, 2, 0, 2]
    clock.now += 6
    balancer.roster.refresh()
    assert 1 in picked(balancer, 3)
    balancer.pools[1].standing.connected()
    assert sorted(picked(balancer, 3)) == [0, 1, 2]


@pytest.mark.parametrize("targets", [1, 3])
def test_where_all_rest_all_are_asked_all_the_same(targets: int) -> None:
    balancer = a_balancer(targets=TARGETS[:targets])
    rest(balancer, *range(targets))
    assert set(picked(balancer, 6)) == set(range(targets))


def test_rel_73_where_checks_find_all_down_a_request_is_refused_at_once() -> None:
    balancer = a_balancer(health_check=HealthCheck("/"))
    for pool in balancer.pools:
        pool.standing.is_down = True
    balancer.roster.refresh()
    with pytest.raises(UpstreamFault) as caught:
        balancer.pick(Asking())
    assert (caught.value.reason, caught.value.status, caught.value.retry_after_seconds) == ("upstream_down", 503, 1)
    balancer.pools[2].standing.is_down = False
    balancer.roster.refresh()
    assert balancer.only is balancer.pools[2]


def test_a_target_takes_as_many_requests_as_it_weighs_evenly_spread() -> None:
    assert picked(a_weighted_balancer(5, 1, 1), 14) == [0, 0, 1, 0, 2, 0, 0] * 2
    assert picked(a_weighted_balancer(2, 1), 6) == [0, 1, 0, 0, 1, 0]
    assert picked(a_weighted_balancer(7, 7, 7), 4) == [0, 1, 2, 0]


def test_a_weighted_target_that_rests_is_passed_over_unless_all_do() -> None:
    balancer = a_weighted_balancer(5, 1, 1)
    rest(balancer, 0)
    assert sorted(picked(balancer, 4)) == [1, 1, 2, 2]
    rest(balancer, 1, 2)
    assert set(picked(balancer, 14)) == {0, 1, 2}


def test_a_target_that_is_back_takes_more_and_more() -> None:
    clock = Clock()
    balancer = a_balancer(a_roster(clock, targets=TARGETS[:2], slow_start_seconds=10.0))
    assert picked(balancer, 10).count(1) == 5
    rest(balancer, 1)
    balancer.pools[1].standing.connected()
    balancer.roster.refresh()
    assert picked(balancer, 110).count(1) == 10
    clock.now += 5
    balancer.roster.refresh()
    assert picked(balancer, 30).count(1) == 10
    clock.now += 5
    balancer.roster.refresh()
    assert picked(balancer, 10).count(1) == 5


def test_rel_14_a_request_too_many_is_refused_at_once_even_where_a_connection_is_idle() -> None:
    clock = Clock()
    balancer = a_balancer(a_roster(clock, targets=TARGETS[:1], most_requests=1))
    pool = balancer.pools[0]
    assert balancer.only is None
    assert balancer.pick(Asking()) is pool
    busy, idle = a_connection(pool), a_connection(pool)
    pool.put(idle)
    with pytest.raises(UpstreamFault) as caught:
        balancer.pick(Asking())
    assert (caught.value.reason, caught.value.status, caught.value.retry_after_seconds) == ("upstream_busy", 503, 1)
    pool.lost(busy)
    assert balancer.pick(Asking()) is pool


def test_another_target_is_one_that_was_not_tried_and_has_least_to_do() -> None:
    balancer = a_balancer()
    one, two, three = balancer.pools
    a_connection(two)
    assert balancer.another([one]) is three
    assert balancer.another([one, three]) is two
    assert balancer.another([one, two, three]) is None
    rest(balancer, 1)
    assert balancer.another([one, three]) is None


def test_rel_13_a_target_that_is_down_costs_no_answer() -> None:
    plan = a_plan(upstreams={"echo": {"targets": ["http://127.0.0.1:9020", "http://127.0.0.1:9021"]}})
    gate = Gate(a_generation(plan))
    down, up = gate.generation.balancers["echo"].pools
    down.failures.append(UpstreamFault("upstream_unreachable"))  # type: ignore[attr-defined]
    gate.send(an_order())
    assert wire(up.made[0]).take().startswith(b"GET /orders/1 ")  # type: ignore[attr-defined]
    assert gate.generation.balancers["echo"].roster.budget.made == 1
