"""What holds for one route."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import changed, refused

from jwtgate.dialects.apisix.merging import Effective, effective
from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.dialect import Objects


def merged(route: dict[str, Any], objects: Objects | None = None, noting: Noting | None = None) -> Effective:
    return effective("1", {"uri": "/a", **route}, objects or {}, noting or Noting())


def limit(count: int) -> dict[str, Any]:
    return {"limit-count": {"count": count, "time_window": 1}}


LAYERS: Objects = {
    "services": {
        "s": {"plugins": {**limit(1), "key-auth": {}}, "upstream_id": 1, "hosts": ["A.com"], "enable_websocket": True}
    },
    "plugin_configs": {"c": {"plugins": limit(2)}},
    "upstreams": {"1": {"nodes": {"a": 1}}},
}


def test_a_route_stands_over_its_plugin_config_and_that_over_its_service() -> None:
    service = merged({"service_id": "s"}, LAYERS)
    config = merged({"service_id": "s", "plugin_config_id": "c"}, LAYERS)
    route = merged({"service_id": "s", "plugin_config_id": "c", "plugins": limit(3)}, LAYERS)
    counts = [each.plugins["limit-count"][0]["count"] for each in (service, config, route)]
    assert counts == [1, 2, 3]
    assert all("key-auth" in each.plugins for each in (service, config, route))
    assert route.plugins["limit-count"][1] == ("routes", "1", "plugins", "limit-count")
    assert service.plugins["limit-count"][1] == ("services", "s", "plugins", "limit-count")


def test_what_the_route_does_not_say_its_service_says() -> None:
    found = merged({"service_id": "s"}, LAYERS)
    assert found.upstream == ({"nodes": {"a": 1}}, ("upstreams", "1"))
    assert (found.hosts, found.websocket) == (("a.com",), True)
    own = merged({"service_id": "s", "host": "b.com", "upstream": {"nodes": {}}, "enable_websocket": False}, LAYERS)
    assert own.upstream == ({"nodes": {}}, ("routes", "1", "upstream"))
    assert (own.hosts, own.websocket) == (("b.com",), False)


def test_a_route_takes_its_paths() -> None:
    assert merged({}).uris == ("/a",)
    assert effective("1", {"uris": ["/a", "/b"]}, {}, Noting()).uris == ("/a", "/b")
    assert effective("1", {}, {}, Noting()).uris == ()
    assert merged({}).place == ("routes", "1")


def test_global_rules_hold_for_every_route() -> None:
    objects = {"global_rules": {"g": {"plugins": limit(1)}}}
    assert merged({}, objects).plugins["limit-count"][1] == ("global_rules", "g", "plugins", "limit-count")
    noting = Noting()
    merged({"plugins": limit(1)}, objects, noting)
    assert refused(noting) == {}
    merged({"plugins": limit(2)}, objects, noting)
    assert list(refused(noting)) == ["global_rules/g/plugins/limit-count"]


def test_a_plugin_that_is_switched_off_does_not_run() -> None:
    off = {"jwt-auth": {"_meta": {"disable": True}}, "key-auth": {"_meta": {"disable": False}}}
    assert list(merged({"plugins": off}).plugins) == ["key-auth"]


def test_a_plugin_switched_off_on_a_route_is_off_whatever_its_service_says() -> None:
    off = {"jwt-auth": {"_meta": {"disable": True}}}
    objects: Objects = {"services": {"s": {"plugins": {"jwt-auth": {}}}}}
    assert list(merged({"service_id": "s"}, objects).plugins) == ["jwt-auth"]
    assert list(merged({"service_id": "s", "plugins": off}, objects).plugins) == []


def test_no_route_switches_off_what_a_global_rule_asks_for() -> None:
    off = {"jwt-auth": {"_meta": {"disable": True}}}
    assert list(merged({"plugins": off}, {"global_rules": {"g": {"plugins": {"jwt-auth": {}}}}}).plugins) == [
        "jwt-auth"
    ]
    assert list(merged({}, {"global_rules": {"g": {"plugins": off}}}).plugins) == []


@pytest.mark.parametrize(
    ("plugins", "place"),
    [
        ({"x": {}}, "routes/1/plugins/x"),
        ({"key-auth": {"_meta": {"pre_function": "return"}}}, "routes/1/plugins/key-auth/_meta/pre_function"),
    ],
)
def test_what_cannot_be_had_is_refused(plugins: dict[str, Any], place: str) -> None:
    noting = Noting()
    merged({"plugins": plugins}, noting=noting)
    assert list(refused(noting)) == [place]


def test_another_order_of_plugins_is_noted() -> None:
    noting = Noting()
    merged({"plugins": {"key-auth": {"_meta": {"priority": 1}}}}, noting=noting)
    assert list(changed(noting)) == ["routes/1/plugins/key-auth/_meta/priority"]


@pytest.mark.parametrize("member", ["service_id", "plugin_config_id", "upstream_id"])
def test_what_nobody_knows_makes_the_route_unusable_and_nothing_else(member: str) -> None:
    noting = Noting()
    merged({member: "none"}, noting=noting)
    assert list(changed(noting)) == [f"routes/1/{member}"]
    assert not refused(noting)
    assert noting.is_unusable(("routes", "1"))


def test_the_places_it_was_taken_from_are_known() -> None:
    found = merged({"service_id": "s", "plugin_config_id": "c"}, LAYERS)
    assert set(found.touched) == {
        *(("routes", "1"), ("services", "s"), ("plugin_configs", "c"), ("upstreams", "1"), ("global_rules",)),
    }
