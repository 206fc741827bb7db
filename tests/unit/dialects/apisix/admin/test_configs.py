from __future__ import annotations

import pytest
from tests.unit.dialects.apisix.admin.talking import NODES, NOON, Client

TIMES = {"create_time": NOON, "update_time": NOON}
WHOLE = {
    "routes": [{"id": "1", "uri": "/", "upstream_id": "u"}],
    "upstreams": [{"id": "u", **NODES}],
    "consumers": [
        {"username": "jack", "plugins": {"key-auth": {"key": "a"}}},
        {"id": "jack/credentials/c", "plugins": {"key-auth": {"key": "b"}}},
    ],
    "routes_conf_version": 3,
}


def test_everything_is_replaced_at_once() -> None:
    client = Client()
    client.made("/routes/old", {"uri": "/", "upstream": NODES})
    client.made("/consumers", {"username": "rose"})
    assert client("PUT", "/configs", WHOLE) == (202, None)
    assert [each["key"] for each in client("GET", "/routes")[1]["list"]] == ["/apisix/routes/1"]
    assert [each["key"] for each in client("GET", "/consumers")[1]["list"]] == ["/apisix/consumers/jack"]
    assert client("GET", "/consumers/jack/credentials/c")[1]["value"]["id"] == "c"


def test_everything_is_shown_as_it_is_replaced() -> None:
    client = Client()
    client("PUT", "/configs", WHOLE)
    status, told = client("GET", "/configs")
    assert status == 200
    assert told["consumers"] == [{**each, **TIMES} for each in WHOLE["consumers"]]  # type: ignore[dict-item, union-attr]
    assert (told["routes_conf_version"], told["services"], told["routes"][0]["uri"]) == (3, [], "/")
    assert client("PUT", "/configs", told)[0] == 202


def test_metadata_is_named_by_its_plugin() -> None:
    client = Client()
    assert client("PUT", "/configs", {"plugin_metadata": [{"id": "http-logger", "log_format": {}}]})[0] == 202
    shown = client("GET", "/plugin_metadata/http-logger")[1]["value"]
    assert (shown["log_format"], "id" in shown) == ({}, False)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"routes": [{"uri": "/"}]}, "routes/0: missing route id"),
        ({"routes": [{"id": "1", "uri": 5}]}, "routes/1: invalid configuration"),
        ({"upstreams": []}, "routes/1: failed to fetch upstream info by upstream id [u], response code: 404"),
        ({"routes": {"id": "1"}}, "routes: wrong type: expected a list of objects"),
        ({"consumers": [{"id": "x/credentials/c", "plugins": {}}]}, "consumers/0: consumer not found"),
        ({"things": []}, "Unsupported resource type: things"),
        ({"routes_conf_version": 2}, "routes_conf_version must be greater than or equal to (3)"),
    ],
)
def test_a_mistake_changes_nothing(change: dict[str, object], sentence: str) -> None:
    client = Client()
    client("PUT", "/configs", WHOLE)
    before = client("GET", "/configs")
    status, told = client.error("PUT", "/configs", WHOLE | change)
    assert (status, told[: len(sentence)]) == (400, sentence)
    assert client("GET", "/configs") == before


def test_it_is_read_and_replaced_and_nothing_else() -> None:
    assert Client().error("DELETE", "/configs") == Client().error("GET", "/configs/x") == (404, "not found")
