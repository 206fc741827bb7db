"""One evaluation: what is known, what loops have bound, and how much work is left, so that none runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jwtgate.policy.expression import ExpressionTooCostly
from jwtgate.policy.value import Known

MOST_WORK = 32 * 1024 * 1024
"""In characters, more or less: what one evaluation may look at and make."""
TURN = 512
"""What one turn of a loop counts for: some 65,000 of them are all there may be."""
_MEMBER = 16


class Frame:
    """What the parts of an expression share while it is evaluated."""

    __slots__ = ("bound", "known", "left")

    def __init__(self, known: Known) -> None:
        self.known = known
        self.bound: dict[str, Any] = {}
        self.left = MOST_WORK

    def spend(self, work: int) -> None:
        """Count so much work. Fails when there is more than may be."""
        self.left -= work
        if self.left < 0:
            raise ExpressionTooCostly("too much work")

    def weigh(self, value: object) -> int:
        """Count a value with all that is in it, as often as it stands there; gives what that was."""
        before = self.left
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                self.spend(len(item) + 1)
            elif isinstance(item, (list, dict)):
                self.spend(_MEMBER * (len(item) + 1))
                waiting.extend(item.values() if isinstance(item, dict) else item)
        return before - self.left


Run = Callable[[Frame], Any]


class Constant:
    """A part that is the same for every request."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, frame: Frame | None = None) -> Any:
        """The value."""
        return self.value
