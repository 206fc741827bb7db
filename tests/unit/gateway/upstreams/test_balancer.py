"""Targets in turn, connections kept, and what comes of one that cannot be made."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.gateway.parts import Gate, Transport, a_generation, a_plan, an_order, wire

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.heads.fields import ResponseFieldKinds
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.gateway.upstreams.balancer import Balancer
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.policy.upstreams import Target, Upstream

KINDS = ResponseFieldKinds(a_plan())
TARGETS = tuple(
    Target(f"t{number}.example", 9000, tls=False, authority=f"t{number}.example:9000") for number in (1, 2, 3)
)
UPSTREAM = Upstream("echo", TARGETS, most_idle_connections=2)


class Loop(asyncio.SelectorEventLoop):
    """A loop that connects to nobody: it raises this error, or waits for ever when TLS is asked for."""

    def __init__(self, error: OSError | None = None) -> None:
        super().__init__()
        self.error = error
        self.asked: list[tuple[str, int, Any, Any]] = []

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        self.asked.append((host, port, options["ssl"], options["server_hostname"]))
        if self.error is not None:
            raise self.error
        if options["ssl"] is not None:
            await asyncio.Event().wait()
        connection = factory()
        connection.connection_made(Transport())
        return connection.transport, connection


def connect(pool: Pool, loop: Loop) -> UpstreamConnection:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(pool.connect())


def fault_of(pool: Pool, loop: Loop) -> UpstreamFault:
    with pytest.raises(UpstreamFault) as caught:
        connect(pool, loop)
    return caught.value


def a_pool(**changes: Any) -> Pool:
    upstream = replace(UPSTREAM, **changes)
    return Pool(upstream, upstream.targets[0], response_kinds=KINDS)


def a_balancer(targets: int = 3) -> Balancer:
    return Balancer(replace(UPSTREAM, targets=TARGETS[:targets]), response_kinds=KINDS)


def a_connection(pool: Pool) -> UpstreamConnection:
    connection = UpstreamConnection(pool)
    connection.connection_made(Transport())  # type: ignore[arg-type]
    return connection


def test_a_connection_goes_to_its_target_and_ends_its_rest() -> None:
    pool = a_pool()
    pool.rests_until = time.monotonic() + 100
    loop = Loop()
    connection = connect(pool, loop)
    assert loop.asked == [("t1.example", 9000, None, None)]
    assert connection.pool is pool
    assert pool.rests_until == 0.0
    assert pool.host_line == b"Host: t1.example:9000\r\n"


@pytest.mark.parametrize("error", [ConnectionRefusedError(), OSError("no route"), ssl.SSLError("handshake")])
def test_a_target_nobody_answers_at_is_unreachable_and_rests(error: OSError) -> None:
    pool = a_pool()
    fault = fault_of(pool, Loop(error))
    assert (fault.reason, fault.status) == ("upstream_unreachable", 502)
    assert fault.detail["cause"] == type(error).__name__
    assert pool.rests_until > time.monotonic()


def a_tls_pool(**changes: Any) -> Pool:
    target = Target("t1.example", 9443, tls=True, authority="t1.example:9443")
    return a_pool(targets=(target,), connect_seconds=0, **changes)


def test_rel_10_a_target_that_takes_no_connection_is_slow_and_rests() -> None:
    pool = a_tls_pool()
    fault = fault_of(pool, Loop())
    assert (fault.reason, fault.status) == ("upstream_slow", 504)
    assert pool.rests_until > time.monotonic()


@pytest.mark.parametrize(("changes", "name"), [({}, "t1.example"), ({"server_name": "other.example"}, "other.example")])
def test_tls_is_verified_for_the_name_that_is_meant(changes: dict[str, str], name: str) -> None:
    loop = Loop()
    fault_of(a_tls_pool(**changes), loop)
    ((_, port, context, server_name),) = loop.asked
    assert (port, server_name) == (9443, name)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_connection_used_last_is_used_first() -> None:
    pool = a_pool()
    one, two = a_connection(pool), a_connection(pool)
    pool.put(one)
    pool.put(two)
    assert [pool.take(), pool.take(), pool.take()] == [two, one, None]


def test_a_connection_that_is_ending_is_not_used() -> None:
    pool = a_pool()
    one, two = a_connection(pool), a_connection(pool)
    pool.put(one)
    pool.put(two)
    wire(two).close()
    assert pool.take() is one
    assert pool.take() is None


def test_no_more_connections_are_kept_than_is_said() -> None:
    pool = a_pool(most_idle_connections=1)
    one, two = a_connection(pool), a_connection(pool)
    pool.put(one)
    pool.put(two)
    assert [wire(one).closed, wire(two).closed] == [False, True]
    assert [pool.take(), pool.take()] == [one, None]


def test_a_connection_that_is_lost_is_forgotten_and_one_that_is_busy_is_nobodys() -> None:
    pool = a_pool()
    one, two = a_connection(pool), a_connection(pool)
    pool.put(one)
    pool.lost(two)
    pool.lost(one)
    assert pool.take() is None


def test_idle_connections_end_after_their_time_and_younger_ones_stay() -> None:
    pool = a_pool()
    one, two = a_connection(pool), a_connection(pool)
    pool.put(one)
    pool.put(two)
    one.idle_since, two.idle_since = 10.0, 20.0
    pool.close_idle(older_than=20.0)
    assert [wire(one).closed, wire(two).closed] == [True, False]
    assert pool.take() is two


def test_a_closed_pool_keeps_nothing() -> None:
    pool = a_pool()
    one, two = a_connection(pool), a_connection(pool)
    pool.put(one)
    pool.close()
    pool.put(two)
    assert [wire(one).closed, wire(two).closed] == [True, True]
    assert pool.take() is None


def test_targets_take_turns() -> None:
    balancer = a_balancer()
    assert [balancer.pick().target.host[:2] for _ in range(4)] == ["t1", "t2", "t3", "t1"]


def test_rel_13_a_target_that_rests_is_passed_over_until_its_rest_is_over() -> None:
    balancer = a_balancer()
    balancer.pools[1].rests_until = time.monotonic() + 100
    assert [balancer.pick().target.host[:2] for _ in range(4)] == ["t1", "t3", "t1", "t3"]
    balancer.pools[1].rests_until = 0.0
    assert "t2" in {balancer.pick().target.host[:2] for _ in range(3)}


@pytest.mark.parametrize("targets", [1, 3])
def test_where_all_rest_one_is_asked_all_the_same(targets: int) -> None:
    balancer = a_balancer(targets)
    for pool in balancer.pools:
        pool.rests_until = time.monotonic() + 100
    picked = {balancer.pick().target.host for _ in range(6)}
    assert len(picked) == targets


def a_weighted_balancer(*weights: int) -> Balancer:
    targets = tuple(replace(target, weight=weight) for target, weight in zip(TARGETS, weights, strict=False))
    return Balancer(replace(UPSTREAM, targets=targets), response_kinds=KINDS)


def picked(balancer: Balancer, count: int) -> list[int]:
    return [balancer.pools.index(balancer.pick()) for _ in range(count)]


def test_a_target_takes_as_many_requests_as_it_weighs_evenly_spread() -> None:
    assert picked(a_weighted_balancer(5, 1, 1), 14) == [0, 0, 1, 0, 2, 0, 0] * 2
    assert picked(a_weighted_balancer(2, 1), 6) == [0, 1, 0, 0, 1, 0]
    assert picked(a_weighted_balancer(7, 7, 7), 4) == [0, 1, 2, 0]


def test_a_weighted_target_that_rests_is_passed_over_unless_all_do() -> None:
    balancer = a_weighted_balancer(5, 1, 1)
    balancer.pools[0].rests_until = time.monotonic() + 100
    assert sorted(picked(balancer, 4)) == [1, 1, 2, 2]
    for pool in balancer.pools:
        pool.rests_until = time.monotonic() + 100
    assert set(picked(balancer, 14)) == {0, 1, 2}


def test_a_target_sees_the_host_the_document_says() -> None:
    assert a_pool(host="orders.internal:81").host_line == b"Host: orders.internal:81\r\n"


def test_another_target_is_the_one_that_rests_least_and_never_the_one_that_was_tried() -> None:
    balancer = a_balancer()
    one, two, three = balancer.pools
    two.rests_until = time.monotonic() + 100
    assert balancer.another([one]) is three
    assert balancer.another([three]) is one
    assert balancer.another([one, three]) is two
    assert balancer.another([one, two, three]) is None


def test_rel_13_a_target_that_is_down_costs_no_answer() -> None:
    plan = a_plan(upstreams={"echo": {"targets": ["http://127.0.0.1:9020", "http://127.0.0.1:9021"]}})
    gate = Gate(a_generation(plan))
    down, up = gate.generation.balancers["echo"].pools
    down.failures.append(UpstreamFault("upstream_unreachable"))  # type: ignore[attr-defined]
    gate.send(an_order())
    assert wire(up.made[0]).take().startswith(b"GET /orders/1 ")  # type: ignore[attr-defined]
    assert gate.desk.counters.upstream_retries == 1
