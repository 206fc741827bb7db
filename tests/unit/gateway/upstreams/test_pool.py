"""Connections kept, and what comes of one that cannot be made."""

from __future__ import annotations

import asyncio
import errno
import ssl
from typing import Any

import pytest
from tests.unit.gateway.parts import wire
from tests.unit.gateway.upstreams.fakes import TARGETS, Asking, Loop, a_balancer, a_connection, a_pool, a_roster, run

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.gateway.upstreams.standing import MISSES_TO_DOUBT, REST_SECONDS, State
from jwtgate.policy.traffic.upstreams import Target


def fault_of(pool: Pool, loop: Loop, seconds: float = 2.0) -> UpstreamFault:
    with pytest.raises(UpstreamFault) as caught:
        run(loop, pool.connect(seconds))
    return caught.value


def test_a_connection_goes_to_its_target_and_ends_its_rest() -> None:
    pool, loop = a_pool(), Loop()
    pool.standing.unreachable(0.0)
    connection = run(loop, pool.connect(2.0))
    assert loop.asked == [("t1.example", 9000, None, None)]
    assert connection.pool is pool
    assert pool.standing.state(1000.0) is State.UP
    assert pool.host_line == b"Host: t1.example:9000\r\n"


@pytest.mark.parametrize("error", [ConnectionRefusedError(), OSError("no route"), ssl.SSLError("handshake")])
def test_a_target_nobody_answers_at_is_unreachable_and_rests(error: OSError) -> None:
    pool = a_pool()
    fault = fault_of(pool, Loop(error))
    assert (fault.reason, fault.status) == ("upstream_unreachable", 502)
    assert fault.detail["cause"] == type(error).__name__
    assert pool.standing.rest.until == 1000.0 + REST_SECONDS


def a_tls_pool(**changes: Any) -> Pool:
    target = Target("t1.example", 9443, tls=True, authority="t1.example:9443")
    return a_pool(targets=(target,), **changes)


def test_rel_10_a_target_that_takes_no_connection_is_slow_and_rests() -> None:
    pool = a_tls_pool()
    fault = fault_of(pool, Loop(), 0.0)
    assert (fault.reason, fault.status) == ("upstream_slow", 504)
    assert pool.standing.rest.times == 1


@pytest.mark.parametrize(("changes", "name"), [({}, "t1.example"), ({"server_name": "other.example"}, "other.example")])
def test_tls_is_verified_for_the_name_that_is_meant(changes: dict[str, str], name: str) -> None:
    loop = Loop(ConnectionRefusedError())
    fault_of(a_tls_pool(**changes), loop)
    ((_, port, context, server_name),) = loop.asked
    assert (port, server_name) == (9443, name)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_rel_15_the_addresses_of_a_name_are_tried_one_after_the_other_and_taken_in_turn() -> None:
    roster = a_roster()
    pool, loop = a_pool(roster), Loop(errors={"10.0.0.2": ConnectionRefusedError()})
    roster.names[TARGETS[0]].addresses = ("10.0.0.1", "10.0.0.2", "10.0.0.3")

    async def three_times() -> None:
        for _ in range(3):
            await pool.connect(3.0)

    run(loop, three_times())
    assert [address for address, *_ in loop.asked] == ["10.0.0.2", "10.0.0.3", "10.0.0.3", "10.0.0.1"]


def test_rel_15_where_no_address_answers_the_target_is_unreachable() -> None:
    roster = a_roster()
    pool, loop = a_pool(roster), Loop(ConnectionRefusedError())
    roster.names[TARGETS[0]].addresses = ("10.0.0.1", "10.0.0.2")
    assert fault_of(pool, loop).detail["cause"] == "ConnectionRefusedError"
    assert len(loop.asked) == 2


def test_rel_15_a_kept_connection_to_where_the_name_leads_no_longer_is_closed() -> None:
    roster = a_roster()
    pool = a_pool(roster)
    connection = a_connection(pool)
    pool.put(connection)
    peer, _ = wire(connection).get_extra_info("peername")
    roster.names[TARGETS[0]].addresses = (peer, "10.0.0.1")
    pool.close_idle(older_than=0.0)
    assert not wire(connection).closed
    roster.names[TARGETS[0]].addresses = ("10.0.0.1",)
    pool.close_idle(older_than=0.0)
    assert wire(connection).closed


@pytest.mark.parametrize(("misses", "refused"), [(1, False), (MISSES_TO_DOUBT - 1, False), (MISSES_TO_DOUBT, True)])
def test_rel_13_nobody_waits_beside_a_trial_of_a_target_that_is_in_doubt(misses: int, refused: bool) -> None:
    pool, loop = a_tls_pool(), Loop()
    for _ in range(misses):
        pool.standing.unreachable(1000.0)

    async def both() -> list[UpstreamFault]:
        tries = [asyncio.create_task(pool.connect(60.0)) for _ in range(2)]
        while len(loop.asked) + sum(each.done() for each in tries) < 2:
            await asyncio.sleep(0)
        assert pool.standing.on_trial
        for each in tries:
            each.cancel()
        ended = await asyncio.gather(*tries, return_exceptions=True)
        return [each for each in ended if isinstance(each, UpstreamFault)]

    faults = run(loop, both())
    assert [(fault.reason, fault.status, fault.retry_after_seconds) for fault in faults] == [
        ("upstream_down", 503, 1)
    ] * refused
    assert not pool.standing.on_trial
    assert pool.pending == 0


def test_rel_13_who_could_connect_has_no_doubts_any_more() -> None:
    pool = a_pool()
    for _ in range(MISSES_TO_DOUBT):
        pool.standing.unreachable(1000.0)
    run(Loop(), pool.connect(2.0))
    assert (pool.standing.misses, pool.standing.on_trial) == (0, False)


@pytest.mark.parametrize(
    ("limits", "limit"), [({"most_connections": 1}, "connections"), ({"most_pending": 1}, "pending")]
)
def test_rel_14_a_connection_too_many_is_refused_at_once(limits: dict[str, int], limit: str) -> None:
    roster = a_roster(**limits)
    pool = a_pool(roster)
    pool.pending = 1
    loop = Loop()
    fault = fault_of(pool, loop)
    assert (fault.reason, fault.status, fault.detail["limit"]) == ("upstream_busy", 503, limit)
    assert loop.asked == []
    pool.pending = 0
    run(Loop(), pool.connect(2.0))


def test_rel_14_requests_that_come_at_once_do_not_pass_each_other_by() -> None:
    balancer, loop = a_balancer(targets=TARGETS[:1], most_requests=2), Loop()

    async def five() -> list[object]:
        pools = [balancer.pick(Asking()) for _ in range(5)]
        return await asyncio.gather(*(pool.connect(2.0) for pool in pools), return_exceptions=True)

    faults = [each for each in run(loop, five()) if isinstance(each, UpstreamFault)]
    assert len(loop.made) == 2
    assert [(fault.reason, fault.detail["limit"]) for fault in faults] == [("upstream_busy", "requests")] * 3


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_rel_20_a_want_of_descriptors_is_not_the_fault_of_the_target(number: int) -> None:
    pool = a_pool()
    fault = fault_of(pool, Loop(OSError(number, "too many open files")))
    assert (fault.reason, fault.status, fault.retry_after_seconds) == ("upstream_busy", 503, 1)
    assert (pool.standing.rest.times, pool.standing.failures) == (0, 0)


def test_what_is_not_idle_is_a_request() -> None:
    pool = a_pool()
    one, two = a_connection(pool), a_connection(pool)
    assert pool.busy == 2
    pool.put(one)
    assert pool.busy == 1
    assert pool.take() is one
    pool.pending = 1
    assert pool.busy == 3
    two.connection_lost(None)
    pool.lost(one)
    assert pool.busy == 1


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


def test_a_target_sees_the_host_the_document_says() -> None:
    assert a_pool(host="orders.internal:81").host_line == b"Host: orders.internal:81\r\n"


def test_nobody_watches_where_nothing_is_ejected() -> None:
    pool = a_balancer().pools[0]
    assert pool.watch is None
    pool.failed()
    assert pool.standing.failures == 0
