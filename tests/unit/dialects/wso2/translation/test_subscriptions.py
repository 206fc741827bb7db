from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.wso2.objects import APP, PLACES, objects

from jwtgate.dialects.wso2.translation.subscriptions import active, subscriptions_of, versioned
from jwtgate.errors import ConfigError

NEWER = {**PLACES, "version": "2"}


def found(**subscription: Any) -> dict[int, dict[str, dict[str, Any]]]:
    held = objects(applications=[{**APP, "uuid": "u"}], apis=[PLACES, NEWER], subscriptions=[subscription])
    return subscriptions_of(held)


@pytest.mark.parametrize("application", ["app", 2, "2", "u"])
@pytest.mark.parametrize(
    "api",
    [
        {"api": "Places:1"},
        {"api": "/p/1"},
        {"api": "Places", "api_version": 1},
        {"api": "/p", "version": "1"},
        {"api": {"name": "Places", "version": "1"}},
        {"api": {"context": "/p", "version": "1"}},
    ],
)
def test_both_may_be_named_in_several_ways(application: object, api: dict[str, Any]) -> None:
    expected = {0: {"/p/1": {"tier": "Gold", "status": None, "subscriber": "ann"}}}
    assert found(application=application, tier="Gold", **api) == expected


def test_a_subscriber_may_be_somebody_else() -> None:
    assert found(application="app", api="/p/1", subscriber="bob")[0]["/p/1"]["subscriber"] == "bob"


@pytest.mark.parametrize(
    ("subscription", "sentence"),
    [
        ({"application": "other", "api": "/p/1"}, "no application is called other"),
        ({"application": "app", "api": "Other"}, "no API is called Other"),
        ({"application": "app", "api": "Places"}, "more than one API is called Places"),
        ({"application": "app", "api": "Places", "api_version": "3"}, "no API is called Places 3"),
    ],
)
def test_what_is_not_there_is_a_mistake(subscription: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"records.json: subscriptions: {sentence}"):
        found(**subscription)


def test_a_context_has_its_version_once() -> None:
    contexts = {"/p": "/p/1", "/p/": "/p/1", "/p/1": "/p/1", "/{version}/p": "/1/p"}
    assert {context: versioned({**PLACES, "context": context}) for context in contexts} == contexts


@pytest.mark.parametrize(
    ("status", "is_active"),
    [
        *((status, True) for status in (None, "", "UNBLOCKED", "unblocked", "ACTIVE", "TIER_UPDATE_PENDING")),
        *((status, False) for status in ("BLOCKED", "on_hold", "REJECTED", "PROD_ONLY_BLOCKED", "BLOKCED")),
    ],
)
def test_a_subscription_may_be_blocked(status: str | None, is_active: bool) -> None:
    assert active({"status": status}) is is_active


def test_an_application_has_an_api_once() -> None:
    subscription = {"application": "app", "api": "Places"}
    held = objects(
        applications=[APP], apis=[PLACES], subscriptions=[{**subscription, "status": "BLOCKED"}, subscription]
    )
    with pytest.raises(ConfigError, match="subscriptions: one of app stands there twice"):
        subscriptions_of(held)
