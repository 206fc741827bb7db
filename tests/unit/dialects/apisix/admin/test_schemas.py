from __future__ import annotations

import pytest
from tests.unit.dialects.apisix.admin.talking import Client


def test_plugins_are_listed_the_first_at_the_head() -> None:
    status, names = Client()("GET", "/plugins/list")
    assert status == 200
    assert names.index("multi-auth") < names.index("jwt-auth") < names.index("limit-count") < names.index("public-api")
    assert Client()("GET", "/plugins/list?subsystem=stream") == (200, [])


def test_the_schema_of_a_plugin_is_shown() -> None:
    client = Client()
    route = client("GET", "/plugins/jwt-auth")
    assert route[1]["properties"]["key_claim_name"]["default"] == "key"
    assert client("GET", "/schema/plugins/jwt-auth") == route
    assert client("GET", "/schema/plugins/jwt-auth?schema_type=whatever") == route
    consumer = client("GET", "/schema/plugins/jwt-auth?schema_type=consumer")[1]
    assert consumer["required"] == ["key"]
    assert client("GET", "/plugins?all=true")[1]["jwt-auth"]["priority"] == 2510


def test_a_plugin_that_is_none_is_told_of() -> None:
    assert Client().error("GET", "/schema/plugins/x") == (404, "plugin not found in subsystem http")
    assert Client().error("GET", "/plugins/x") == (404, "plugin not found in subsystem http")
    assert Client().error("GET", "/schema/plugins") == (400, "not found plugin name")
    assert Client().error("GET", "/schema/plugins/public-api?schema_type=consumer") == (400, "not found schema")


@pytest.mark.parametrize("name", ["route", "routes", "consumer", "consumer_group", "upstream"])
def test_the_schema_of_a_collection_is_shown(name: str) -> None:
    status, schema = Client()("GET", f"/schema/{name}")
    assert (status, schema["type"]) == (200, "object")


def test_a_schema_that_is_none_is_told_of() -> None:
    assert Client().error("GET", "/schema/x") == (400, "not found schema: x")


def test_an_object_is_checked_and_not_kept() -> None:
    client = Client()
    assert client("POST", "/schema/validate/routes", {"uri": "/", "service_id": "s"}) == (200, None)
    assert client.desk.objects == {}
    wrong = 'property "uri" validation failed: wrong type: expected string, got number'
    assert client.error("POST", "/schema/validate/routes", {"uri": 5, "plugins": {}}) == (400, wrong)
    assert client.error("POST", "/schema/validate/x", {}) == (404, "Unsupported resource type: x")
    assert client.error("PUT", "/schema/validate/routes", {}) == (404, "not found")


def test_plugins_are_reloaded_as_they_are() -> None:
    assert Client().reply("PUT", "/plugins/reload").body == b"done"
    assert Client().error("GET", "/plugins/reload")[0] == 405
    assert Client().error("PUT", "/plugins/list", {}) == (404, "not found")
