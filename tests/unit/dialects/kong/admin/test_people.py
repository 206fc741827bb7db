"""Consumers and their credentials, kept as callers of the node."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.unit.dialects.fake_desk import FakeDesk
from tests.unit.dialects.kong.admin.asking import Asking

from jwtgate.dialects.dialect import Caller
from jwtgate.dialects.kong.admin.people import People, Person, with_credential
from jwtgate.errors import ConfigError


@pytest.fixture
def asking() -> Asking:
    asked = Asking()
    asked.made("/consumers", {"username": "jack", "custom_id": "c-1"})
    asked.made("/consumers/jack/jwt", {"key": "k", "secret": "s" * 32})
    return asked


def _stranger(asking: Asking) -> None:
    async def put() -> None:
        async with asking.desk.changing():
            await asking.desk.put_caller(Caller("stranger", {"id": "x", "credentials": {"their": {}}}), who="x")

    asyncio.run(put())


def test_a_consumer_is_found_by_each_of_its_names(asking: Asking) -> None:
    people = People(asking.desk, "x")
    id_ = asking.get("/consumers/jack")["id"]
    for field, value in (("id", id_), ("username", "jack"), ("custom_id", "c-1")):
        person = asyncio.run(people.consumer(field, value))
        assert person is not None
        assert person.consumer["id"] == id_
    for field, value in (("username", "c-1"), ("custom_id", id_), ("id", "c-1"), ("username", "none")):
        assert asyncio.run(people.consumer(field, value)) is None


def test_a_consumer_without_a_user_name_is_found_by_its_other_names(asking: Asking) -> None:
    made = asking.made("/consumers", {"custom_id": "only"})
    assert asking.get(f"/consumers/{made['id']}") == made
    assert asking.json("PATCH", f"/consumers/{made['id']}", {"username": "jill"}) == 200
    assert asking.get("/consumers/jill")["id"] == made["id"]
    assert len(asking.get("/consumers")["data"]) == 2


def test_a_user_name_that_cannot_be_a_name_of_ours_is_found_all_the_same(asking: Asking) -> None:
    made = asking.made("/consumers", {"username": "Jack B. Nimble"})
    assert asking.get("/consumers/Jack%20B.%20Nimble") == made
    assert asking.json("POST", "/consumers", {"username": "Jack B. Nimble"}) == 409


def test_a_new_name_takes_everything_along(asking: Asking) -> None:
    key = asking.get("/jwts/k")
    assert asking.json("PATCH", "/consumers/jack", {"username": "john"}) == 200
    assert asking.send("GET", "/consumers/jack") == 404
    assert asking.get("/consumers/john/jwt/k") == key
    assert list(asking.desk.people) == ["john"]


class _Particular(FakeDesk):
    """A node that has no consumer `john`."""

    async def put_caller(self, caller: Caller, *, who: str) -> None:
        if caller.name == "john":
            raise ConfigError("no")
        await super().put_caller(caller, who=who)


def test_a_new_name_that_is_refused_leaves_the_old_one(asking: Asking) -> None:
    desk = _Particular()
    desk.people = asking.desk.people
    before = dict(desk.people)

    async def rename() -> None:
        people = People(desk, "x")
        person = await people.consumer("username", "jack")
        assert person is not None
        async with desk.changing():
            await people.put(replace(person, consumer={**person.consumer, "username": "john"}))

    with pytest.raises(ConfigError):
        asyncio.run(rename())
    assert desk.people == before


def test_what_the_node_refuses_of_a_consumer_is_a_400(asking: Asking) -> None:
    _stranger(asking)
    assert asking.form("POST", "/consumers/jack/jwt", "key=their") == 400
    assert asking.value["code"] == 2
    assert [each["key"] for each in asking.get("/consumers/jack/jwt")["data"]] == ["k"]


def test_callers_made_by_others_are_not_kong_s(asking: Asking) -> None:
    _stranger(asking)
    assert asking.send("GET", "/consumers/stranger") == 404
    assert [each["username"] for each in asking.get("/consumers")["data"]] == ["jack"]


def test_one_consumer_of_very_many_is_found_by_itself(asking: Asking) -> None:
    for number in range(50):
        asking.json("PUT", f"/consumers/n{number}", {})
    asking.desk.asked.clear()
    assert asking.json("PUT", "/consumers/n7", {"custom_id": "seven"}) == 200
    assert asking.form("PUT", "/consumers/n7/jwt/k7", "secret=s") == 200
    assert asking.send("GET", "/jwts/k7") == 200
    assert set(asking.desk.asked) == {"n7"}


def test_secrets_are_with_the_caller_and_not_in_its_text(asking: Asking) -> None:
    person = asyncio.run(People(asking.desk, "x").consumer("username", "jack"))
    assert "s" * 32 not in repr(person)


def test_a_credential_takes_the_place_of_the_one_of_its_id() -> None:
    person = with_credential(Person("n", {}), "jwt_secrets", "1", {"key": "a"})
    assert with_credential(person, "jwt_secrets", "1", {"key": "b"}).of("jwt_secrets") == {"1": {"key": "b"}}
    assert with_credential(person, "jwt_secrets", "1", None).of("jwt_secrets") == {}
    assert person.of("jwt_secrets") == {"1": {"key": "a"}}
