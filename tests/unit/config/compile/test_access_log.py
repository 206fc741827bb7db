"""The shape of the access log as the plan has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jwtgate.policy.plan import LogShape, Plan
from jwtgate.policy.provisions import Origin, Value

Compile = Callable[[dict[str, Any]], Plan]


def test_the_shape_is_one_format_in_which_only_atoms_are_filled_in(plan: Compile) -> None:
    members = {
        "a": "id",
        "b": {"c": "status", "d": {"constant": {"e": '100% %(id)s "ü"'}}},
        "f": "ms",
        "g": "generation",
        "h": "path",
    }
    shape = plan({"access_log": {"members": members}}).access_log
    assert shape is not None
    assert (shape.refused, shape.custom) == ((), "log")
    filled = shape.line % {"id": "7", "status": 200, "ms": 1.5, "generation": 2, "path": r'"/\u00fc"'}
    assert filled == r'{"a":"7","b":{"c":200,"d":{"e":"100% %(id)s \"\u00fc\""}},"f":1.500,"g":2,"h":"/\u00fc"'


def test_members_of_refusals_are_values(plan: Compile) -> None:
    shape = {"members": {"a": "id"}, "refused": {"b": "x", "c": {"request": "path"}}, "custom": "mine"}
    refused = (("b", Value(Origin.CONSTANT, constant="x")), ("c", Value(Origin.PATH)))
    assert plan({"access_log": shape}).access_log == LogShape('{"a":"%(id)s"', refused, "mine")


def test_without_one_lines_are_our_own(plan: Compile) -> None:
    assert plan({}).access_log is None
