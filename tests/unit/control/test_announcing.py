"""Of callers workers are told at once, of a burst of revocations once."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.unit.state.virtual_time import live

from jwtgate.control.announcing import BURST_SECONDS, Announcing, Told
from jwtgate.control.workers.messages import ConsumersChanged, RevocationsChanged, StoreChanged
from jwtgate.policy.revocations import Revocation, RevokedBy

ENTRY = Revocation("r-1", RevokedBy.SUBJECT, "alice")


def told(act: Callable[[Announcing], Awaitable[None]]) -> list[Told]:
    """What workers are told while this happens and until nothing more is due."""
    heard: list[Told] = []

    async def run() -> None:
        announcing = Announcing(heard.append)
        await act(announcing)
        announcing.close()

    live(run())
    return heard


def test_a_burst_of_changes_is_told_of_once_and_as_it_is_then() -> None:
    entries: list[Revocation] = []
    heard: list[Told] = []

    async def run() -> None:
        announcing = Announcing(heard.append)
        for _ in range(1000):
            announcing.revocations_changed(lambda: tuple(entries))
        entries.append(ENTRY)
        await asyncio.sleep(BURST_SECONDS)
        assert heard == [RevocationsChanged((ENTRY,))]
        announcing.revocations_changed(tuple)
        await asyncio.sleep(BURST_SECONDS)
        announcing.close()

    live(run())
    assert heard[1] == RevocationsChanged(())


def test_a_change_of_callers_is_told_of_before_it_is_answered() -> None:
    async def act(announcing: Announcing) -> None:
        announcing.consumers_changed()
        announcing.consumers_changed()

    assert told(act) == [ConsumersChanged(), ConsumersChanged()]


def test_sec_76_a_store_that_is_away_is_told_of_at_once() -> None:
    async def act(announcing: Announcing) -> None:
        announcing.store_changed(away=True)
        announcing.store_changed(away=False)

    assert told(act) == [StoreChanged(away=True), StoreChanged(away=False)]


def test_nobody_is_told_anything_after_the_end() -> None:
    async def act(announcing: Announcing) -> None:
        announcing.revocations_changed(tuple)
        announcing.close()
        await asyncio.sleep(2 * BURST_SECONDS)

    assert told(act) == []
