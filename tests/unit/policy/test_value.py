from __future__ import annotations

import pytest
from tests.unit.policy.plans import GOOD, principal, proven, request

from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.rooms.identify import ANONYMOUS
from jwtgate.policy.value import value_of

VIEW = request((b"x-a", b"caf\xe9"), (b"x-b", b"1"), (b"x-b", b"2"), path="/orders/7", method="PUT")
ALICE = principal(access=proven(deep={"a": [None]}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Value(Origin.CONSTANT, constant=[1]), [1]),
        (Value(Origin.CONSTANT), None),
        (Value(Origin.CLAIM, slot="access", path=("sub",)), "alice"),
        (Value(Origin.CLAIM, slot="access", path=("deep", "a", 0)), None),
        (Value(Origin.CLAIM, slot="access", path=("nickname",)), MISSING),
        (Value(Origin.CLAIM, slot="channel", path=("sub",)), MISSING),
        (Value(Origin.CLAIMS, slot="access"), {**GOOD, "deep": {"a": [None]}}),
        (Value(Origin.CLAIMS, slot="channel"), MISSING),
        (Value(Origin.FIELD, field=b"x-a"), "café"),
        (Value(Origin.FIELD, field=b"x-b"), MISSING),
        (Value(Origin.FIELD, field=b"x-c"), MISSING),
        (Value(Origin.METHOD), "PUT"),
        (Value(Origin.HOST), "api.example"),
        (Value(Origin.PATH), "/orders/7"),
        (Value(Origin.CLIENT), "192.0.2.7"),
    ],
)
def test_a_value_comes_from_where_the_plan_says(value: Value, expected: object) -> None:
    assert value_of(value, VIEW, ALICE) == expected


def test_an_anonymous_caller_has_no_claims() -> None:
    for origin in (Origin.CLAIM, Origin.CLAIMS):
        assert value_of(Value(origin, slot="access", path=("sub",)), VIEW, ANONYMOUS) is MISSING


@pytest.mark.parametrize("origin", list(Origin))
def test_every_origin_has_a_value(origin: Origin) -> None:
    assert value_of(Value(origin, constant="c", slot="access", path=("sub",), field=b"x-a"), VIEW, ALICE) not in (
        None,
        MISSING,
    )
