"""Arithmetic and order. Numbers, and texts that are numbers; whatever else stands there fails, null as well."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jwtgate.dialects.couper.expressions.kinds import number_of, tidy
from jwtgate.policy.expression import ExpressionFailed


def _arithmetic(work: Callable[[Any, Any], Any]) -> Callable[[object, object], Any]:
    def run(left: object, right: object) -> Any:
        try:
            return tidy(work(number_of(left), number_of(right)))
        except (OverflowError, ZeroDivisionError, ValueError):
            raise ExpressionFailed("the result is no number") from None

    return run


def _ordered(work: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    return lambda left, right: work(number_of(left), number_of(right))


def _quotient(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    """What is left of a division towards zero: it has the sign of the dividend."""
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return math.fmod(left, right)


def negative(value: object) -> Any:
    """The number with its sign turned."""
    return tidy(-number_of(value))


OPERATORS: dict[str, Callable[[object, object], Any]] = {
    "+": _arithmetic(lambda left, right: left + right),
    "-": _arithmetic(lambda left, right: left - right),
    "*": _arithmetic(lambda left, right: left * right),
    "/": _arithmetic(_quotient),
    "%": _arithmetic(_remainder),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}
