"""Changes are told of soon, and a burst of them once."""

import asyncio
from collections.abc import Awaitable, Callable

from jwtgate.control.announcing import Announcing, Told
from jwtgate.control.workers.messages import ConsumersChanged, RevocationsChanged
from jwtgate.policy.revocations import Revocation, RevokedBy

ENTRY = Revocation("r-1", RevokedBy.SUBJECT, "alice")


def told(act: Callable[[Announcing], Awaitable[None]]) -> list[Told]:
    """What workers are told while this happens and until nothing more is due."""
    heard: list[Told] = []

    async def run() -> None:
        announcing = Announcing(heard.append)
        async with asyncio.timeout(5):
            await act(announcing)
        announcing.close()

    asyncio.run(run())
    return heard


async def until(heard: Callable[[], bool]) -> None:
    while not heard():
        await asyncio.sleep(0.005)


def test_a_burst_of_changes_is_told_of_once_and_as_it_is_then() -> None:
    entries: list[Revocation] = []
    heard: list[Told] = []

    async def run() -> None:
        announcing = Announcing(heard.append)
        for _ in range(1000):
            announcing.consumers_changed()
            announcing.revocations_changed(lambda: tuple(entries))
        entries.append(ENTRY)
        async with asyncio.timeout(5):
            await until(lambda: len(heard) == 2)
        assert heard == [ConsumersChanged(), RevocationsChanged((ENTRY,))]
        announcing.consumers_changed()
        async with asyncio.timeout(5):
            await until(lambda: len(heard) == 3)
        announcing.close()

    asyncio.run(run())
    assert heard[2] == ConsumersChanged()


def test_nobody_is_told_anything_after_the_end() -> None:
    async def act(announcing: Announcing) -> None:
        announcing.consumers_changed()
        announcing.close()
        await asyncio.sleep(0.1)

    assert told(act) == []
