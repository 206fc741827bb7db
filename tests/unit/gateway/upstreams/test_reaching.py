"""How a request gets a connection, and how often it is tried."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.gateway.parts import ScriptedBalancer, wire
from tests.unit.gateway.upstreams.fakes import Asking, a_balancer, a_connection

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.gateway.upstreams.reaching import may_repeat, may_retry, reach, reach_again
from jwtgate.gateway.upstreams.retry_budget import LEAST_AT_ONCE


class Errand:
    """Something that is to reach an upstream."""

    def __init__(self) -> None:
        self.retries = 0
        self.finished = False


def scripted(*failing: int, **changes: Any) -> ScriptedBalancer:
    balancer = ScriptedBalancer(a_balancer(**changes))
    for number in failing:
        balancer.pools[number].failures.append(UpstreamFault("upstream_unreachable", target=number))
    return balancer


def reached(balancer: ScriptedBalancer, errand: Errand) -> UpstreamConnection | None:
    return asyncio.run(reach(errand, balancer, balancer.pools[0], connect_seconds=2.0))


def test_a_target_that_takes_a_connection_is_reached() -> None:
    balancer, errand = scripted(), Errand()
    assert reached(balancer, errand) is balancer.pools[0].made[0]
    assert errand.retries == 0


def test_rel_11_another_target_is_tried_as_often_as_the_document_says() -> None:
    errand = Errand()
    connection = reached(scripted(0, 1, retries=2), errand)
    assert connection is not None
    assert connection.pool.target.host == "t3.example"
    assert errand.retries == 2
    with pytest.raises(UpstreamFault):
        reached(scripted(0, 1, retries=1), Errand())
    with pytest.raises(UpstreamFault):
        reached(scripted(0, 1, 2, retries=9), Errand())


def test_rel_11_where_the_budget_is_spent_nothing_is_tried_again() -> None:
    balancer, errand = scripted(0), Errand()
    for _ in range(LEAST_AT_ONCE):
        balancer.roster.budget.lend()
    with pytest.raises(UpstreamFault):
        reached(balancer, errand)
    assert (errand.retries, balancer.roster.budget.spent.total) == (0, 1)


def test_rel_14_where_an_upstream_is_given_enough_no_other_target_is_tried() -> None:
    balancer, errand = scripted(), Errand()
    balancer.pools[0].failures.append(UpstreamFault("upstream_busy"))
    with pytest.raises(UpstreamFault):
        reached(balancer, errand)
    assert (errand.retries, balancer.roster.budget.made) == (0, 0)


def test_rel_22_nobody_waits_for_what_is_finished() -> None:
    errand = Errand()
    errand.finished = True
    balancer = scripted()
    assert reached(balancer, errand) is None
    assert wire(balancer.pools[0].made[0]).aborted
    with pytest.raises(UpstreamFault):
        reached(scripted(0), errand)
    assert errand.retries == 0


def test_rel_12_who_comes_back_is_given_a_target_anew() -> None:
    balancer, errand = scripted(), Errand()
    errand.retries = 1
    connection = asyncio.run(reach_again(errand, balancer, Asking(), connect_seconds=2.0))
    assert connection is not None
    errand.finished = True
    assert asyncio.run(reach_again(errand, balancer, Asking(), connect_seconds=2.0)) is None


def test_rel_11_who_comes_back_pauses() -> None:
    balancer = a_balancer()
    pauses = []

    async def again() -> None:
        errand = Errand()
        task = asyncio.create_task(reach_again(errand, balancer, Asking(), connect_seconds=2.0))
        await asyncio.sleep(0)
        pauses.append(not task.done())
        errand.finished = True
        assert await task is None

    asyncio.run(again())
    assert pauses == [True]


def test_rel_12_the_end_of_a_kept_connection_costs_nothing_of_the_budget() -> None:
    balancer, errand = a_balancer(), Errand()
    for _ in range(LEAST_AT_ONCE):
        balancer.roster.budget.lend()
    fresh, kept = a_connection(balancer.pools[0]), a_connection(balancer.pools[0])
    kept.idle_since = 10.0
    assert not may_repeat(errand, balancer, fresh)
    assert not may_retry(errand, balancer)
    assert may_repeat(errand, balancer, kept)
    assert (errand.retries, balancer.roster.budget.made) == (1, LEAST_AT_ONCE + 1)
    assert not may_repeat(errand, balancer, kept)
