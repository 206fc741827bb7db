"""Who is accepted while descriptors are short: nobody, but for those who ask how we are."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable
from typing import Any

from tests.unit.gateway.house import Bound, Loop

from jwtgate.gateway.listening.admission import Admission
from jwtgate.gateway.listening.doors import Doors, descriptor_limit, for_clients

ROOMY, SHORT = 1 << 20, 4
"""Limits: far from what this process holds, and below it."""


def play(moves: Callable[[Loop, Bound, Bound], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, Loop)
        public, status = Bound(), Bound()
        try:
            runner.run(moves(loop, public, status))  # type: ignore[arg-type]
        finally:
            public.close()
            status.close()


async def opened(admission: Admission, limit: int, public: Any, status: Any) -> Doors:
    doors = Doors(admission, limit=lambda: limit)
    await doors.open(public, asyncio.Protocol, always_open=False)
    await doors.open(status, asyncio.Protocol, always_open=True)
    return doors


def test_a_quarter_of_all_descriptors_is_not_for_clients() -> None:
    assert [for_clients(limit) for limit in (256, 1024, 3)] == [192, 768, 3]


def test_the_limit_is_that_of_the_process() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert descriptor_limit() == soft or soft == resource.RLIM_INFINITY


def test_with_room_all_doors_stay_open() -> None:
    async def moves(loop: Loop, public: Bound, status: Bound) -> None:
        doors = await opened(Admission(), ROOMY, public, status)
        doors.look()
        assert not doors.paused
        assert [server.closed for server, _ in loop.servers] == [False, False]

    play(moves)


def test_rel_20_accepting_pauses_when_descriptors_are_short_and_goes_on_when_they_are_not() -> None:
    async def moves(loop: Loop, public: Bound, status: Bound) -> None:
        admission = Admission()
        doors = await opened(admission, SHORT, public, status)
        await asyncio.sleep(0)
        assert [server.closed for server, _ in loop.servers] == [True, False]
        assert (doors.paused, admission.overloaded) == (True, True)
        doors.look()
        await asyncio.sleep(0)
        assert (doors.paused, len(loop.servers)) == (True, 2)
        doors._limit = lambda: ROOMY
        doors.look()
        await asyncio.sleep(0)
        assert not doors.paused
        assert [server.closed for server, _ in loop.servers] == [True, False, False]
        assert public.copies == 2

    play(moves)


def test_rel_20_what_fails_to_open_again_is_tried_again() -> None:
    async def moves(loop: Loop, public: Bound, status: Bound) -> None:
        doors = await opened(Admission(), SHORT, public, status)
        await asyncio.sleep(0)
        doors._limit, public.fails = (lambda: ROOMY), True
        doors.look()
        await asyncio.sleep(0)
        assert doors.paused
        public.fails = False
        doors.look()
        await asyncio.sleep(0)
        assert not doors.paused

    play(moves)


def test_rel_20_where_one_door_cannot_be_opened_again_none_is() -> None:
    async def moves(loop: Loop, public: Bound, other: Bound) -> None:
        doors = Doors(Admission(), limit=lambda: SHORT)
        await doors.open(public, asyncio.Protocol, always_open=False)  # type: ignore[arg-type]
        await doors.open(other, asyncio.Protocol, always_open=False)  # type: ignore[arg-type]
        await asyncio.sleep(0)
        doors._limit, other.fails = (lambda: ROOMY), True
        doors.look()
        await asyncio.sleep(0)
        assert len(loop.servers) == 3
        assert all(server.closed for server, _ in loop.servers)
        other.fails = False
        doors.look()
        await asyncio.sleep(0)
        assert [server.closed for server, _ in loop.servers[3:]] == [False, False]
        assert not doors.paused

    play(moves)


def test_rel_4_a_door_that_is_closed_for_good_stays_closed() -> None:
    async def moves(loop: Loop, public: Bound, status: Bound) -> None:
        doors = await opened(Admission(), SHORT, public, status)
        await asyncio.sleep(0)
        doors._limit = lambda: ROOMY
        doors.look()
        doors.close()
        await asyncio.sleep(0)
        assert all(server.closed for server, _ in loop.servers)
        assert (public.closed, status.closed, len(loop.servers)) == (True, True, 2)
        doors.look()

    play(moves)


def test_rel_20_a_process_without_any_descriptor_left_is_full() -> None:
    async def moves(loop: Loop, public: Bound, status: Bound) -> None:
        doors = await opened(Admission(), ROOMY, public, status)
        public.close()
        assert doors._is_full()

    play(moves)
