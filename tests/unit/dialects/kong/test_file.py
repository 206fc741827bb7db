from __future__ import annotations

import pytest

from jwtgate.dialects.kong.file import IGNORED, merged, read_objects
from jwtgate.errors import ConfigError

NESTED = b"""
_format_version: "3.0"
_transform: true
_comment: hello
_info: {select_tags: [a]}
services:
- name: s
  url: http://up
  routes:
  - name: r
    paths: [/x]
    plugins: [{name: jwt}]
  plugins: [{name: key-auth}]
consumers:
- username: jack
  jwt_secrets: [{key: k, secret: s}]
  keyauth_credentials: [{key: abc}]
  acls: [{group: g}]
upstreams:
- name: up
  targets: [{target: "127.0.0.1:1"}]
"""


def one(objects: dict[str, dict[str, dict[str, object]]], collection: str) -> dict[str, object]:
    (found,) = objects[collection].values()
    return found


def test_objects_may_be_nested_in_those_they_belong_to() -> None:
    objects = read_objects(NESTED, "kong.yml")
    service, route, jack = (one(objects, name) for name in ("services", "routes", "consumers"))
    assert route["service"] == {"id": service["id"]}
    assert {plugin["name"]: (plugin["route"], plugin["service"]) for plugin in objects["plugins"].values()} == {
        "jwt": ({"id": route["id"]}, None),
        "key-auth": (None, {"id": service["id"]}),
    }
    assert (
        one(objects, "jwt_secrets")["consumer"] == one(objects, "keyauth_credentials")["consumer"] == {"id": jack["id"]}
    )
    assert one(objects, "targets")["upstream"] == {"id": one(objects, "upstreams")["id"]}


def test_what_is_for_other_tools_is_ignored_and_noted() -> None:
    assert read_objects(NESTED, "kong.yml")[IGNORED] == ["_info", "consumers[0].acls"]
    assert IGNORED not in read_objects(b'{"_format_version": "3.0"}', "kong.json")


def test_an_object_has_the_same_id_whenever_it_is_read() -> None:
    first, second = (read_objects(NESTED, "kong.yml") for _ in range(2))
    assert {name: list(held) for name, held in first.items()} == {name: list(held) for name, held in second.items()}


def test_objects_may_refer_to_others_by_name_or_id() -> None:
    objects = read_objects(
        b"""
_format_version: "3.0"
services: [{name: s, host: a}, {id: 3fa85f64-5717-4562-b3fc-2c963f66afa6, host: b}]
routes:
- {name: r, paths: [/x], service: s}
- {name: t, paths: [/t], service: {name: s}}
- {name: u, paths: [/u], service: {id: 3fa85f64-5717-4562-b3fc-2c963f66afa6}}
plugins: [{name: jwt, route: r}, {name: jwt, service: s}, {name: jwt}]
consumers: [{username: jack}]
jwt_secrets: [{consumer: jack, key: k}]
""",
        "kong.yml",
    )
    by_name = {value["name"]: value for value in objects["services"].values() if value["name"]}
    owners = [route["service"]["id"] for route in objects["routes"].values()]
    assert owners == [by_name["s"]["id"]] * 2 + ["3fa85f64-5717-4562-b3fc-2c963f66afa6"]
    assert len(objects["plugins"]) == 3
    assert one(objects, "jwt_secrets")["consumer"] == {"id": one(objects, "consumers")["id"]}


def test_snis_of_a_certificate_may_be_names_alone() -> None:
    with pytest.raises(ConfigError) as caught:
        read_objects(b'_format_version: "3.0"\ncertificates: [{cert: x, key: y, snis: [a.b]}]', "kong.yml")
    assert "cert: invalid certificate; key: invalid key" in str(caught.value)
    assert "snis" not in str(caught.value)


def test_every_mistake_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        read_objects(
            b"""services:
- name: s
  host: a
- name: s
  host: b
- 5
routes: {}
plugins:
- name: nobody
- {name: jwt, service: gone}
unheard_of: []
snis: null
""",
            "kong.yml",
        )
    assert caught.value.problems == (
        "kong.yml:1: _format_version: required field missing",
        "kong.yml:6: services[2]: expected a record",
        "kong.yml:7: routes: expected an array",
        "kong.yml:11: unheard_of: unknown field",
        "kong.yml:4: services[1]: uniqueness violation: 'services' entity with name set to 's' already declared",
        "kong.yml:4: services[1]: uniqueness violation: 'services' entity with primary key set to "
        f"'{id_of_service()}' already declared",
        "kong.yml:9: plugins[0]: schema violation "
        "(name: plugin 'nobody' not enabled; add it to the 'plugins' configuration property)",
        "kong.yml:10: plugins[1]: service: invalid reference 'service: gone' (no such entry in 'services')",
    )


def id_of_service() -> object:
    return one(read_objects(b'_format_version: "3.0"\nservices: [{name: s, host: a}]', "kong.yml"), "services")["id"]


@pytest.mark.parametrize(("text", "problem"), [
    (b"[]", "kong.yml:1: expected an object"),
    (b'_format_version: "0.1"', "kong.yml:1: _format_version: expected one of: 1.1, 2.1, 3.0"),
    (b"_format_version: [", "kong.yml:2: is not YAML: did not find expected node content"),
])  # fmt: skip
def test_a_file_that_is_none_of_kongs_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_objects(text, "kong.yml")
    assert caught.value.problems == (problem,)


def test_before_3_0_a_path_was_an_expression_without_saying_so() -> None:
    text = b'_format_version: "%s"\nroutes: [{name: r, paths: ["/a/\\\\d+", /b]}]'
    assert one(read_objects(text % b"2.1", "kong.yml"), "routes")["paths"] == ["~/a/\\d+", "/b"]
    assert one(read_objects(text % b"3.0", "kong.yml"), "routes")["paths"] == ["/a/\\d+", "/b"]


def test_files_are_put_together_unless_they_hold_the_same_object() -> None:
    first = read_objects(b'_format_version: "3.0"\n_info: 1\nconsumers: [{username: a}]', "a.yml")
    second = read_objects(b'_format_version: "3.0"\n_konnect: 1\nconsumers: [{username: b}]', "b.yml")
    together = merged([first, second])
    assert together is not None
    assert (len(together["consumers"]), together[IGNORED]) == (2, ["_info", "_konnect"])
    assert merged([]) is None
    with pytest.raises(ConfigError, match="two files have the object"):
        merged([first, first])


def test_a_plugin_stands_once_in_one_place() -> None:
    ids = "5b7b7c4e-6d7d-4d4a-9f4f-11111111111"
    text = f"""
_format_version: "3.0"
plugins:
- {{id: {ids}1, name: jwt, config: {{claims_to_verify: [exp]}}}}
- {{id: {ids}2, name: jwt}}
"""
    with pytest.raises(ConfigError, match="the plugin 'jwt' already stands there"):
        read_objects(text.encode(), "kong.yml")
