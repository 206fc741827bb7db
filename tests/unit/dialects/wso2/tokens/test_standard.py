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
