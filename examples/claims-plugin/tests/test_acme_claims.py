from __future__ import annotations

from typing import Any

import pytest
from acme_claims import PREFIX, Subscriptions

CONSUMER = {"name": "jack", "id": "1", "external_id": None, "groups": [], "labels": {}, "attributes": {"tier": "gold"}}


def context(**changed: Any) -> dict[str, Any]:
    known = {
        "claims": {},
        "consumer": None,
        "permissions": [],
        "route": "orders",
        "slot": "access",
        "now": 1_800_000_000,
    }
    return {**known, **changed}


def test_a_consumer_has_a_tier_and_its_limit() -> None:
    assert Subscriptions().standard_claims(context(consumer=CONSUMER)) == {
        f"{PREFIX}subscriber": "jack",
        f"{PREFIX}tier": "gold",
        f"{PREFIX}requests_a_minute": 6_000,
    }


def test_a_consumer_without_a_tier_has_the_free_one() -> None:
    claims = Subscriptions().standard_claims(context(consumer={**CONSUMER, "attributes": {}}))
    assert claims[f"{PREFIX}tier"] == "free"


def test_a_tier_nobody_sells_denies_the_request() -> None:
    with pytest.raises(KeyError):
        Subscriptions().standard_claims(context(consumer={**CONSUMER, "attributes": {"tier": "platinum"}}))


def test_a_caller_that_is_no_consumer_gets_nothing() -> None:
    assert Subscriptions().standard_claims(context()) == {}


@pytest.mark.parametrize("departments", ["sales,support", ["sales", "support"]])
def test_departments_are_a_list(departments: object) -> None:
    claims = Subscriptions().custom_claims(context(claims={"dept": departments}))
    assert claims == {f"{PREFIX}departments": ["sales", "support"]}
    assert Subscriptions().custom_claims(context()) is None
