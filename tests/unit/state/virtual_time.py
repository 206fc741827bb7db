"""An event loop that never sleeps: whenever it would wait for a timer, its clock jumps there instead.

Threads are not waited for, so what is sent to one runs at once.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


class _Selector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen"
        ready = super().select(0)
        if not ready:
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)
        self.set_default_executor(_AtOnce())

    def time(self) -> float:
        return self._clock.now


class _AtOnce(ThreadPoolExecutor):
    def submit(self, fn: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def now() -> float:
    """The virtual time in seconds; it begins at 0."""
    return asyncio.get_running_loop().time()


def live(life: Coroutine[Any, Any, Result]) -> Result:
    """What the coroutine returns, run in virtual time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(life)
