from __future__ import annotations

from tests.unit.policy.plans import Expr

from jwtgate.policy.expression import Expression, ExpressionFailed


def test_an_expression_fails_in_one_way() -> None:
    expression: Expression = Expr(lambda seen: seen["a"]["b"])
    assert expression({"a": {"b": 1}}) == 1
    for variables in ({}, {"a": 1}):
        try:
            expression(variables)
        except ExpressionFailed:
            continue
        raise AssertionError
