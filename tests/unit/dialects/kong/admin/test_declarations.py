"""The whole configuration at once."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.unit.dialects.kong.admin.asking import FORM, JSON_TYPE, Asking

YAML = """
_format_version: "3.0"
services:
- name: s
  url: http://up.example
  routes:
  - name: r
    paths: [/x]
  plugins:
  - name: jwt
consumers:
- username: jack
  jwt_secrets:
  - key: k
    secret: a-secret-of-jack-that-is-long-enough
"""
VALUE = {"_format_version": "3.0", "services": [{"name": "s", "url": "http://up.example"}]}


@pytest.fixture
def asking() -> Asking:
    return Asking()


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (YAML, "text/yaml"),
        (YAML, "application/yaml"),
        (json.dumps({"config": YAML}), JSON_TYPE),
        (json.dumps(VALUE), JSON_TYPE),
        (
            f'--b\r\nContent-Disposition: form-data; name="config"\r\n\r\n{YAML}\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (YAML, FORM),
    ],
)
def test_a_configuration_is_taken_in_every_way_it_may_come(asking: Asking, body: str, media_type: str) -> None:
    assert asking.send("POST", "/config", body, media_type) == 201, asking.reply
    (service,) = asking.value["services"].values()
    assert (service["name"], service["host"]) == ("s", "up.example")
    assert asking.get("/services/s") == service


def test_what_a_configuration_holds_is_there_to_be_read_and_only_that(asking: Asking) -> None:
    asking.made("/consumers", {"username": "before"})
    asking.made("/services", {"name": "before", "host": "b.example"})
    assert asking.send("POST", "/config", YAML, "text/yaml") == 201
    assert [each["username"] for each in asking.get("/consumers")["data"]] == ["jack"]
    assert [each["name"] for each in asking.get("/services")["data"]] == ["s"]
    assert asking.get("/consumers/jack/jwt/k")["key"] == "k"
    assert asking.get("/jwts/k/consumer")["username"] == "jack"
    assert asking.get("/services/s/routes/r")["paths"] == ["/x"]
    assert asking.desk.people == {}


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/routes", "create"),
        ("PUT", "/routes/r", "create or update"),
        ("PATCH", "/routes/r", "update"),
        ("DELETE", "/routes/r", "remove"),
        ("DELETE", "/services/s", "remove"),
    ],
)
def test_entities_cannot_be_changed_then(asking: Asking, method: str, path: str, operation: str) -> None:
    asking.send("POST", "/config", YAML, "text/yaml")
    assert asking.form(method, path, "paths[]=/y") == 405
    assert asking.value["code"] == 12
    assert asking.value["message"] == f"cannot {operation} '{path.split('/')[1]}' entities when not using a database"
    assert asking.get("/routes/r")["paths"] == ["/x"]


def test_consumers_cannot_be_changed_then_either(asking: Asking) -> None:
    asking.send("POST", "/config", YAML, "text/yaml")
    assert asking.json("POST", "/consumers", {"username": "new"}) == 405
    assert asking.form("POST", "/consumers/jack/jwt") == 405
    assert asking.send("DELETE", "/consumers/jack/jwt/k") == 405


def test_another_configuration_takes_its_place(asking: Asking) -> None:
    asking.send("POST", "/config", YAML, "text/yaml")
    assert asking.json("POST", "/config", {"_format_version": "3.0"}) == 201
    assert asking.get("/services")["data"] == []
    assert asking.get("/consumers")["data"] == []


def test_the_same_configuration_is_taken_again_unless_its_digest_is_asked_for(asking: Asking) -> None:
    assert asking.send("POST", "/config?check_hash=1", YAML, "text/yaml") == 201
    assert asking.send("POST", "/config?check_hash=1", YAML, "text/yaml") == 304
    assert asking.send("POST", "/config?check_hash=1", YAML + "#", "text/yaml") == 201
    assert asking.send("POST", "/config?check_hash=0", YAML + "#", "text/yaml") == 201
    assert asking.send("POST", "/config", YAML + "#", "text/yaml") == 201


def test_key_sets_outlive_a_configuration(asking: Asking) -> None:
    asking.desk.objects = {"keysets": {"1": {"id": "1"}}}
    assert asking.send("POST", "/config", YAML, "text/yaml") == 201
    assert asking.desk.objects["keysets"] == {"1": {"id": "1"}}


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("services: []", "_format_version: required field missing"),
        ('_format_version: "9"', "_format_version: expected one of"),
        ('_format_version: "3.0"\nnothing: []', "nothing: unknown field"),
        ('_format_version: "3.0"\nroutes: [{name: r}]', "must set one of"),
        (": : [", "config.yaml"),
        ("[]", "expected an object"),
    ],
)
def test_a_configuration_that_cannot_be_used_changes_nothing(asking: Asking, body: str, part: str) -> None:
    assert asking.send("POST", "/config", body, "text/yaml") == 400
    assert asking.value["code"] == 14
    assert asking.value["message"].startswith("declarative config is invalid: ")
    assert part in asking.value["message"]
    assert asking.desk.version == 0


def test_settings_alone_are_no_configuration() -> None:
    asking = Asking(read=lambda texts: None)
    assert asking.send("POST", "/config", "nothing", "text/yaml") == 400
    assert asking.value["fields"] == {"_format_version": "required field missing"}


def test_nothing_is_no_configuration(asking: Asking) -> None:
    assert asking.form("POST", "/config", "a=b") == 400
    assert asking.value == {"message": "expected a declarative configuration"}
    assert asking.send("PUT", "/config") == 405


def test_what_is_given_can_be_taken_again(asking: Asking) -> None:
    asking.made("/services", {"name": "s", "host": "a.example"})
    asking.made("/services/s/routes", {"name": "r", "paths": ["/x"]})
    asking.made("/services/s/plugins", {"name": "jwt-signer", "config": {"channel_token_optional": True}})
    asking.made("/consumers", {"username": "jack"})
    asking.made("/consumers/jack/jwt", {"key": "k"})
    paths = ("/services", "/routes", "/plugins", "/consumers", "/jwts")
    before = {path: asking.get(path)["data"] for path in paths}
    written = asking.get("/config")["config"]
    assert asking.send("POST", "/config", written, "text/yaml") == 201, asking.reply
    for path, entities in before.items():
        assert _timeless(asking.get(path)["data"]) == _timeless(entities), path
    assert json.loads(asking.get("/config")["config"]).keys() == json.loads(written).keys()


def _timeless(entities: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in each.items() if not name.endswith("_at")} for each in entities]


def test_consumers_from_before_leave_though_they_are_called_as_those_given(asking: Asking) -> None:
    asking.made("/consumers", {"username": "jack"})
    asking.made("/consumers/jack/jwt", {"key": "k"})
    assert asking.send("POST", "/config", YAML, "text/yaml") == 201, asking.reply
    assert asking.desk.people == {}
    assert asking.get("/consumers/jack/jwt/k")["secret"].startswith("a-secret-of-jack")


def test_consumers_a_sudden_end_left_behind_leave_later() -> None:
    asking = Asking()
    asking.made("/consumers", {"username": "before"})
    asking.desk.objects = {"declared": "x"}  # given, and then came the end

    async def tended() -> None:
        task = asyncio.create_task(asking.api.tend())
        while asking.desk.people:
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(asyncio.wait_for(tended(), 30))
    assert asking.desk.people == {}


def test_consumers_of_no_configuration_stay() -> None:
    asking = Asking()
    asking.made("/consumers", {"username": "jack"})

    async def tended() -> None:
        task = asyncio.create_task(asking.api.tend(0))
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(tended())
    assert asking.desk.people.keys() == {"jack"}
