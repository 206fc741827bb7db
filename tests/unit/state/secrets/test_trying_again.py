from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tests.unit.state.virtual_time import live

from jwtgate.state.secrets.trying_again import MOST_SECONDS, MOST_WAITING, TryingAgain


class Tries:
    """What was tried when; each try takes `seconds`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.made: list[tuple[float, tuple[str, ...]]] = []
        self.running = 0
        self.again = TryingAgain(self._try, clock=self.clock).again

    def clock(self) -> float:
        return asyncio.get_running_loop().time()

    async def _try(self, texts: Iterable[str]) -> None:
        assert self.running == 0
        self.running += 1
        self.made.append((round(self.clock(), 3), tuple(texts)))
        await asyncio.sleep(self.seconds)
        self.running -= 1


def test_the_first_try_is_made_at_once_and_the_next_a_second_later() -> None:
    async def life() -> None:
        tries = Tries()
        await tries.again(["a"])
        await tries.again(["b"])
        assert tries.made == [(0.0, ("a",)), (1.0, ("b",))]

    live(life())


def test_all_who_come_meanwhile_wait_for_one_try() -> None:
    async def life() -> None:
        tries = Tries(seconds=0.5)
        first = asyncio.create_task(tries.again(["a"]))
        await asyncio.sleep(0.1)
        await asyncio.gather(first, tries.again(["b"]), tries.again(["c", "b"]))
        assert tries.made == [(0.0, ("a",)), (1.0, ("b", "c"))]

    live(life())


def test_a_try_that_takes_long_is_not_overtaken_and_nobody_waits_for_it_for_ever() -> None:
    async def life() -> None:
        tries = Tries(seconds=5)
        await tries.again(["a"])
        assert tries.clock() == MOST_SECONDS
        await tries.again(["b"])
        await asyncio.sleep(10)
        assert [at for at, _ in tries.made] == [0.0, 5.0]

    live(life())


def test_who_would_be_one_too_many_is_sent_away_at_once() -> None:
    async def life() -> None:
        tries = Tries(seconds=2)
        waiting = [asyncio.create_task(tries.again(["a"])) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        before = tries.clock()
        await tries.again(["late"])
        assert tries.clock() == before
        await asyncio.gather(*waiting)
        assert all("late" not in texts for _, texts in tries.made)

    live(life())


def test_a_try_that_waits_for_its_time_ends_with_the_rest() -> None:
    async def life() -> None:
        tries = Tries()
        trying = TryingAgain(tries._try, clock=tries.clock)
        await trying.again(["a"])
        late = asyncio.create_task(trying.again(["b"]))
        await asyncio.sleep(0.1)
        await trying.close()
        await late
        await trying.close()
        assert [texts for _, texts in tries.made] == [("a",)]

    live(life())
