"""The kinds of values of HCL: what becomes a number, a text or a truth, what is equal, and how numbers are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from jwtgate.policy.expression import ExpressionFailed

_MOST_DIGITS = 40
_MOST_INTEGER = 10**_MOST_DIGITS


def kind_name(value: object) -> str:
    """What HCL calls the type of this value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "tuple"


def text_of(value: object) -> str:
    """The text a value is converted to. Fails for null, lists and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    raise ExpressionFailed(f"string required, got {kind_name(value)}")


def number_text(number: float) -> str:
    """A number without an exponent, and without a fraction when it is whole."""
    if isinstance(number, int):
        return str(number)
    if number.is_integer():
        return str(int(number))
    return f"{Decimal(repr(number)):f}"


def number_of(value: object) -> float:
    """The number a value is converted to. Fails for null, truths, lists, objects, and texts that are none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _number_in(value)
    raise ExpressionFailed(f"number required, got {kind_name(value)}")


def _number_in(text: str) -> float:
    try:
        number = int(text) if len(text) <= _MOST_DIGITS else float(text)
    except ValueError:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
    # Python reads blanks, underscores, `inf` and digits of other scripts as well.
    if not text.isascii() or not set(text) <= set("+-0123456789.eE") or number - number != 0:
        raise ExpressionFailed("a number is required")
    return tidy(number)


def tidy(number: float) -> float:
    """The same number, whole ones as integers of bounded length. Fails for what is too large or no number."""
    if isinstance(number, int):
        return number if -_MOST_INTEGER < number < _MOST_INTEGER else float(number)
    if number - number != 0:
        raise ExpressionFailed("a number that is too large")
    return int(number) if number.is_integer() and abs(number) < _MOST_INTEGER else number


def truth_of(value: object) -> bool:
    """The truth a value is converted to. Fails for anything but true, false and their texts."""
    if isinstance(value, bool):
        return value
    if value == "true":
        return True
    if value == "false":
        return False
    raise ExpressionFailed(f"bool required, got {kind_name(value)}")


def equal(left: object, right: object) -> bool:
    """Whether two values are of one kind and the same, deeply; numbers as numbers."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(equal(one, other) for one, other in zip(left, right, strict=True))
        )
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(equal(one, right[name]) for name, one in left.items())
        )
    return left == right


def member(value: object, name: object) -> Any:
    """What stands under this name or at this position; null where nothing does."""
    if isinstance(value, dict):
        return value.get(name) if isinstance(name, str) else value.get(text_of(name)) if name is not None else None
    if not isinstance(value, list):
        return None
    if isinstance(name, str) and name.isdecimal() and name.isascii() and len(name) < _MOST_DIGITS:
        name = int(name)
    if isinstance(name, bool) or not isinstance(name, (int, float)) or name != int(name):
        return None
    return value[int(name)] if 0 <= name < len(value) else None


def ordered(value: Any) -> Any:
    """The same value with the members of objects in the order of their names, and whole numbers as integers."""
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [ordered(item) for item in value]
    if isinstance(value, float):
        return tidy(value)
    return value
