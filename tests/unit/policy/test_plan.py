from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest
from tests.unit.policy.plans import ROUTE, plan

from jwtgate.policy.plan import Plan
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.requirements import Times
from jwtgate.policy.sources import KeyText


@pytest.mark.parametrize(
    ("origin", "of_request"),
    [
        (Origin.CONSTANT, False),
        (Origin.CLAIM, False),
        (Origin.CLAIMS, False),
        (Origin.FIELD, True),
        (Origin.METHOD, True),
        (Origin.HOST, True),
        (Origin.PATH, True),
        (Origin.CLIENT, True),
    ],
)
def test_a_value_knows_whether_the_request_takes_part_in_it(origin: Origin, of_request: bool) -> None:
    assert Value(origin).of_request is of_request


def test_a_plan_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        plan().iss = "https://other.example"  # type: ignore[misc]


def test_a_plan_can_be_sent_to_another_process() -> None:
    sent: Plan = pickle.loads(pickle.dumps(plan()))
    assert sent.routes == (ROUTE,)
    found = sent.router.find("GET", "api.example", "/orders")
    assert found is sent.routes[0]


def test_the_text_of_a_key_is_not_shown() -> None:
    assert "hush" not in repr(KeyText(text="hush"))


def test_sec_41_leeway_and_expiry_are_strict_unless_said_otherwise() -> None:
    assert Times() == Times(leeway_seconds=30, exp_required=True, max_age_seconds=None, max_lifetime_seconds=None)
