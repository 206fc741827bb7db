"""What is made of each element of a list or an object. Every turn counts, so that no loop goes on without end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jwtgate.dialects.couper.expressions.frame import TURN, Frame, Run
from jwtgate.dialects.couper.expressions.kinds import kind_name, member, text_of, truth_of
from jwtgate.policy.expression import ExpressionFailed

Names = tuple[str | None, str]


def each(names: Names, of: Run, *, key: Run | None, value: Run, condition: Run | None, grouped: bool) -> Run:
    """A list of what `value` makes of each element; an object when there is a `key`, of lists when `grouped`."""

    def turns(frame: Frame) -> Iterator[None]:
        for position, element in _elements(of(frame)):
            frame.spend(TURN)
            if names[0] is not None:
                frame.bound[names[0]] = position
            frame.bound[names[1]] = element
            if condition is None or truth_of(condition(frame)):
                yield

    def run(frame: Frame) -> Any:
        before = frame.bound
        frame.bound = dict(before)
        try:
            if key is None:
                return [value(frame) for _ in turns(frame)]
            return _object(((text_of(key(frame)), value(frame)) for _ in turns(frame)), grouped=grouped)
        finally:
            frame.bound = before

    return run


def _elements(value: object) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, list):
        return iter(enumerate(value))
    if isinstance(value, dict):
        return ((name, value[name]) for name in sorted(value))
    raise ExpressionFailed(f"cannot go through {kind_name(value)}")


def _object(pairs: Iterator[tuple[str, Any]], *, grouped: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if grouped:
            made.setdefault(name, []).append(value)
        elif name in made:
            raise ExpressionFailed("two elements have the same key")
        else:
            made[name] = value
    return made


def splat(of: Run, per_element: tuple[Run, ...], after: tuple[Run, ...]) -> Run:
    """What the steps lead to from each element; of a value that is no list, from that alone; of null an empty list."""

    def run(frame: Frame) -> Any:
        value = of(frame)
        elements = value if isinstance(value, list) else [] if value is None else [value]
        frame.spend(TURN * len(elements))
        made: Any = [_along(element, per_element, frame) for element in elements]
        return _along(made, after, frame)

    return run


def _along(value: Any, steps: tuple[Run, ...], frame: Frame) -> Any:
    for step in steps:
        value = member(value, step(frame))
    return value
