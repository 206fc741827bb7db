from __future__ import annotations

import re

import pytest
from tests.unit.dialects.apisix.admin.talking import NODES, NOON, Client

ROUTE = {"uri": "/headers", "upstream": NODES}


def test_a_new_object_is_told_of_with_its_id_and_times() -> None:
    client = Client()
    status, told = client("PUT", "/routes/1", ROUTE)
    assert (status, told["key"]) == (201, "/apisix/routes/1")
    assert told.keys() == {"key", "value"}
    assert told["value"].items() >= {"id": "1", "uri": "/headers", "create_time": NOON, "update_time": NOON}.items()
    assert client.desk.who == ["apisix:admin"]


def test_a_replaced_object_keeps_the_time_it_was_made() -> None:
    client = Client()
    client.made("/routes/1", ROUTE)
    client.now += 5
    status, told = client("PUT", "/routes", {"id": 1, **ROUTE})
    assert status == 200
    assert (told["value"]["create_time"], told["value"]["update_time"]) == (NOON, NOON + 5)


def test_an_object_is_shown_with_its_indexes() -> None:
    client = Client()
    client.made("/routes/1", ROUTE)
    first = client("GET", "/routes/1")[1]
    client.made("/routes/1", ROUTE)
    status, told = client("GET", "/routes/1")
    assert (status, told["key"]) == (200, "/apisix/routes/1")
    assert told["createdIndex"] == first["createdIndex"] < told["modifiedIndex"]
    assert client("GET", "/routes/2") == (404, {"message": "Key not found"})


def test_an_object_nobody_names_gets_an_id() -> None:
    client = Client()
    status, told = client("POST", "/routes", ROUTE)
    assert status == 201
    assert re.fullmatch(r"\d{20}", told["value"]["id"])
    assert client("GET", f"/routes/{told['value']['id']}")[0] == 200
    for path, value in (("/routes/1", ROUTE), ("/routes", {"id": "1", **ROUTE})):
        assert client.error("POST", path, value) == (400, "wrong route id, do not need it")


def test_a_part_of_an_object_is_merged_into_it() -> None:
    client = Client()
    client.made("/routes/1", {**ROUTE, "desc": "x", "methods": ["GET"]})
    client.now += 5
    status, told = client("PATCH", "/routes/1", {"desc": None, "methods": ["PUT"], "upstream": {"retries": 1}})
    assert status == 200
    value = told["value"]
    assert "desc" not in value
    assert (value["methods"], value["upstream"]["retries"], value["upstream"]["nodes"]) == (["PUT"], 1, NODES["nodes"])
    assert (value["create_time"], value["update_time"]) == (NOON, NOON + 5)


def test_a_part_at_a_path_is_replaced() -> None:
    client = Client()
    client.made("/routes/1", ROUTE)
    status, told = client("PATCH", "/routes/1/upstream/nodes", {"127.0.0.1:1981": 1})
    assert (status, told["value"]["upstream"]["nodes"]) == (200, {"127.0.0.1:1981": 1})
    assert client("PATCH", "/routes/1/uri", "/other")[1]["value"]["uri"] == "/other"


def test_a_change_is_checked_as_a_whole() -> None:
    client = Client()
    client.made("/routes/1", ROUTE)
    before = client("GET", "/routes/1")
    status, message = client.error("PATCH", "/routes/1", {"uri": 5})
    assert (status, message.startswith("invalid configuration: ")) == (400, True)
    assert client.error("PATCH", "/routes/1", {"id": "2"}) == (400, "wrong route id")
    assert client("GET", "/routes/1") == before


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("/routes", {"uri": "/"}, "missing route id"),
        ("/routes/1", None, "missing new configuration"),
        ("/routes/1", ["a"], "invalid configuration"),
    ],
)
def test_a_patch_says_of_what_and_how(path: str, value: object, sentence: str) -> None:
    assert Client().error("PATCH", path, value) == (400, sentence)


def test_what_is_not_there_is_not_patched() -> None:
    assert Client()("PATCH", "/routes/1", {"uri": "/"}) == (404, {"message": "Key not found"})


def test_a_deleted_object_is_gone() -> None:
    client = Client()
    client.made("/routes/1", ROUTE)
    assert client("DELETE", "/routes/1") == (200, {"deleted": "1", "key": "/apisix/routes/1"})
    assert client("DELETE", "/routes/1") == (404, {"message": "Key not found"})


def test_what_is_used_is_deleted_by_force_only() -> None:
    client = Client()
    client.made("/upstreams/1", NODES)
    client.made("/routes/1", {"uri": "/", "upstream_id": "1"})
    sentence = "can not delete this upstream, route [1] is still using it now"
    assert client.error("DELETE", "/upstreams/1") == (400, sentence)
    assert client.error("DELETE", "/upstreams/1?force=yes") == (400, sentence)
    assert client("DELETE", "/upstreams/1?force=true")[0] == 200


def test_what_is_named_has_to_be_there() -> None:
    sentence = "failed to fetch upstream info by upstream id [1], response code: 404"
    assert Client().error("PUT", "/routes/1", {"uri": "/", "upstream_id": "1"}) == (400, sentence)


def test_a_body_is_needed_and_no_times_in_it() -> None:
    client = Client()
    assert client.error("PUT", "/routes/1") == (400, "missing configurations")
    sentence = "the property is forbidden:  create_time"
    assert client.error("PUT", "/routes/1", {**ROUTE, "create_time": 1}) == (400, sentence)
    assert client.error("POST", "/routes", {**ROUTE, "create_time": 1}) == (400, sentence)


def test_what_cannot_be_served_is_refused_and_not_kept() -> None:
    client = Client()
    client.desk.refusal = "no such thing"
    assert client.error("PUT", "/routes/1", ROUTE) == (400, "invalid configuration: no such thing")
    assert client.desk.objects == {}


def test_the_name_of_a_secret_has_two_parts() -> None:
    client = Client()
    value = {"uri": "https://127.0.0.1:8200", "prefix": "kv/apisix", "token": "root"}
    status, told = client("PUT", "/secrets/vault/jwt", value)
    assert (status, told["key"], told["value"]["id"]) == (201, "/apisix/secrets/vault/jwt", "vault/jwt")
    client.made("/secrets/aws/jwt", {"access_key_id": "a", "secret_access_key": "b"})
    assert client("PATCH", "/secrets/vault/jwt/token", "other")[1]["value"]["token"] == "other"
    assert client("GET", "/secrets/vault/jwt")[1]["value"]["token"] == "other"
    assert client("GET", "/secrets")[1]["total"] == 2
    assert client("GET", "/secrets/vault")[1]["total"] == 1
    assert client("DELETE", "/secrets/vault/jwt")[0] == 200


def test_a_secret_belongs_to_a_manager_that_is_known() -> None:
    client = Client()
    assert client.error("PUT", "/secrets/x/1", {"uri": "http://a"}) == (400, "invalid secret manager: x")
    for method in ("PUT", "PATCH", "DELETE"):
        assert client.error(method, "/secrets/vault", {"uri": "http://a"}) == (400, "no secret id")


def test_the_private_key_of_a_certificate_is_not_shown() -> None:
    client = Client()
    client.desk.objects = {"ssls": {"1": {"id": "1", "cert": "C", "key": "K", "keys": ["K"], "snis": ["a"]}}}
    assert client("GET", "/ssls/1")[1]["value"] == {"id": "1", "cert": "C", "snis": ["a"]}
    assert client("GET", "/ssls")[1]["list"][0]["value"].keys() == {"id", "cert", "snis"}


def test_metadata_is_named_by_its_plugin() -> None:
    client = Client()
    told = client.made("/plugin_metadata/http-logger", {"log_format": {}})
    assert told["key"] == "/apisix/plugin_metadata/http-logger"
    assert client.error("PUT", "/plugin_metadata", {}) == (400, "missing plugin name")
