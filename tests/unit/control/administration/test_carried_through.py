"""Work goes on to its end whoever is cancelled, and says what came of it to whoever is not."""

import asyncio

import pytest

from jwtgate.control.administration.carried_through import carried_through


async def answered() -> int:
    return 7


async def failed() -> int:
    raise ValueError("what went wrong")


def test_what_comes_of_it_is_told() -> None:
    assert asyncio.run(carried_through(answered())) == 7
    with pytest.raises(ValueError, match="what went wrong"):
        asyncio.run(carried_through(failed()))


@pytest.mark.parametrize("fails", [False, True])
def test_a_caller_that_is_cancelled_ends_after_the_work(fails: bool) -> None:
    ended: list[bool] = []

    async def run() -> None:
        go_on = asyncio.Event()

        async def work() -> int:
            await go_on.wait()
            ended.append(True)
            return await (failed() if fails else answered())

        task = asyncio.create_task(carried_through(work()))
        for _ in range(3):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == [True]

    asyncio.run(run())
