from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.wso2.tokens.told import ATTRIBUTES, D, given, told

from jwtgate.dialects.wso2.reading.configuration import STANDARD_CLAIMS
from jwtgate.dialects.wso2.tokens.context import context_of
from jwtgate.dialects.wso2.tokens.given import Given
from jwtgate.dialects.wso2.tokens.standard import end_user, standard_claims

USER, APPLICATION = {"sub": "ann"}, {"aut": "APPLICATION"}


def whole(profile: str, **changes: Any) -> Given:
    return given(profile=profile, claims=STANDARD_CLAIMS[profile], **changes)


def said(settings: Given, **changes: Any) -> dict[str, Any]:
    return standard_claims(context_of(told(**changes), settings), settings)


def test_the_first_two_generations_say_eleven_things() -> None:
    expected = {
        "subscriber": "sub",
        "applicationid": "2",
        "applicationname": "app2",
        "applicationtier": "Gold",
        "apicontext": "/p",
        "version": "1",
        "tier": "Silver",
        "keytype": "PRODUCTION",
        "usertype": "APPLICATION_USER",
        "enduser": "ann",
        "enduserTenantId": "-1234",
    }
    assert said(whole("v1")) == {f"{D}{name}": value for name, value in expected.items()}
    assert said(whole("v2")) == {
        f"{D}{name}": value for name, value in (expected | {"enduser": "ann@carbon.super"}).items()
    }


def test_later_ones_say_more() -> None:
    found = said(whole("v3", sub_without_tenant=True))
    assert (found["sub"], found[f"{D}apiname"], found[f"{D}applicationUUId"]) == ("ann", "P", "u")
    assert found[f"{D}applicationAttributes"] == {"a": "b"}
    assert said(whole("v3", empty_attributes=True))[f"{D}applicationAttributes"] == {"a": "b", "c": ""}
    assert "sub" not in said(whole("v4"))
    assert said(whole("v4"), kind=None)["sub"] == "ann"


@pytest.mark.parametrize(
    ("profile", "kind", "claims", "expected"),
    [
        ("v1", "opaque", USER, "ann"),
        ("v2", "opaque", USER, "ann@carbon.super"),
        ("v2", "opaque", {"sub": "ann@t1"}, "ann@t1"),
        ("v1", "opaque", APPLICATION, "admin"),
        ("v3", "opaque", APPLICATION, "admin@carbon.super"),
        ("v4", "jwt", USER, "ann@carbon.super"),
        ("v4", "jwt", {"sub": "ann@t1"}, "ann@t1@carbon.super"),
        ("v4", "jwt", {"sub": "ann@carbon.super"}, "ann@carbon.super"),
        ("v4", "api_key", USER, "ann"),
        ("v4", "basic", {"sub": "ann@t1"}, "ann@t1"),
        ("v4", "jwt", APPLICATION, "sub@carbon.super"),
        ("v2", "opaque", {}, None),
    ],
)
def test_whom_a_call_is_made_for(profile: str, kind: str, claims: dict[str, str], expected: str | None) -> None:
    settings = whole(profile)
    assert end_user(context_of(told(kind, claims=claims), settings), settings) == expected


def test_a_caller_without_an_application() -> None:
    assert said(whole("v4"), kind=None, consumer=None) == {
        "sub": "ann",
        f"{D}apiname": "P",
        f"{D}apicontext": "/p",
        f"{D}version": "1",
        f"{D}keytype": "PRODUCTION",
        f"{D}usertype": "Application_User",
        f"{D}enduser": "ann@carbon.super",
        f"{D}enduserTenantId": "-1234",
    }
    assert said(whole("v4"), kind=None, consumer=None, claims=APPLICATION).keys().isdisjoint({f"{D}enduser"})


def test_the_fourth_leaves_out_what_is_empty() -> None:
    blank = {**ATTRIBUTES, "application": {"name": "", "tier": "", "owner": "x"}}
    consumer = {"attributes": blank}
    assert f"{D}applicationname" not in said(whole("v4"), consumer=consumer)
    assert said(whole("v3"), consumer=consumer)[f"{D}applicationname"] == ""


def test_the_user_of_an_application_s_token_may_be_left_out() -> None:
    found = said(whole("v2", remove_user=True), claims=APPLICATION)
    assert found.keys().isdisjoint({f"{D}enduser", f"{D}enduserTenantId"})


def test_claims_may_be_chosen_by_either_name_and_unknown_ones_say_nothing() -> None:
    assert said(given(claims=(f"{D}enduser", "tier", "nothing"))) == {
        f"{D}enduser": "ann@carbon.super",
        f"{D}tier": "Silver",
    }


OLD = {
    "subscriber": "sub",
    "applicationid": "2",
    "applicationname": "app2",
    "applicationtier": "Gold",
    "apicontext": "/p",
    "version": "1",
    "tier": "Silver",
    "keytype": "PRODUCTION",
    "enduserTenantId": "-1234",
}
NEW = {**OLD, "apiname": "P", "applicationUUId": "u", "applicationAttributes": {"a": "b"}}
TABLE: dict[str, dict[str, Any]] = {
    "v1": {**OLD, "usertype": "APPLICATION_USER", "enduser": "ann"},
    "v2": {**OLD, "usertype": "APPLICATION_USER", "enduser": "ann@carbon.super"},
    "v3": {**NEW, "usertype": "APPLICATION_USER", "enduser": "ann@carbon.super"},
    "v4": {**NEW, "usertype": "Application_User", "enduser": "ann@carbon.super"},
}
SUBS = {"v1": {}, "v2": {}, "v3": {"sub": "ann"}, "v4": {"sub": "ann"}}


@pytest.mark.parametrize("profile", TABLE)
@pytest.mark.parametrize("prefix", [D, "http://example.org/c/", "/", ""])
def test_every_generation_says_this_and_no_more(profile: str, prefix: str) -> None:
    settings = whole(profile, prefix=prefix, sub_without_tenant=profile == "v3")
    expected = {f"{prefix}{name}": value for name, value in TABLE[profile].items()} | SUBS[profile]
    assert said(settings, kind=None, claims={"sub": "ann", "iss": "i"}) == expected


@pytest.mark.parametrize(
    ("profile", "kind", "user_type"),
    [
        ("v1", "opaque", "APPLICATION"),
        ("v2", "opaque", "APPLICATION"),
        ("v3", "opaque", "APPLICATION"),
        ("v4", "opaque", "Application_User"),
        ("v4", None, "Application_User"),
    ],
)
def test_an_application_is_told_from_its_users(profile: str, kind: str | None, user_type: str) -> None:
    assert said(whole(profile), kind=kind, claims=APPLICATION)[f"{D}usertype"] == user_type


@pytest.mark.parametrize("profile", ["v1", "v2", "v3", "v4"])
def test_the_type_of_the_key_is_told_and_in_the_fourth_also_where_it_is_not_known(profile: str) -> None:
    sandbox = {"attributes": {**ATTRIBUTES, "key_type": "SANDBOX"}}
    assert said(whole(profile), consumer=sandbox)[f"{D}keytype"] == "SANDBOX"
    unknown = said(whole(profile), consumer=None).get(f"{D}keytype")
    assert unknown == ("PRODUCTION" if profile == "v4" else None)


@pytest.mark.parametrize(
    ("subscriber", "sub", "expected", "number"),
    [
        ("dev@t1.com", "ann", "ann@t1.com", "7"),
        ("dev@t1.com", "ann@t1.com", "ann@t1.com", "7"),
        ("dev", "ann@t1.com", "ann@t1.com@carbon.super", "-1234"),
        ("dev@other.com", "ann", "ann@other.com", None),
    ],
)
def test_in_the_fourth_users_are_of_the_subscriber_s_tenant(
    subscriber: str, sub: str, expected: str, number: str | None
) -> None:
    subscriptions = {"/p/1": {"tier": "Silver", "subscriber": subscriber, "status": None}}
    consumer = {"attributes": {**ATTRIBUTES, "subscriptions": subscriptions}}
    found = said(whole("v4", tenants={"t1.com": 7}), kind=None, consumer=consumer, claims={"sub": sub})
    assert found[f"{D}enduser"] == expected
    assert found.get(f"{D}enduserTenantId") == number


@pytest.mark.parametrize(("subscriber", "expected"), [("dev", "dev@carbon.super"), ("dev@t1.com", "dev@t1.com")])
def test_in_the_fourth_an_application_is_its_subscriber(subscriber: str, expected: str) -> None:
    subscriptions = {"/p/1": {"tier": "Silver", "subscriber": subscriber, "status": None}}
    consumer = {"attributes": {**ATTRIBUTES, "subscriptions": subscriptions}}
    assert said(whole("v4"), consumer=consumer, claims=APPLICATION)[f"{D}enduser"] == expected


def test_only_a_jwt_has_a_subject_in_the_fourth() -> None:
    for kind, is_there in ((None, True), ("jwt", True), ("opaque", False), ("api_key", False), ("basic", False)):
        assert ("sub" in said(whole("v4"), kind=kind)) is is_there
    assert "sub" not in said(whole("v4"), kind=None, claims={})
    assert said(whole("v4", sub_without_tenant=True), kind=None, claims={"sub": "ann@t1"})["sub"] == "ann"
