from __future__ import annotations

import pytest
from tests.unit.policy.plans import known

from jwtgate.dialects.couper.expressions.frame import MOST_WORK, TURN, Constant, Frame
from jwtgate.policy.expression import ExpressionTooCostly


def test_work_is_counted_until_there_is_none_left() -> None:
    frame = Frame(known())
    frame.spend(MOST_WORK)
    with pytest.raises(ExpressionTooCostly):
        frame.spend(1)
    assert MOST_WORK // TURN == 65_536


def test_a_value_weighs_as_often_as_it_stands_there() -> None:
    frame = Frame(known())
    once = frame.weigh(["text", {"a": 1}, None])
    assert once > 0
    shared = {"a": "x" * 100}
    assert frame.weigh([shared, shared]) > 2 * frame.weigh("x" * 100)
    assert frame.left < MOST_WORK


def test_what_doubles_at_every_level_is_not_walked_to_its_end() -> None:
    value: list[object] = []
    for _ in range(60):
        value = [value, value]
    with pytest.raises(ExpressionTooCostly):
        Frame(known()).weigh(value)


def test_a_constant_is_the_same_for_all() -> None:
    assert Constant([1])(Frame(known())) == [1]
    assert Constant("a")() == "a"
