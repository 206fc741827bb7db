"""Conditions of routes (`vars`, `_meta.filter`) as expressions of ours (CEL) over the request.

Every expression has a value for every request whose fields and parameters stand there once. What cannot be said is
refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jwtgate.config.expressions import compiled_expression

_HIDDEN = ("authorization", "cookie", "proxy_authorization")
_NAMES = {
    "uri": "request.path",
    "request_method": "request.method",
    "host": "request.host",
    "http_host": "request.host",
    "scheme": "request.scheme",
    "remote_addr": "request.client",
}
_NUMBER = "^[-+]?[0-9]{1,15}([.][0-9]{1,15})?$"
_JOINED = {"AND": (" && ", False), "OR": (" || ", False), "!AND": (" && ", True), "!OR": (" || ", True)}


class CannotSay(Exception):
    """This condition has no words in a document of ours. The text says which part of it, and why."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What a variable is called in an expression: `value`, and what is true when it is there, if it may be missing."""

    value: str
    present: str | None = None

    @property
    def or_empty(self) -> str:
        """Its value, or the empty text."""
        return self.value if self.present is None else f"({self.present} ? {self.value} : '')"

    def and_also(self, condition: str) -> str:
        """This condition on it; false when it is not there."""
        return f"({condition})" if self.present is None else f"({self.present} && {condition})"


def variable(name: str) -> Variable:
    """The variable of this name. `CannotSay`."""
    if name in _NAMES:
        return Variable(_NAMES[name])
    kind, _, rest = name.partition("_")
    part = {"http": "headers", "arg": "query", "cookie": "cookies"}.get(kind)
    if part is None or not rest or (kind == "http" and rest.lower() in _HIDDEN):
        raise CannotSay(f"the variable {name} is not known here")
    key = text_literal(rest.replace("_", "-").lower() if kind == "http" else rest)
    return Variable(f"request.{part}[{key}]", f"{key} in request.{part}")


def expression(conditions: Any) -> str:
    """These conditions, all of which must hold, as one expression. `CannotSay`."""
    if not isinstance(conditions, list):
        raise CannotSay("a list of conditions is expected")
    if not conditions:
        return "true"
    text = _group(conditions) if isinstance(conditions[0], str) and conditions[0] in _JOINED else _all(conditions)
    try:
        compiled_expression(text)
    except ValueError as error:
        raise CannotSay(f"the condition {error}") from None
    return text


def _all(conditions: list[Any]) -> str:
    return " && ".join(map(_one, conditions))


def _one(condition: Any) -> str:
    if not isinstance(condition, list) or not condition:
        raise CannotSay("a condition is a list")
    if isinstance(condition[0], list) or condition[0] in _JOINED:
        return _group(condition) if isinstance(condition[0], str) else f"({_all(condition)})"
    return _comparison(condition)


def _group(condition: list[Any]) -> str:
    joint, negated = _JOINED[condition[0]]
    text = f"({joint.join(map(_one, condition[1:]))})"
    return f"!{text}" if negated else text


def _comparison(condition: list[Any]) -> str:
    if len(condition) == 4 and condition[1] == "!":
        return f"!({_comparison([condition[0], *condition[2:]])})"
    if len(condition) != 3 or not isinstance(condition[0], str) or not isinstance(condition[1], str):
        raise CannotSay("a condition is a variable, an operator and a value")
    name, operator, wanted = condition
    compare = _OPERATORS.get(operator)
    if compare is None:
        raise CannotSay(f"the operator {operator} is not known here")
    return compare(variable(name), wanted)


def _equals(held: Variable, wanted: Any) -> str:
    if isinstance(wanted, bool):
        raise CannotSay("a variable is text, never true or false")
    if isinstance(wanted, int | float):
        return _as_number(held, "==", wanted)
    if wanted is None:
        return f"!({held.present})" if held.present is not None else "false"
    return held.and_also(f"{held.value} == {text_literal(wanted)}")


def _differs(held: Variable, wanted: Any) -> str:
    return f"!{_equals(held, wanted)}"


def _as_number(held: Variable, sign: str, wanted: Any) -> str:
    if isinstance(wanted, str) and re.fullmatch(_NUMBER, wanted):
        wanted = float(wanted)
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        raise CannotSay(f"{sign} compares numbers")
    number = f"double({held.value})"
    return held.and_also(f"{held.value}.matches({text_literal(_NUMBER)}) && {number} {sign} {float(wanted)!r}")


def _compares(sign: str) -> Callable[[Variable, Any], str]:
    return lambda held, wanted: _as_number(held, sign, wanted)


def _matches(held: Variable, wanted: Any) -> str:
    return held.and_also(f"{held.value}.matches({text_literal(wanted)})")


def _matches_any_case(held: Variable, wanted: Any) -> str:
    return held.and_also(f"{held.value}.matches({text_literal('(?i)' + str(wanted))})")


def _is_among(held: Variable, wanted: Any) -> str:
    if not isinstance(wanted, list):
        raise CannotSay("in needs a list")
    if not wanted:
        return "false"
    return f"({' || '.join(_equals(held, each) for each in wanted)})"


_OPERATORS: Mapping[str, Callable[[Variable, Any], str]] = {
    "==": _equals,
    "~=": _differs,
    ">": _compares(">"),
    ">=": _compares(">="),
    "<": _compares("<"),
    "<=": _compares("<="),
    "~~": _matches,
    "~*": _matches_any_case,
    "in": _is_among,
}


def text_literal(value: Any) -> str:
    """The text as it stands in an expression. `CannotSay` for what is no text."""
    if not isinstance(value, str):
        raise CannotSay("text is expected")
    return "'" + json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
