from __future__ import annotations

import pytest

from jwtgate.dialects.couper.expressions.operators import OPERATORS, negative
from jwtgate.policy.expression import ExpressionFailed


@pytest.mark.parametrize(
    ("left", "sign", "right", "result"),
    [
        (1, "+", "2", 3),
        (0.5, "+", 0.5, 1),
        (3, "-", 5, -2),
        (6, "*", 7, 42),
        (10, "/", 4, 2.5),
        (10, "/", 5, 2),
        (-15, "%", 4, -3),
        (15, "%", -4, 3),
        (5.5, "%", 2, 1.5),
        (1, "<", 2, True),
        (2, "<=", 2.0, True),
        ("10", ">", "9", True),
        (1, ">=", 2, False),
    ],
)
def test_numbers_are_calculated_with_and_compared(left: object, sign: str, right: object, result: object) -> None:
    assert OPERATORS[sign](left, right) == result


@pytest.mark.parametrize("sign", sorted(OPERATORS))
@pytest.mark.parametrize("value", [None, True, "a", [], {}])
def test_what_is_no_number_fails(sign: str, value: object) -> None:
    with pytest.raises(ExpressionFailed):
        OPERATORS[sign](value, 1)
    with pytest.raises(ExpressionFailed):
        OPERATORS[sign](1, value)


@pytest.mark.parametrize(
    ("left", "sign", "right"),
    [(1, "/", 0), (1, "%", 0), (1.5, "%", 0), (1e308, "*", 10), (10**39, "/", 1e-308), (1e300, "*", 10**39)],
)
def test_what_has_no_result_fails(left: object, sign: str, right: object) -> None:
    with pytest.raises(ExpressionFailed):
        OPERATORS[sign](left, right)


def test_a_sign_is_turned() -> None:
    assert negative("2.5") == -2.5
    with pytest.raises(ExpressionFailed):
        negative(None)
