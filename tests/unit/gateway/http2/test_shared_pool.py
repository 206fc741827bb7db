"""As few connections as will do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from h2.settings import SettingCodes
from tests.unit.gateway.http2.other_side import OtherSide
from tests.unit.gateway.http2.test_client import ask, say
from tests.unit.gateway.parts import Transport
from tests.unit.gateway.upstreams.fakes import KINDS, TARGETS, a_roster

from jwtgate.errors import UpstreamFault
from jwtgate.gateway.http2.shared_pool import SharedPool
from jwtgate.gateway.upstreams.balancer import Balancer
from jwtgate.policy.traffic.upstreams import Target


class Loop(asyncio.SelectorEventLoop):
    """A loop on which a target of HTTP/2 is reached at once."""

    def __init__(self, *, streams: int = 100, speaks: bool = True) -> None:
        super().__init__()
        self.streams = streams
        self.speaks = speaks
        self.reached: list[OtherSide] = []

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        session, transport = factory(), Transport()
        transport.known["peername"] = (host, port)
        session.connection_made(transport)
        server = OtherSide(session, transport, client=False)
        server.library.clear_outbound_data_buffer()
        server.library.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: self.streams})
        server.hear()
        self.reached.append(server)
        if self.speaks:
            self.call_soon(server.say)
        else:
            self.call_soon(session.data_received, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return transport, session


def play(moves: Callable[[SharedPool, Loop], Awaitable[None]], loop: Loop | None = None, **changes: Any) -> None:
    loop = loop or Loop()

    async def run() -> None:
        pool = Balancer(a_roster(protocol="http2", **changes), response_kinds=KINDS).pools[0]
        assert isinstance(pool, SharedPool)
        await moves(pool, loop)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())


def test_many_that_come_at_once_share_one_connection() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        assert pool.take() is None
        await asyncio.gather(*(pool.connect(2.0) for _ in range(20)))
        assert len(loop.reached) == 1
        assert pool.sessions[0].busy == 20
        assert pool.take() is not None

    play(moves)


def test_where_there_is_no_room_another_connection_is_opened() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        await asyncio.gather(*(pool.connect(2.0) for _ in range(5)))
        assert len(loop.reached) == 3
        assert [session.busy for session in pool.sessions] == [2, 2, 1]

    play(moves, Loop(streams=2))


def test_rel_14_connections_are_counted_and_not_the_requests_on_them() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        await asyncio.gather(*(pool.connect(2.0) for _ in range(3)))
        assert (pool.open, pool.busy, pool.pending) == (1, 3, 0)
        with pytest.raises(UpstreamFault) as caught:
            await pool.connect(2.0)
        assert caught.value.reason == "upstream_busy"

    play(moves, Loop(streams=3), most_connections=1, most_pending=1)


def test_rel_14_requests_that_wait_for_one_connection_do_not_pass_each_other_by() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        tries = await asyncio.gather(*(pool.connect(2.0) for _ in range(5)), return_exceptions=True)
        faults = [each for each in tries if isinstance(each, UpstreamFault)]
        assert [(fault.reason, fault.detail["limit"]) for fault in faults] == [("upstream_busy", "requests")] * 3
        assert pool.busy == 2

    play(moves, most_requests=2)
    play(moves, Loop(streams=1), most_requests=2)


def test_an_answered_request_makes_room() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        (await pool.connect(2.0)).drop()
        _, asking = ask(pool.sessions[0])
        say(loop.reached[0], 1)
        assert asking.done
        assert pool.sessions[0].busy == 0
        assert pool.take() is not None

    play(moves, Loop(streams=1))


@pytest.mark.parametrize(
    ("loop", "reason"),
    [(Loop(streams=0), "upstream_unreachable"), (Loop(speaks=False), "upstream_unreachable")],
    ids=["takes no requests", "speaks something else"],
)
def test_a_target_that_will_not_do_cannot_be_reached(loop: Loop, reason: str) -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        results = await asyncio.gather(*(pool.connect(2.0) for _ in range(3)), return_exceptions=True)
        assert [result.reason for result in results if isinstance(result, UpstreamFault)] == [reason] * 3
        assert len(loop.reached) == 1
        with pytest.raises(OSError):
            await pool.dial(2.0)
        assert pool.sessions == []

    play(moves, loop)


def test_one_nobody_used_for_long_is_closed() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        connection = await pool.connect(2.0)
        since = pool.sessions[0].idle_since
        pool.close_idle(since + 1.0)
        assert not loop.reached[0].transport.closed  # it is not idle
        connection.drop()
        pool.close_idle(pool.sessions[0].idle_since - 1.0)
        assert not loop.reached[0].transport.closed
        pool.close_idle(pool.sessions[0].idle_since + 1.0)
        assert loop.reached[0].transport.closed
        assert pool.sessions == []

    play(moves)


def test_when_it_closes_what_is_under_way_is_answered() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        (await pool.connect(2.0)).drop()
        _, asking = ask(pool.sessions[0])
        pool.close()
        assert pool.take() is None
        say(loop.reached[0], 1)
        assert asking.done
        assert loop.reached[0].transport.closed

    play(moves)


def test_a_connection_that_comes_after_its_pool_was_closed_serves_who_waits_and_no_one_else() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        waiting = asyncio.ensure_future(pool.connect(2.0))
        await asyncio.sleep(0)
        pool.close()
        (await waiting).drop()
        assert loop.reached[0].transport.closed

    play(moves)


def test_rel_13_a_check_has_a_connection_of_its_own() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        await pool.connect(2.0)
        check = await pool.dial(2.0)
        assert (len(loop.reached), len(pool.sessions)) == (2, 1)
        check.drop()
        assert [server.transport.closed for server in loop.reached] == [False, True]

    play(moves)


def test_a_stream_is_never_kept() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        connection = await pool.connect(2.0)
        pool.put(connection)
        assert connection.transport.is_closing()
        assert pool.sessions[0].busy == 0

    play(moves)


def test_with_tls_nothing_else_is_offered() -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        assert pool.tls is not None

    target = Target("t1.example", 9443, tls=True, authority="t1.example:9443")
    play(moves, targets=(target,))
    assert TARGETS[0].tls is False


@pytest.mark.parametrize("ends", ["it closes", "it is idle"])
def test_a_connection_whose_first_request_was_refused_meanwhile_is_not_kept_for_it(ends: str) -> None:
    async def moves(pool: SharedPool, loop: Loop) -> None:
        def check_request(requests: int, now: float) -> None:
            if pool.sessions:  # another target has got what there was room for
                raise UpstreamFault("upstream_busy")

        pool.roster.breaker.check_request = check_request  # type: ignore[method-assign]
        with pytest.raises(UpstreamFault):
            await pool.connect(2.0)
        if ends == "it closes":
            pool.close()
        else:
            pool.close_idle(time.monotonic() + 1.0)
            pool.close_idle(time.monotonic() + 1.0)
        await asyncio.sleep(0)
        assert (loop.reached[0].transport.closed, pool.open, pool.busy) == (True, 0, 0)
        assert not pool.connections

    play(moves)
