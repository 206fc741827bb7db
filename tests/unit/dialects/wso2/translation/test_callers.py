from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.unit.dialects.wso2.objects import APP, PLACES, objects

from jwtgate.dialects.wso2.translation.callers import callers
from jwtgate.errors import ConfigError


def made(**records: Any) -> dict[str, dict[str, Any]]:
    return {caller.name: caller.value for caller in callers(objects(**records))}


def test_each_key_of_an_application_is_a_consumer() -> None:
    keys = [{"consumer_key": "ck"}, {"consumer_key": "sandbox", "type": "SANDBOX"}]
    app = {**APP, "keys": keys, "attributes": {"a": 1, "b": None}}
    subscriptions = [{"application": "app", "api": "Places", "tier": "Gold"}]
    found = made(applications=[app], apis=[PLACES], subscriptions=subscriptions)
    assert found.keys() == {"application:ck", "application:sandbox"}
    assert found["application:ck"] == {
        "external_id": "ck",
        "groups": ["/p/1"],
        "attributes": {
            "application": {
                "id": "2",
                "uuid": None,
                "name": "app",
                "tier": None,
                "owner": "ann",
                "attributes": {"a": "1", "b": ""},
            },
            "key_type": "PRODUCTION",
            "consumer_key": "ck",
            "subscriptions": {"/p/1": {"tier": "Gold", "status": None, "subscriber": "ann"}},
            "developer": {"name": "ann@carbon.super", "tenant": "carbon.super"},
            "developers": {},
        },
        "credentials": {},
    }
    assert found["application:sandbox"]["attributes"]["key_type"] == "SANDBOX"


def test_an_application_with_one_key_may_say_it_directly() -> None:
    app = {"name": "a", "consumer_key": "k", "key_type": "SANDBOX"}
    assert made(applications=[app])["application:k"]["attributes"]["key_type"] == "SANDBOX"


def test_a_blocked_subscription_lets_nobody_in_and_is_told_all_the_same() -> None:
    subscriptions = [{"application": "app", "api": "Places", "status": "BLOCKED"}]
    (value,) = made(applications=[APP], apis=[PLACES], subscriptions=subscriptions).values()
    assert value["groups"] == []
    assert "/p/1" in value["attributes"]["subscriptions"]


@pytest.mark.parametrize(
    ("token", "key", "kind", "claims"),
    [
        ({"token": "t"}, "t", "opaque", {"aut": "APPLICATION"}),
        ({"token": "t", "user": "bob"}, "t", "opaque", {"sub": "bob", "aut": "APPLICATION_USER"}),
        (
            {"token": "t", "user": "bob", "scopes": ["a", "b"], "id": "j", "exp": 7, "claims": {"x": 1}},
            "t",
            "opaque",
            {"sub": "bob", "aut": "APPLICATION_USER", "scope": "a b", "jti": "j", "exp": 7, "claims": {"x": 1}},
        ),
        (
            {"kind": "basic", "user": "bob", "password": "p:w"},
            base64.b64encode(b"bob:p:w").decode(),
            "basic",
            {"sub": "bob", "aut": "APPLICATION_USER", "kind": "basic"},
        ),
        ({"kind": "api_key", "token": "t"}, "t", "api_key", {"aut": "APPLICATION", "kind": "api_key"}),
        ({"kind": "jwt", "token": "t"}, "t", "jwt", {"aut": "APPLICATION"}),
        ({"token": "granted"}, "granted", "opaque", {"aut": "APPLICATION", "grants": {"g": "h"}}),
        ({"token": "a${b}"}, "a$${b}", "opaque", {"aut": "APPLICATION"}),
    ],
)
def test_a_token_is_a_credential_that_says_what_it_would(
    token: dict[str, Any], key: str, kind: str, claims: dict[str, Any]
) -> None:
    found = made(applications=[APP], tokens=[{"consumer_key": "ck", **token}], grant_cache={"granted": {"g": "h"}})
    ((name, credential),) = found["application:ck"]["credentials"].items()
    assert credential == {"api_key": key, "labels": {"kind": kind}, "claims": claims}
    assert name.startswith(f"{kind}-")
    assert key == "t" or key not in name


def test_users_are_found_with_and_without_the_super_tenant() -> None:
    users = [
        {"name": "ann", "claims": {"age": 7, "none": None}},
        {"name": "bob", "tenant": "t1.com", "federated": True},
        {"name": "cy@t1.com"},
        {"name": "di", "store_domain": "LDAP"},
        {"name": "Zoë B"},
    ]
    found = made(users=users)
    ids = {name: value["id"] for name, value in found.items()}
    assert ids.pop(next(name for name in ids if ":" not in name)) == "user:Zoë B@carbon.super"
    assert ids == {
        "user:ann": "user:ann@carbon.super",
        "user:bob@t1.com": "user:bob@t1.com",
        "user:cy@t1.com": "user:cy@t1.com",
        "user:LDAP/di": "user:LDAP/di@carbon.super",
    }
    assert found["user:ann"]["attributes"] == {"claims": {"age": "7"}, "federated": False}
    assert found["user:bob@t1.com"]["attributes"]["federated"] is True
    assert all("external_id" not in value for value in found.values())


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ({"applications": [APP, {**APP, "name": "b"}]}, "records.json: two applications have the key ck."),
        ({"tokens": [{"token": "t", "consumer_key": "x"}]}, "records.json: tokens: no application has the key x."),
    ],
)
def test_what_does_not_fit_together_is_a_mistake(records: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        made(**records)


def test_who_stands_behind_an_application_may_differ_by_api() -> None:
    subscriptions = [{"application": "app", "api": "Places", "subscriber": "bob@t1.com"}]
    (value,) = made(applications=[APP], apis=[PLACES], subscriptions=subscriptions).values()
    assert value["attributes"]["developer"] == {"name": "ann@carbon.super", "tenant": "carbon.super"}
    assert value["attributes"]["developers"] == {"/p/1": {"name": "bob@t1.com", "tenant": "t1.com"}}
    (value,) = made(applications=[{**APP, "owner": None}]).values()
    assert value["attributes"]["developer"] == {"name": "", "tenant": "carbon.super"}


@pytest.mark.parametrize(
    "users",
    [
        [{"name": "ann"}, {"name": "ann", "claims": {"a": "b"}}],
        [{"name": "ann@t1.com", "tenant": "carbon.super"}, {"name": "ann", "tenant": "t1.com"}],
        [{"name": "ann", "store_domain": "S"}, {"name": "S/ann"}],
    ],
)
def test_two_users_of_one_name_are_told(users: list[dict[str, Any]]) -> None:
    with pytest.raises(ConfigError, match=r"records\.json: two users are called "):
        made(users=users)
    assert len(made(users=[{"name": "ann"}, {"name": "Ann"}, {"name": "ann", "tenant": "t1.com"}])) == 3


def test_one_text_is_one_token() -> None:
    tokens = [{"consumer_key": "ck", "token": "t"}, {"consumer_key": "ck", "token": "t", "user": "bob"}]
    with pytest.raises(ConfigError) as caught:
        made(applications=[APP], tokens=tokens)
    assert caught.value.problems == ("records.json: tokens: one of ck stands there twice.",)


def test_a_key_is_bound_to_its_key_manager_where_that_is_an_issuer() -> None:
    issuers = [{"name": "https://a", "jwks": "https://a/jwks"}]
    for app in ({"name": "x", "keys": [{"consumer_key": "k"}]}, {"name": "x", "consumer_key": "k"}):
        for key_manager, bound in (("https://a", "https://a"), ("https://b", None), (None, None)):
            held = {**app, "key_manager": key_manager}
            if "keys" in app:
                held = {"name": "x", "keys": [{"consumer_key": "k", "key_manager": key_manager}]}
            (value,) = made(applications=[held], issuers=issuers).values()
            assert value["attributes"].get("key_manager") == bound
