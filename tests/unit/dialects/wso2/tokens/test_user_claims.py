from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.dialects.wso2.tokens.told import ATTRIBUTES, NOON, D, given, told

from jwtgate.dialects.wso2.tokens import user_claims as module
from jwtgate.dialects.wso2.tokens.context import User, context_of
from jwtgate.dialects.wso2.tokens.given import Given
from jwtgate.dialects.wso2.tokens.standard import end_user
from jwtgate.dialects.wso2.tokens.user_claims import (
    ClaimCache,
    Retriever,
    converted,
    lacks_operations,
    store_claims,
    user_claims,
)


class Own:
    """A retriever of one's own."""

    def __init__(self, claims: Mapping[str, str] | None, dialect: str = "urn:x") -> None:
        self.claims, self.dialect, self.inits = claims, dialect, 0

    def init(self) -> None:
        self.inits += 1

    def get_claims(self, end_user_name: str) -> Mapping[str, str] | None:
        return self.claims

    def get_dialect_uri(self, end_user_name: str) -> str:
        return self.dialect


class Java:
    def init(self) -> None:
        pass

    def getClaims(self, name: str) -> dict[str, str]:  # noqa: N802 - as in Java
        return {"who": name}

    def getDialectURI(self, name: str) -> str:  # noqa: N802
        return ""


def found(settings: Given, retriever: Retriever | None = None, **changes: Any) -> dict[str, Any]:
    context = context_of(told(**changes), settings)
    return user_claims(context, end_user(context, settings), settings, retriever)


def test_a_retriever_is_made_ready_once_and_its_names_have_its_dialect() -> None:
    own = Own({"email": "e", "urn:y://a": "b", "none": None})  # type: ignore[dict-item]
    retriever = Retriever(own)
    assert retriever.claims("ann") == retriever.claims("bob") == {"urn:x/email": "e", "urn:y://a": "b"}
    assert own.inits == 1
    assert Retriever(Own(None)).claims("ann") == {}
    assert Retriever(Java()).claims("ann") == {"who": "ann"}


def test_what_a_retriever_lacks_is_told() -> None:
    assert lacks_operations(Own({})) == lacks_operations(Java()) == []
    assert lacks_operations(object()) == ["init", "get_claims", "get_dialect_uri"]


def test_the_user_store_is_told_in_the_dialect_and_in_the_order_of_names() -> None:
    user = User("ann@carbon.super", {f"{D}role": "r", "age": "7", "http://other/x": "y", f"{D}empty": ""})
    names = ["http://example.org/c/age", "http://example.org/c/role", "http://other/x"]
    assert list(store_claims(user, given(prefix="http://example.org/c/"))) == names
    assert store_claims(None, given()) == {}
    federated = User("ann@carbon.super", {"age": "7"}, federated=True)
    assert store_claims(federated, given()) == {}
    assert store_claims(federated, given(federated=True)) == {f"{D}age": "7"}


def test_names_of_oidc_are_converted_where_that_is_asked_for() -> None:
    assert converted({"email": "e", "shoe": 1}, given()) == {"email": "e", "shoe": 1}
    mapped = given(conversion={"email": "emailaddress"})
    assert converted({"email": "e", "shoe": 1}, mapped) == {f"{D}emailaddress": "e", "shoe": 1}


def record(name: str, **claims: str) -> dict[str, Any]:
    return {"name": f"user:{name}", "id": f"user:{name}", "attributes": {"claims": claims}}


USERS = {"user": record("ann@carbon.super", age="7"), "owner": record("admin@carbon.super", age="8")}


def test_the_first_generations_ask_the_retriever_unless_something_was_granted() -> None:
    store = given(retriever="user-store")
    assert found(given(), consumers=USERS) == {}
    assert found(store, consumers=USERS) == {f"{D}age": "7"}
    assert found(store, consumers=USERS, claims={"sub": "ann", "grants": {"a": "b"}}) == {"a": "b"}
    assert found(store, consumers=USERS, claims={"aut": "APPLICATION"}) == {f"{D}age": "8"}
    assert found(given(retriever="x:Y"), Retriever(Own({"a": "b"}))) == {"urn:x/a": "b"}


def test_later_ones_ask_the_user_store_where_that_is_said() -> None:
    late = given(profile="v3", user_claims=True, user_claims_of_jwt=True)
    assert found(late, consumers=USERS) == {f"{D}age": "7"}
    of_jwt = given(profile="v4", user_claims=True)
    assert found(of_jwt, kind=None, consumers=USERS) == {}
    assert found(of_jwt, kind="opaque", consumers=USERS) == {f"{D}age": "7"}


def test_whoever_cannot_be_asked_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Own):
        def get_claims(self, end_user_name: str) -> Mapping[str, str]:
            raise OSError("the password is hunter2")

    with caplog.at_level(logging.ERROR):
        assert found(given(retriever="x:Y"), Retriever(Failing({}))) == {}
    assert caplog.messages == ["the claims of the user cannot be had: OSError"]


def test_a_user_nobody_knows_is_told(caplog: pytest.LogCaptureFixture) -> None:
    assert found(given(retriever="user-store")) == {}
    assert caplog.messages == ["the user store has nobody of the name of a caller"]


def test_claims_are_kept_for_so_many_seconds() -> None:
    cache = ClaimCache()
    cache.keep(("a",), {"x": 1}, now=100)
    assert cache.find(("a",), now=159, seconds=60) == {"x": 1}
    assert cache.find(("a",), now=160, seconds=60) is None
    assert cache.find(("a",), now=99, seconds=60) is None  # a clock that was set back
    assert cache.find(("b",), now=100, seconds=60) is None


def test_not_more_than_so_many_are_kept() -> None:
    cache = ClaimCache()
    for number in range(module.MOST_CACHED + 1):
        cache.keep((str(number),), {}, now=0)
    assert cache.find(("0",), now=0, seconds=1) is None
    assert cache.find(("1",), now=0, seconds=1) == {}


STORE = {"profile": "v4", "user_claims": True, "user_claims_of_jwt": True}


@pytest.mark.parametrize(
    ("sub", "subscriber", "name", "is_shown"),
    [
        ("ann", "dev", "ann@carbon.super", True),
        ("ann", "dev@t1.com", "ann@t1.com", True),
        ("ann", "dev@t1.com", "ann@carbon.super", False),
        ("ann@t1.com", "dev@t1.com", "ann@t1.com", True),
        ("ann@t1.com", "dev", "ann@t1.com", False),
        ("ann@t1.com", "dev", "ann@t1.com@carbon.super", True),
    ],
)
def test_no_user_is_taken_for_one_of_another_tenant(sub: str, subscriber: str, name: str, is_shown: bool) -> None:
    subscriptions = {"/p/1": {"tier": "Silver", "subscriber": subscriber, "status": None}}
    consumer = {"attributes": {**ATTRIBUTES, "subscriptions": subscriptions}}
    users = {"user": record(name, age="7")}
    shown = found(given(**STORE), kind=None, consumer=consumer, consumers=users, claims={"sub": sub, "iss": "i"})
    assert shown == ({f"{D}age": "7"} if is_shown else {})


@pytest.mark.parametrize(("owner", "is_shown"), [("sub@carbon.super", True), ("admin@carbon.super", False)])
def test_an_application_has_the_claims_of_the_user_its_token_names(owner: str, is_shown: bool) -> None:
    users = {"owner": record(owner, age="8")}
    shown = found(given(**STORE), consumers=users, claims={"aut": "APPLICATION"})
    assert shown == ({f"{D}age": "8"} if is_shown else {})


def test_a_user_who_is_left_out_has_no_claims_either() -> None:
    settings = given(profile="v3", user_claims=True, remove_user=True)
    assert found(settings, consumers=USERS, claims={"aut": "APPLICATION"}) == {}
    assert found(settings, consumers=USERS) == {f"{D}age": "7"}


def at(now: int, *, seconds: int, name: str = "eve@carbon.super", **claims: str) -> dict[str, Any]:
    """What is said of `eve` at this time, while her record holds these claims."""
    settings = given(retriever="user-store", claim_cache_seconds=seconds, prefix=f"urn:{seconds}/")
    users = {"user": record(name, **claims) if claims else None}
    return found(settings, now=now, consumers=users, claims={"sub": name.partition("@carbon")[0]})


def test_claims_of_a_user_are_kept_and_never_told_of_another() -> None:
    assert at(NOON, seconds=60, age="7") == {"urn:60/age": "7"}
    assert at(NOON + 59, seconds=60, age="8") == {"urn:60/age": "7"}
    assert at(NOON + 59, seconds=60, name="eve@t1.com", age="9") == {"urn:60/age": "9"}
    assert at(NOON + 60, seconds=60, age="8") == {"urn:60/age": "8"}
    assert at(NOON + 60, seconds=0, age="9") == {"urn:0/age": "9"}
    assert at(NOON + 60, seconds=0, age="10") == {"urn:0/age": "10"}


def test_that_nobody_is_there_is_not_kept() -> None:
    assert at(NOON, seconds=61) == {}
    assert at(NOON + 1, seconds=61, age="7") == {"urn:61/age": "7"}
    assert at(NOON + 2, seconds=61) == {}


def test_federated_claims_that_were_kept_are_not_told_once_that_is_off() -> None:
    users = {"user": {**record("fay@carbon.super"), "attributes": {"claims": {"age": "7"}, "federated": True}}}
    on = given(retriever="user-store", claim_cache_seconds=60, federated=True)
    off = given(retriever="user-store", claim_cache_seconds=60)
    told_of: dict[str, Any] = {"consumers": users, "claims": {"sub": "fay"}}
    assert (found(on, **told_of), found(off, **told_of)) == ({f"{D}age": "7"}, {})


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("http://wso2.org/claims/", ["http://wso2.org/claims/a", "http://wso2.org/claims/b", "http://other/c"]),
        ("urn:x/", ["urn:x/a", "urn:x/b", "http://other/c"]),
        ("/", ["/a", "/b", "http://other/c"]),
        ("", ["a", "b", "http://other/c"]),
    ],
)
def test_names_stand_in_the_dialect(prefix: str, names: list[str]) -> None:
    user = User("ann@carbon.super", {f"{D}a": "1", "b": "2", "http://other/c": "3"})
    assert sorted(store_claims(user, given(prefix=prefix))) == sorted(names)


@pytest.mark.parametrize(("tenants", "is_shown"), [({}, True), ({"example.com": 7}, False)])
def test_a_name_may_look_as_if_it_had_a_tenant(tenants: dict[str, int], is_shown: bool) -> None:
    settings = given(retriever="user-store", tenants=tenants)
    users = {"user": record("ann@example.com@carbon.super", age="7")}
    shown = found(settings, consumers=users, claims={"sub": "ann@example.com"})
    assert shown == ({f"{D}age": "7"} if is_shown else {})
