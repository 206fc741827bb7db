from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from tests.unit.dialects.wso2.objects import objects

from jwtgate.config.expressions import compiled_expression
from jwtgate.dialects.wso2.reading.configuration import Configuration, configured
from jwtgate.dialects.wso2.tokens.context import context_of
from jwtgate.dialects.wso2.tokens.given import Given, tenant_of, with_tenant
from jwtgate.dialects.wso2.tokens.standard import end_user as end_user_of
from jwtgate.dialects.wso2.translation.callers import callers
from jwtgate.dialects.wso2.translation.end_users import developer, end_user, is_for

API = "/p'x/1"
TENANTS = ("t1.com", "t'2.com")


def said(text: str, claims: dict[str, Any], attributes: dict[str, Any] | None) -> object:
    consumer = {} if attributes is None else {"attributes": attributes}
    return compiled_expression(text)({"token": {"wso2": claims}, "consumer": consumer})


def profile(name: str) -> Configuration:
    return configured(objects(options={"jwt_profile": name}))


def attributes_of(owner: str | None, subscriber: str | None) -> dict[str, Any]:
    """What the record of an application holds."""
    api = {"name": "P", "version": "1", "context": "/p'x", "endpoint": "http://127.0.0.1:9"}
    app = {"name": "a", "consumer_key": "k", "owner": owner}
    subscription = {"application": "a", "api": "P", "subscriber": subscriber}
    (caller,) = callers(objects(applications=[app], apis=[api], subscriptions=[subscription]))
    found: dict[str, Any] = caller.value["attributes"]
    return found


CALLERS = [
    ({"iss": "i", "sub": "ann"}, "jwt"),
    ({"iss": "i", "sub": "ann@t1.com"}, "jwt"),
    ({"iss": "i", "sub": "ann@t'2.com", "kind": "basic"}, "jwt"),
    ({"iss": "i", "sub": "ann@carbon.super"}, "jwt"),
    ({"iss": "i"}, "jwt"),
    ({"iss": "i", "sub": "ann@t1.com", "aut": "APPLICATION"}, "jwt"),
    ({"sub": "ann", "aut": "APPLICATION_USER"}, "opaque"),
    ({"sub": "ann@t1.com", "aut": "APPLICATION_USER"}, "opaque"),
    ({"aut": "APPLICATION"}, "opaque"),
    ({"sub": "ann", "kind": "api_key"}, "api_key"),
    ({"sub": "ann@t1.com", "kind": "basic"}, "basic"),
    ({"aut": "APPLICATION", "kind": "api_key"}, "api_key"),
]
APPLICATIONS = [None, ("dev", None), ("dev@t1.com", None), ("dev", "bob@t'2.com"), (None, None)]


@pytest.mark.parametrize("name", ["v1", "v2", "v3", "v4"])
@pytest.mark.parametrize(("caller", "application"), list(product(CALLERS, APPLICATIONS)), ids=str)
def test_the_key_and_the_record_are_those_of_the_user_a_token_names(
    name: str, caller: tuple[dict[str, Any], str], application: tuple[str | None, str | None] | None
) -> None:
    claims, kind = caller
    attributes = None if application is None else attributes_of(*application)
    configuration = profile(name)
    told = {
        "claims": claims,
        "consumer": None if attributes is None else {"attributes": attributes},
        "credential": None if kind == "jwt" else {"labels": {"kind": kind}},
        "route": "p",
        "now": 0,
    }
    settings = Given(name, "", (), apis={"p": {"id": API}})
    expected = end_user_of(context_of(told, settings), settings)
    held = {tenant for tenant in TENANTS if said(is_for(tenant, API, configuration), claims, attributes)}
    assert held == (set() if expected is None else {tenant_of(expected)} & {*TENANTS})
    asked = (developer if claims.get("aut") == "APPLICATION" else end_user)(API, configuration)
    assert (said(asked, claims, attributes) or None) == (None if expected is None else with_tenant(expected))


def test_a_subject_that_is_no_text_stops_nobody() -> None:
    assert said(is_for("t1.com", API, profile("v2")), {"sub": 7}, None) is False
    assert said(end_user(API, profile("v2")), {"sub": 7}, None) == "7@carbon.super"
