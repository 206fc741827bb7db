"""Names are looked up ahead of time, and the last good answer is kept for a while."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.unit.gateway.parts import Transport
from tests.unit.gateway.upstreams.fakes import Clock

from jwtgate.gateway.upstreams.name_servers import Found
from jwtgate.gateway.upstreams.names import Name


class Resolver:
    """Answers with what it is told to."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.ttl: int | None = None
        self.error: Exception | None = None
        self.asked = 0

    async def __call__(self, host: str) -> Found:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return Found(self.addresses, self.ttl)


class Scene:
    """A name, who answers for it, and the time."""

    def __init__(self, host: str = "a.example", **changes: float) -> None:
        self.clock = Clock()
        self.resolver = Resolver("10.0.0.1", "10.0.0.2", "10.0.0.3")
        limits = {"every_seconds": 30.0, "stale_seconds": 100.0, **changes}
        self.name = Name(host, clock=self.clock, look_up=self.resolver, **limits)

    async def after(self, seconds: float) -> tuple[str, ...]:
        """The addresses when a tick so much later is over."""
        self.clock.now += seconds
        self.name.look(self.clock.now)
        for _ in range(5):
            await asyncio.sleep(0)
        return self.name.addresses


def play(scenario: Callable[[Scene], Coroutine[Any, Any, None]], **changes: Any) -> None:
    """Run this with a new scene."""

    async def whole() -> None:
        await scenario(Scene(**changes))

    asyncio.run(whole())


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    fields = [record.__dict__["fields"] for record in caplog.records]
    return [(each["name"], each["state"]) for each in fields]


def test_rel_15_a_name_without_a_ttl_is_looked_up_each_interval_and_never_in_between() -> None:
    async def scenario(scene: Scene) -> None:
        assert await scene.after(0) == ("10.0.0.1", "10.0.0.2", "10.0.0.3")
        scene.resolver.addresses = ("10.0.0.9",)
        assert len(await scene.after(29.9)) == 3
        assert scene.resolver.asked == 1
        assert await scene.after(0.1) == ("10.0.0.9",)

    play(scenario)


@pytest.mark.parametrize(
    ("ttl", "seconds"), [(7, 7.0), (30, 30.0), (86400, 30.0), (1, 1.0), (0, 1.0)], ids=lambda value: str(value)
)
def test_rel_15_a_name_is_looked_up_when_its_ttl_ends_within_bounds(ttl: int, seconds: float) -> None:
    async def scenario(scene: Scene) -> None:
        scene.resolver.ttl = ttl
        await scene.after(0)
        assert len(await scene.after(seconds - 0.25)) == 3
        assert scene.resolver.asked == 1
        scene.resolver.addresses, scene.resolver.ttl = ("10.0.0.9",), None
        assert await scene.after(0.25) == ("10.0.0.9",)
        await scene.after(29.75)
        assert scene.resolver.asked == 2

    play(scenario)


def test_rel_15_the_addresses_that_are_known_are_used_while_others_are_looked_up() -> None:
    async def scenario(scene: Scene) -> None:
        known = set(await scene.after(0))
        scene.resolver.addresses = ("10.0.0.9",)
        scene.clock.now += 30
        scene.name.look(scene.clock.now)
        assert set(await scene.name.in_turn()) == known
        assert await scene.after(0) == ("10.0.0.9",)

    play(scenario)


def test_rel_15_all_addresses_are_used_in_turn() -> None:
    async def scenario(scene: Scene) -> None:
        firsts = [(await scene.name.in_turn())[0] for _ in range(6)]
        assert sorted(firsts) == ["10.0.0.1"] * 2 + ["10.0.0.2"] * 2 + ["10.0.0.3"] * 2
        assert firsts[:3] == firsts[3:]
        assert len(await scene.name.in_turn()) == 3
        assert scene.resolver.asked == 1

    play(scenario)


def test_rel_15_many_that_wait_for_a_name_have_it_looked_up_once() -> None:
    async def scenario(scene: Scene) -> None:
        found = await asyncio.gather(*(scene.name.in_turn() for _ in range(9)))
        assert scene.resolver.asked == 1
        assert {frozenset(each) for each in found} == {frozenset(scene.resolver.addresses)}

    play(scenario)


@pytest.mark.parametrize("error", [socket.gaierror("no such name"), TimeoutError(), UnicodeError()])
def test_rel_15_a_failure_keeps_the_last_good_answer_up_to_a_bound(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(scene: Scene) -> None:
        good = await scene.after(0)
        scene.resolver.error = error
        assert await scene.after(30) == good
        assert scene.name.is_stale
        assert await scene.after(69) == good
        assert await scene.after(1) == ()
        with pytest.raises(OSError, match="without an address"):
            await scene.name.in_turn()
        scene.resolver.error = None
        assert await scene.after(60) == good
        assert not scene.name.is_stale

    play(scenario)
    assert said(caplog) == [("a.example", state) for state in ("stale", "unknown", "known")]


def test_rel_15_after_a_failure_it_is_looked_up_again_soon_and_then_less_often() -> None:
    async def scenario(scene: Scene) -> None:
        scene.resolver.error = OSError()
        at = []
        for second in range(40):
            before = scene.resolver.asked
            await scene.after(1)
            at += [second] * (scene.resolver.asked - before)
        assert at == [0, 1, 3, 7, 15, 31]

    play(scenario)


def test_a_name_nobody_knows_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(scene: Scene) -> None:
        scene.resolver.error = OSError()
        for _ in range(9):
            await scene.after(30)

    play(scenario)
    assert said(caplog) == [("a.example", "unknown")]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%eth0"])
def test_an_address_is_never_looked_up(host: str) -> None:
    async def scenario(scene: Scene) -> None:
        assert await scene.after(1000) == (host,)
        assert await scene.name.in_turn() == (host,)
        assert scene.resolver.asked == 0
        assert scene.name.leads_to(Transport("10.9.9.9"))  # type: ignore[arg-type]

    play(scenario, host=host)


def test_rel_15_a_connection_leads_to_the_name_while_its_address_does() -> None:
    async def scenario(scene: Scene) -> None:
        assert scene.name.leads_to(Transport("10.9.9.9"))  # type: ignore[arg-type]
        await scene.after(0)
        assert scene.name.leads_to(Transport("10.0.0.2"))  # type: ignore[arg-type]
        assert not scene.name.leads_to(Transport("10.9.9.9"))  # type: ignore[arg-type]

    play(scenario)


def test_the_last_good_answer_is_taken_over() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.after(0)
        after = Scene()
        after.resolver.error = OSError()
        after.name.take_over(scene.name)
        assert await after.after(0) == scene.name.addresses
        assert await after.after(101) == ()

    play(scenario)
