"""A target is well when it says so in its time, in an answer that can be read."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.gateway.parts import wire
from tests.unit.gateway.upstreams.fakes import TARGETS, Loop, a_balancer, a_pool, a_roster, run

from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.upstream import UpstreamConnection
from jwtgate.gateway.upstreams.health_check import Probe, check_all, is_well
from jwtgate.gateway.upstreams.pool import Pool
from jwtgate.gateway.upstreams.roster import Roster
from jwtgate.policy.traffic.upstreams import Ejection, HealthCheck

CHECK = HealthCheck("/health", every_seconds=0.001, timeout_seconds=5.0, healthy_after=1, unhealthy_after=1)


async def asked(pool: Pool) -> UpstreamConnection:
    """The connection a check is asked over."""
    while not pool.connections:
        await asyncio.sleep(0)
    return next(iter(pool.connections))


def found(check: HealthCheck, *pieces: bytes, end: bool = False) -> tuple[bool, bytes, bool]:
    """Whether a target that answers so is well, what it was asked, and whether the connection was ended."""
    pool, seen = a_pool(), []

    async def answer() -> bool:
        checking = asyncio.create_task(is_well(pool, check))
        connection = await asked(pool)
        for piece in pieces:
            connection.data_received(piece)
        if end:
            connection.connection_lost(None)
        seen.append(connection)
        return await checking

    well = run(Loop(), answer())
    return well, wire(seen[0]).take(), wire(seen[0]).aborted


def test_rel_13_a_target_is_asked_by_get_over_a_connection_of_its_own() -> None:
    well, question, ended = found(CHECK, b"HTTP/1.1 204 No Content\r\n\r\n")
    assert well
    assert question == b"GET /health HTTP/1.1\r\nHost: t1.example:9000\r\nConnection: close\r\n\r\n"
    assert ended


def test_a_target_may_be_asked_as_another_host() -> None:
    _, question, _ = found(replace(CHECK, host="a.internal"), b"HTTP/1.1 204 No Content\r\n\r\n")
    assert b"\r\nHost: a.internal\r\n" in question


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nmore", True),
        (b"HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", False),
        (b"hello\r\n\r\n", False),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", False),
    ],
)
def test_what_it_answers_decides(answer: bytes, well: bool) -> None:
    assert found(CHECK, answer)[0] is well


def test_the_statuses_of_a_good_answer_can_be_said() -> None:
    check = replace(CHECK, statuses=frozenset({503}))
    assert found(check, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")[0]
    assert not found(check, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")[0]


def test_an_end_before_an_answer_is_none() -> None:
    assert not found(CHECK, end=True)[0]


def test_a_target_that_does_not_answer_in_time_is_not_well() -> None:
    pool = a_pool()
    assert not run(Loop(), is_well(pool, replace(CHECK, timeout_seconds=0.001)))
    assert all(wire(connection).aborted for connection in pool.connections)


def test_without_a_path_connecting_is_enough() -> None:
    check = replace(CHECK, path=None)
    assert run(Loop(), is_well(a_pool(), check))
    assert not run(Loop(ConnectionRefusedError()), is_well(a_pool(), check))


def test_rel_13_all_targets_are_checked_until_nobody_wants_it() -> None:
    balancer = a_balancer(a_roster(health_check=replace(CHECK, path=None)))
    loop = Loop(errors={"t2.example": ConnectionRefusedError()})

    async def watch() -> list[bool]:
        checks = check_all(balancer.roster)
        while not balancer.pools[1].standing.is_down or len(loop.asked) < 9:
            await asyncio.sleep(0.001)
        usable = balancer.roster.usable(balancer.roster.clock())
        loop.errors.clear()
        while balancer.pools[1].standing.is_down:
            await asyncio.sleep(0.001)
        for check in checks:
            check.cancel()
        await asyncio.gather(*checks, return_exceptions=True)
        return [pool.target in usable for pool in balancer.pools]

    assert run(loop, watch()) == [True, False, True]


def answering(roster: Roster, answer: bytes) -> Loop:
    """A loop on which every target of this roster has answered so to three checks."""
    loop = Loop()

    async def check() -> None:
        checks = check_all(roster)
        for number in range(3):
            while len(loop.made) <= number:
                await asyncio.sleep(0.001)
            assert roster.requests == 0
            loop.made[number].data_received(answer)
            assert all(pool.take() is None for pool in roster.pools())
        for each in checks:
            each.cancel()
        await asyncio.gather(*checks, return_exceptions=True)

    run(loop, check())
    return loop


@pytest.mark.parametrize("status", [b"200 OK", b"500 Oh"])
def test_rel_14_a_check_is_no_request_and_says_nothing_of_those(status: bytes) -> None:
    ejection = Ejection(failures_in_a_row=2, most_percent=100)
    roster = a_balancer(targets=TARGETS[:1], health_check=CHECK, ejection=ejection).roster
    watch = roster.pools()[0].watch
    assert watch is not None
    watch.failed()
    loop = answering(roster, b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)
    assert all(wire(connection).is_closing() for connection in loop.made)
    assert not roster.standings[TARGETS[0]].ejected.times
    watch.failed()
    assert roster.standings[TARGETS[0]].ejected.times


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_rel_20_a_want_of_descriptors_says_nothing_of_a_target(number: int) -> None:
    roster = a_balancer(targets=TARGETS[:1], health_check=CHECK).roster
    loop = Loop(OSError(number, "too many open files"))

    async def check() -> None:
        checks = check_all(roster)
        while len(loop.asked) < 3 and not checks[0].done():
            await asyncio.sleep(0.001)
        for each in checks:
            each.cancel()
        await asyncio.gather(*checks, return_exceptions=True)

    run(loop, check())
    assert len(loop.asked) >= 3
    assert not roster.standings[TARGETS[0]].is_down


def test_nothing_is_checked_unless_said_so() -> None:
    async def checks() -> Any:
        return check_all(a_balancer().roster), check_all(a_roster(health_check=CHECK))

    assert run(Loop(), checks()) == ([], [])


def test_a_probe_reads_no_body_and_never_changes_its_protocol() -> None:
    async def ask() -> None:
        connection = await a_pool().dial(2.0)
        probe = Probe(connection, CHECK)
        probe.deliver(b"", b"body", last=True)
        probe.answered()
        probe.hold_client()
        probe.release_client()
        with pytest.raises(Malformed):
            probe.switching_head(None)  # type: ignore[arg-type]
        with pytest.raises(Malformed):
            probe.begin_tunnel(connection, b"")

    run(Loop(), ask())
