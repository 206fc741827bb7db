"""The standard claims of the generations."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from tests.dialects.wso2.conftest import Served
from tests.dialects.wso2.reading import D, claims, of_dialect
from tests.dialects.wso2.records import APPLICATION_TOKEN, SANDBOX_TOKEN, USER_TOKEN, toml, xml
from tests.dialects.wso2.simulated import NOON, Simulated
from tests.dialects.wso2.wso2_process import HEADER, seen

V2 = {
    "subscriber": "admin",
    "applicationid": "2",
    "applicationname": "app2",
    "applicationtier": "Unlimited",
    "apicontext": "/placeFinder/1.0.0",
    "version": "1.0.0",
    "tier": "Silver",
    "keytype": "PRODUCTION",
    "usertype": "APPLICATION_USER",
    "enduser": "sumedha@carbon.super",
    "enduserTenantId": "-1234",
}
JWT = {"token": "a.b.c", "kind": "jwt", "consumer_key": "ck2", "user": "sumedha"}


def test_s8_the_second_generation(served: Served) -> None:
    token = served(xml()).token(USER_TOKEN)
    assert of_dialect(token) == V2
    assert claims(token).keys() == {"iss", "exp", *(f"{D}{name}" for name in V2)}
    assert claims(token)["iss"] == "wso2.org/products/am"
    bare = served(xml()).token(USER_TOKEN, path="/placeFinder/find")
    assert of_dialect(bare) == V2 | {"apicontext": "/placeFinder"}


def test_s9_a_token_of_the_application(served: Served) -> None:
    found = of_dialect(served(xml()).token(APPLICATION_TOKEN))
    assert found == V2 | {"usertype": "APPLICATION", "enduser": "admin@carbon.super"}


def test_s10_a_key_for_the_sandbox(served: Served) -> None:
    assert of_dialect(served(xml()).token(SANDBOX_TOKEN)) == V2 | {"keytype": "SANDBOX"}


@pytest.mark.parametrize(("empty", "more"), [(False, {}), (True, {"Region": ""})])
def test_s11_the_fourth_generation_says_more(tmp_path: Path, empty: bool, more: dict[str, str]) -> None:
    lines = ("[apim.devportal]", f"enable_empty_values_in_application_attributes = {str(empty).lower()}")
    token = Simulated(tmp_path, toml(*lines), tokens=[JWT]).token("a.b.c")
    said = claims(token)
    assert of_dialect(token) == V2 | {
        "usertype": "Application_User",
        "apiname": "PlaceFinder",
        "applicationUUId": "0ad9b5d4-6f5f-4d36-8d19-2d3f0f5f0a02",
        "applicationAttributes": {"External Reference Id": "c1237890"} | more,
    }
    assert (said["sub"], said["iat"]) == ("sumedha", NOON)
    assert UUID(said["jti"]).version == 4


def test_the_third_generation_names_the_user_without_a_tenant(tmp_path: Path) -> None:
    token = Simulated(tmp_path, toml('jwt_profile = "v3"')).token(USER_TOKEN)
    assert claims(token)["sub"] == "sumedha"
    assert of_dialect(token)["enduser"] == "sumedha@carbon.super"
    assert of_dialect(token)["usertype"] == "APPLICATION_USER"
    assert of_dialect(token)["apiname"] == "PlaceFinder"


@pytest.mark.parametrize(("is_on", "alike"), [("true", True), ("false", False)])
def test_s12_a_token_is_sent_again_where_the_cache_is_on(served: Served, is_on: str, alike: bool) -> None:
    gateway = served(toml("[apim.cache.gateway_token]", f"enable = {is_on}"))
    first, second = (gateway.token(USER_TOKEN) for _ in range(2))
    assert (first == second) is alike
    assert (claims(first)["jti"] == claims(second)["jti"]) is alike


@pytest.mark.parametrize(
    ("kind", "user", "expected"),
    [
        ({"token": "k", "kind": "api_key"}, "sumedha", "sumedha"),
        ({"kind": "basic", "password": "p"}, "sumedha", "sumedha"),
        ({"token": "k", "kind": "opaque"}, "sumedha", "sumedha@carbon.super"),
        ({"token": "k", "kind": "jwt"}, "sumedha@carbon.super", "sumedha@carbon.super"),
        ({"token": "k", "kind": "opaque", "user_type": "APPLICATION"}, None, "admin@carbon.super"),
    ],
)
def test_the_end_user_of_the_fourth_generation(
    tmp_path: Path, kind: dict[str, str], user: str | None, expected: str
) -> None:
    named = {} if user is None else {"user": user}
    made = Simulated(tmp_path, toml(), tokens=[{"consumer_key": "ck2", **kind, **named}])
    fields = {"api_key": (b"apikey", b"k"), "basic": (b"authorization", b"Basic c3VtZWRoYTpw")}
    presented = fields.get(kind["kind"], (b"authorization", b"Bearer k"))
    token = made.token(None, NOON, "/placeFinder/1.0.0/find", presented)
    assert of_dialect(token)["enduser"] == expected
    assert ("sub" in claims(token)) == (kind["kind"] == "jwt")


def test_an_api_key_has_a_field_of_its_own(served: Served) -> None:
    tokens = [
        {"kind": "api_key", "token": "k", "consumer_key": "ck2", "user": "sumedha"},
        {"kind": "basic", "consumer_key": "ck2", "user": "sumedha", "password": "p"},
    ]
    gateway = served(toml(), tokens=tokens)
    for field in ("apikey: k", "Authorization: Basic c3VtZWRoYTpw"):
        (token,) = seen(gateway.ask(None, field), HEADER)
        assert of_dialect(token)["enduser"] == "sumedha"
    assert gateway.ask(None, "apikey: other").value["code"] == "900901"


def test_a_subscriber_of_another_tenant(tmp_path: Path) -> None:
    tenants = [{"domain": "t1.com", "id": 1}]
    subscriptions = [{"application": "app2", "api": "PlaceFinder", "tier": "Silver", "subscriber": "bob@t1.com"}]
    application = {"token": "app", "kind": "opaque", "consumer_key": "ck2"}
    made = Simulated(tmp_path, toml(), tenants=tenants, subscriptions=subscriptions, tokens=[JWT, application])
    found = of_dialect(made.token("a.b.c"))
    assert (found["enduser"], found["enduserTenantId"]) == ("sumedha@t1.com", "1")
    assert of_dialect(made.token("app"))["enduser"] == "bob@t1.com"


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    applications = [{"name": "app2", "owner": "", "tier": "", "consumer_key": "ck2"}]
    made = Simulated(tmp_path, toml(), applications=applications, subscriptions=[], tokens=[JWT])
    made.change(
        applications=applications,
        tokens=[JWT],
        settings={"subscription_validation": False},
        subscriptions=[],
    )
    found = of_dialect(made.token("a.b.c"))
    assert found.keys() & {"applicationid", "applicationtier", "tier", "subscriber", "applicationAttributes"} == set()
    assert found["keytype"] == "PRODUCTION"


def test_the_claims_may_be_chosen(tmp_path: Path) -> None:
    token = Simulated(tmp_path, toml('standard_claims = ["iss", "exp", "enduser"]')).token(USER_TOKEN)
    assert claims(token).keys() == {"iss", "exp", f"{D}enduser"}
