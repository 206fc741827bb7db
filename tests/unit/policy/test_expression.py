from __future__ import annotations

from tests.unit.policy.plans import Expr, Tongue, known

from jwtgate.policy.expression import Asks, Expression, ExpressionFailed, KnownExpression
from jwtgate.policy.facts import NeedConsumer


def test_an_expression_fails_in_one_way() -> None:
    expression: Expression = Expr(lambda seen: seen["a"]["b"])
    assert expression({"a": {"b": 1}}) == 1
    for variables in ({}, {"a": 1}):
        try:
            expression(variables)
        except ExpressionFailed:
            continue
        raise AssertionError


def test_a_failure_may_say_of_which_kind_it_is() -> None:
    failure = ExpressionFailed("no text", kind="configuration")
    assert (str(failure), failure.kind) == ("no text", "configuration")
    assert ExpressionFailed("no text").kind is None


def test_a_known_expression_looks_at_all_that_is_known() -> None:
    expression: KnownExpression = Tongue(lambda here: here.request.path)
    assert expression(known()) == "/orders"


def test_what_is_asked_for_has_a_name() -> None:
    need = NeedConsumer((), "a")
    asked = Asks(need, "a key")
    assert (asked.need, asked.key) == (need, "a key")
