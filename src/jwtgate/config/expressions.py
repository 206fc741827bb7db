"""Expressions of a document (CEL): compiled while loading, bounded, and given nothing but what they name (SEC-50).

What an evaluation would cost is worked out from the sizes of its values before it begins, so a request is refused for
what is in it and never for how busy the machine was. Patterns run on RE2. Neither clock, files, network nor
environment can be reached.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

import cel

from jwtgate.config.expression_text import MATCHES, Leaf, Reading, read_expression
from jwtgate.config.patterns import Pattern
from jwtgate.policy.expression import ExpressionAmbiguous, ExpressionFailed, ExpressionTooCostly
from jwtgate.policy.requirements import ClaimPath
from jwtgate.policy.rooms.claims import MISSING, find

# Nanoseconds, measured generously: handing a value over, one piece of text for one element of a list, reading a value
# once more in a loop, making a list longer by one, beginning to match a pattern, and matching one character.
_HAND_OVER, _PIECE, _READ_AGAIN, _LENGTHEN, _MATCH, _CHARACTER = 500, 150, 40, 60, 3_000, 60
_MOST_NANOSECONDS = 2_500_000
_MOST_VALUES = _MOST_NANOSECONDS // _HAND_OVER
_MOST_PATTERN_SIZE = 500
_LARGEST = 2**63
_MOST_DEPTH = 64
_WRONG_NAME = "names something that is not there, or of another type"
_CAUSES: dict[type[BaseException], str] = {
    IndexError: "names an element that is not in the list",
    OverflowError: "makes a number that is too large",
    ZeroDivisionError: "divides by zero",
}


class CelExpression:
    """A callable that evaluates one expression. It travels to another process as its text."""

    __slots__ = ("_leaves", "_patterns", "_program", "_reading", "text")

    def __init__(self, text: str) -> None:
        """`ValueError` with a sentence when the text cannot be an expression."""
        self.text = text
        reading = read_expression(text, _literal)
        _compiled(text)
        self._program = _compiled(reading.text)
        self._reading = reading
        self._leaves = tuple(reading.leaves)
        self._patterns = {pattern: _search(pattern) for pattern in reading.patterns}

    @property
    def paths(self) -> tuple[ClaimPath, ...]:
        """What it looks at: a path from one of the variables for each name it holds."""
        return tuple(leaf.path for leaf in self._leaves)

    def __call__(self, variables: Mapping[str, object]) -> object:
        """Its JSON value. Raises `ExpressionFailed`, and nothing else."""
        sizes = _Sizes()
        given = {}
        for leaf in self._leaves:
            value = _value(leaf, variables)
            if value is not MISSING:
                sizes.add(value)
                given[leaf.name] = value
        if _nanoseconds(self._reading, sizes) > _MOST_NANOSECONDS:
            raise ExpressionTooCostly("looks at too many values")
        return _json(self._evaluated(given, variables))

    def _evaluated(self, given: dict[str, object], variables: Mapping[str, object]) -> object:
        context: Any = cel.Context(given, {MATCHES: self._matches}) if self._patterns else given
        try:
            return self._program.execute(context)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of the engine is no Exception
            repeated = any(_is_repeated(leaf, variables) for leaf in self._leaves)
            failure = ExpressionAmbiguous if repeated else ExpressionFailed
            raise failure(_CAUSES.get(type(error), _WRONG_NAME)) from None

    def _matches(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str):
            raise TypeError("matches needs text")
        return self._patterns[str(pattern)](value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CelExpression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"CelExpression({self.text!r})"

    def __reduce__(self) -> tuple[Callable[[str], CelExpression], tuple[str]]:
        return compiled_expression, (self.text,)


@lru_cache(maxsize=1024)
def compiled_expression(text: str) -> CelExpression:
    """The expression of this text, one for all that write it. `ValueError` with a sentence."""
    return CelExpression(text)


class _Sizes:
    """How much the values of one evaluation hold: values, characters, and the elements of the longest list."""

    __slots__ = ("characters", "longest", "values")

    def __init__(self) -> None:
        self.values = self.characters = self.longest = 0

    def add(self, value: object, depth: int = 0) -> None:
        """Count this value. `ExpressionFailed` for one the engine cannot hold."""
        self.values += 1
        if isinstance(value, str):
            self.characters += len(value)
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise ExpressionFailed("a number is too large")
        elif isinstance(value, dict):
            self.values += len(value)
            self.characters += sum(map(len, value))
            self._add_all(value.values(), depth)
        elif isinstance(value, list):
            self._add_all(value, depth)

    def _add_all(self, values: Collection[object], depth: int) -> None:
        self.longest = max(self.longest, len(values))
        if depth > _MOST_DEPTH or self.values + len(values) > _MOST_VALUES:
            raise ExpressionTooCostly("looks at too many values")
        for value in values:
            self.add(value, depth + 1)


def _nanoseconds(reading: Reading, sizes: _Sizes) -> int:
    """What an evaluation may take at most, as far as the sizes of its values tell."""
    held = sizes.values + sizes.characters // 64
    longest = max(sizes.longest, reading.commas + 1) * (reading.sums + 1)
    total = sizes.values * _HAND_OVER
    for depth, loop in enumerate(reading.loops):
        once = (
            loop.pieces * _PIECE
            + loop.leaves * held * _READ_AGAIN
            + loop.lists * longest * max(longest, held) * _LENGTHEN
        )
        once += loop.matches * (_MATCH + sizes.characters * _CHARACTER)
        total += longest**depth * once
    return total


def _value(leaf: Leaf, variables: Mapping[str, object]) -> object:
    if not leaf.presence:
        found = find(variables, leaf.path)  # type: ignore[arg-type] # what lies in variables is JSON
        return _with_nulls(found) if leaf.path[0] == "request" and isinstance(found, dict) else found
    holder = find(variables, leaf.path[:-1])  # type: ignore[arg-type]
    return leaf.path[-1] in holder if isinstance(holder, dict) else MISSING


def _is_repeated(leaf: Leaf, variables: Mapping[str, object]) -> bool:
    """Whether what the leaf names stands in the request several times, and so has no value."""
    holder = find(variables, leaf.path[:-1]) if len(leaf.path) > 1 else None  # type: ignore[arg-type] # as above
    return not leaf.presence and isinstance(holder, dict) and holder.get(str(leaf.path[-1])) is MISSING


def _with_nulls(members: Mapping[str, object]) -> dict[str, object]:
    """A part of the request as a whole, with null for what stands there several times."""
    return {
        name: _with_nulls(item) if isinstance(item, dict) else None if item is MISSING else item
        for name, item in members.items()
    }


def _json(value: object, depth: int = 0) -> object:
    """The result, unless it is something JSON does not know."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    if depth <= _MOST_DEPTH and isinstance(value, list):
        return [_json(item, depth + 1) for item in value]
    if depth <= _MOST_DEPTH and isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {name: _json(item, depth + 1) for name, item in value.items()}
    raise ExpressionFailed("its value is not JSON")


def _compiled(text: str) -> cel.Program:
    try:
        return cel.compile(text)
    except ValueError:
        raise ValueError("is not an expression (CEL)") from None


def _literal(text: str) -> object:
    try:
        return cel.evaluate(text)
    except (ValueError, RuntimeError):
        raise ValueError("is not an expression (CEL)") from None


def _search(text: str) -> Callable[[str], bool]:
    """Whether a pattern is found anywhere in a text, as CEL means it."""
    pattern = Pattern(text)
    if pattern.size > _MOST_PATTERN_SIZE:
        raise ValueError("holds a pattern that is too large")
    return Pattern(f"(?s:.*)(?:{text})(?s:.*)")
