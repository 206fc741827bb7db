"""Addresses of entities, and what each method does there."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.unit.dialects.kong.admin.asking import NOW, Asking


@pytest.fixture
def asking() -> Asking:
    asked = Asking()
    asked.made("/services", {"name": "s", "url": "http://up.example:8080/base"})
    return asked


def test_a_service_is_made_with_every_default(asking: Asking) -> None:
    service = asking.get("/services/s")
    assert (service["protocol"], service["host"], service["port"]) == ("http", "up.example", 8080)
    assert (service["path"], service["retries"], service["enabled"]) == ("/base", 5, True)
    assert (service["created_at"], service["updated_at"]) == (NOW, NOW)
    assert UUID(service["id"])
    assert asking.get(f"/services/{service['id'].upper()}") == service


@pytest.mark.parametrize(
    "path", ["/services/t", f"/services/{uuid4()}", "/nothing", "/services/s/nothing", "/a/b/c/d/e"]
)
def test_what_is_not_there_is_a_404(asking: Asking, path: str) -> None:
    assert asking.send("GET", path) == 404
    assert asking.value == {"message": "Not found"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/services", "GET, POST"),
        ("DELETE", "/services", "GET, POST"),
        ("POST", "/services/s", "GET, PUT, PATCH, DELETE"),
        ("TRACE", "/services/s", "GET, PUT, PATCH, DELETE"),
        ("PATCH", "/services/s/routes", "GET, POST"),
        ("POST", "/status", "GET"),
        ("POST", "/", "GET"),
    ],
)
def test_another_method_is_a_405(asking: Asking, method: str, path: str, allowed: str) -> None:
    assert asking.send(method, path) == 405
    assert asking.value == {"message": "Method not allowed"}
    assert ("Allow", allowed) in asking.reply.fields


def test_head_is_answered_as_get_and_options_without_looking(asking: Asking) -> None:
    assert asking.send("HEAD", "/services/s") == 200
    assert asking.send("OPTIONS", "/services/none") == 204


def test_put_makes_and_replaces(asking: Asking) -> None:
    assert asking.json("PUT", "/services/t", {"host": "a.example", "retries": 1}) == 200
    made = asking.value
    asking.now += 5
    assert asking.json("PUT", "/services/t", {"host": "b.example"}) == 200
    assert asking.value == {**made, "host": "b.example", "retries": 5, "updated_at": NOW + 5}
    identity = str(uuid4())
    assert asking.json("PUT", f"/services/{identity}", {"host": "c.example", "id": str(uuid4())}) == 200
    assert asking.value["id"] == identity


def test_patch_changes_what_is_named(asking: Asking) -> None:
    asking.now += 5
    assert asking.form("PATCH", "/services/s", "url=https://other.example", "tags=a") == 200
    changed = asking.value
    assert (changed["protocol"], changed["host"], changed["port"]) == ("https", "other.example", 443)
    assert (changed["name"], changed["tags"], changed["updated_at"]) == ("s", ["a"], NOW + 5)
    assert asking.form("PATCH", "/services/none", "retries=1") == 404


def test_patch_merges_a_configuration(asking: Asking) -> None:
    plugin = asking.made("/plugins", {"name": "jwt", "config": {"realm": "r", "cookie_names": ["a", "b"]}})
    assert asking.form("PATCH", f"/plugins/{plugin['id']}", "config.cookie_names=c") == 200
    assert asking.value["config"] == {**plugin["config"], "cookie_names": ["c"]}


def test_patch_merges_records_within_a_configuration(asking: Asking) -> None:
    value = {"name": "request-transformer", "config": {"add": {"headers": ["a:1"], "body": ["b:1"]}}}
    plugin = asking.made("/plugins", value)
    assert asking.json("PATCH", f"/plugins/{plugin['id']}", {"config": {"add": {"headers": ["c:1"]}}}) == 200
    assert asking.value["config"]["add"]["headers"] == ["c:1"]
    assert asking.value["config"]["add"]["body"] == ["b:1"]


def test_delete_at_the_top_is_a_204_also_when_nothing_was_there(asking: Asking) -> None:
    for _ in range(2):
        assert asking.send("DELETE", "/services/s") == 204
        assert asking.reply.body == b""
    assert asking.send("GET", "/services/s") == 404


def test_delete_below_is_a_404_when_nothing_was_there(asking: Asking) -> None:
    asking.made("/consumers", {"username": "jack"})
    assert asking.send("DELETE", f"/consumers/jack/jwt/{uuid4()}") == 404
    assert asking.send("DELETE", "/consumers/none/jwt/any") == 404


def test_what_belongs_to_a_service_is_found_below_it(asking: Asking) -> None:
    asking.made("/services", {"name": "t", "host": "t.example"})
    assert asking.form("POST", "/services/s/routes", "name=r", "paths[]=/x") == 201
    route = asking.value
    assert route["service"] == {"id": asking.get("/services/s")["id"]}
    assert [each["id"] for each in asking.get("/services/s/routes")["data"]] == [route["id"]]
    assert asking.get("/services/t/routes")["data"] == []
    assert asking.get("/services/s/routes/r") == route
    assert asking.send("GET", "/services/t/routes/r") == 404
    assert asking.send("DELETE", "/services/t/routes/r") == 404
    assert asking.get("/routes/r/service")["name"] == "s"
    assert asking.send("DELETE", "/routes/r/service") == 405
    assert asking.form("PATCH", "/routes/r/service", "retries=2") == 200
    assert asking.get("/services/s")["retries"] == 2


def test_a_route_without_a_service_has_none_below(asking: Asking) -> None:
    asking.made("/routes", {"name": "r", "paths": ["/x"]})
    assert asking.send("GET", "/routes/r/service") == 404


@pytest.mark.parametrize("scope", ["services/s", "routes/r", "consumers/jack"])
def test_a_plugin_is_given_its_scope_by_the_address(asking: Asking, scope: str) -> None:
    asking.made("/routes", {"name": "r", "paths": ["/x"]})
    asking.made("/consumers", {"username": "jack"})
    assert asking.form("POST", f"/{scope}/plugins", "name=request-termination") == 201
    plugin = asking.value
    owner, field = asking.get(f"/{scope}"), scope.split("/")[0].removesuffix("s")
    assert plugin[field] == {"id": owner["id"]}
    assert asking.get(f"/{scope}/plugins")["data"] == [plugin]
    assert asking.form("POST", f"/{scope}/plugins", "name=request-termination") == 409
    assert asking.send("DELETE", f"/{scope}") == 204
    assert asking.get("/plugins")["data"] == []


def test_credentials_are_reached_below_their_consumer_and_at_the_top(asking: Asking) -> None:
    consumer = asking.made("/consumers", {"username": "jack", "custom_id": "c-1"})
    assert asking.form("POST", "/consumers/jack/jwt") == 201
    made = asking.value
    assert (len(made["key"]), len(made["secret"]), made["algorithm"]) == (32, 32, "HS256")
    assert made["consumer"] == {"id": consumer["id"]}
    for path in ("/consumers/jack/jwt", f"/consumers/{consumer['id']}/jwt", "/jwts"):
        assert asking.get(f"{path}/{made['id']}") == made
        assert asking.get(f"{path}/{made['key']}") == made
        assert asking.get(path)["data"] == [made]
    assert asking.get(f"/jwts/{made['key']}/consumer") == consumer
    assert asking.send("GET", "/jwts/none/consumer") == 404
    assert asking.send("DELETE", f"/jwts/{made['id']}") == 204
    assert asking.get("/jwts")["data"] == []


def test_credentials_are_told_apart_among_all_of_them(asking: Asking) -> None:
    for name in ("jack", "jill"):
        asking.made("/consumers", {"username": name})
        asking.made(f"/consumers/{name}/jwt", {"key": f"{name}-1"})
        asking.made(f"/consumers/{name}/jwt", {"key": f"{name}-2"})
    for each in asking.get("/jwts")["data"]:
        assert asking.get(f"/jwts/{each['id']}") == each
    assert asking.send("GET", f"/jwts/{uuid4()}") == 404


def test_put_of_a_credential_takes_its_key_from_the_address(asking: Asking) -> None:
    asking.made("/consumers", {"username": "jack"})
    assert asking.form("PUT", "/consumers/jack/jwt/my-key", "secret=one") == 200
    made = asking.value
    assert (made["key"], made["secret"]) == ("my-key", "one")
    assert asking.form("PUT", "/consumers/jack/jwt/my-key", "secret=two") == 200
    assert asking.value == {**made, "secret": "two"}
    assert asking.form("PATCH", "/consumers/jack/jwt/my-key", "secret=three") == 200
    assert asking.value == {**made, "secret": "three"}


def test_a_credential_without_a_consumer_is_refused(asking: Asking) -> None:
    assert asking.form("POST", "/jwts") == 400
    assert asking.value["code"] == 2
    assert asking.value["message"] == "schema violation (consumer: required field missing)"


def test_api_keys_have_addresses_of_their_own(asking: Asking) -> None:
    asking.made("/consumers", {"username": "jack"})
    assert asking.form("POST", "/consumers/jack/key-auth", "key=k") == 201
    assert asking.get("/key-auths/k") == asking.value
    assert asking.get("/key-auths/k/consumer")["username"] == "jack"
    assert asking.send("GET", "/keyauth_credentials") == 404


def test_an_api_key_that_would_never_end_though_it_says_so_is_refused(asking: Asking) -> None:
    asking.made("/consumers", {"username": "jack"})
    assert asking.form("POST", "/consumers/jack/key-auth", "key=k", "ttl=60") == 400


def test_lists_are_paged_without_gap_or_repetition(asking: Asking) -> None:
    for number in range(7):
        asking.made("/consumers", {"username": f"c{number}"})
        asking.form("POST", f"/consumers/c{number}/jwt", f"key=k{number}a")
        asking.form("POST", f"/consumers/c{number}/jwt", f"key=k{number}b")
        asking.made("/services", {"name": f"n{number}", "host": "h.example"})
    for path, count in (("/services", 8), ("/consumers", 7), ("/jwts", 14), ("/consumers/c1/jwt", 2)):
        seen: list[Any] = []
        following = f"{path}?size=3"
        while following:
            page = asking.get(following)
            seen += [each["id"] for each in page["data"]]
            following = page["next"]
        assert len(seen) == len(set(seen)) == count, path


def test_a_list_is_filtered_by_tags(asking: Asking) -> None:
    asking.made("/consumers", {"username": "a", "tags": ["x", "y"]})
    asking.made("/consumers", {"username": "b", "tags": ["x"]})
    assert [each["username"] for each in asking.get("/consumers?tags=x,y")["data"]] == ["a"]
    assert len(asking.get("/consumers?tags=x/z")["data"]) == 2
    assert asking.get("/services?tags=x")["data"] == []


def test_a_consumer_is_listed_by_its_custom_id(asking: Asking) -> None:
    asking.made("/consumers", {"username": "jack", "custom_id": "c-1"})
    asking.made("/consumers", {"username": "jill"})
    assert [each["username"] for each in asking.get("/consumers?custom_id=c-1")["data"]] == ["jack"]
    assert asking.get("/consumers?custom_id=none") == {"data": [], "next": None}


def test_the_same_target_may_stand_in_two_upstreams(asking: Asking) -> None:
    for name in ("a", "b"):
        asking.made("/upstreams", {"name": f"{name}.example"})
        asking.made(f"/upstreams/{name}.example/targets", {"target": "10.0.0.1:80"})
    below = asking.get("/upstreams/b.example/targets/10.0.0.1:80")
    assert below["upstream"] == {"id": asking.get("/upstreams/b.example")["id"]}
    assert asking.send("DELETE", "/upstreams/b.example") == 204
    assert len(asking.get("/upstreams/a.example/targets")["data"]) == 1
    assert len(asking.desk.objects["targets"]) == 1


def test_certificates_have_no_names(asking: Asking) -> None:
    assert asking.send("GET", "/certificates/name") == 404
    assert asking.form("PUT", "/certificates/name", "cert=x") == 400
    assert asking.value["code"] == 1


@pytest.mark.parametrize("name", ["%00", "a" * 5000])
def test_what_can_be_no_name_is_a_400(asking: Asking, name: str) -> None:
    assert asking.send("GET", f"/services/{name}") == 400
    assert asking.value["code"] == 10


def test_a_name_may_hold_a_slash(asking: Asking) -> None:
    asking.made("/consumers", {"username": "a/b"})
    assert asking.get("/consumers/a%2Fb")["username"] == "a/b"
