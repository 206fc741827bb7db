"""Files as objects, checked one by one."""

from __future__ import annotations

import pytest

from jwtgate.dialects.apisix.files.reading import parsed, read_objects
from jwtgate.errors import ConfigError

ROUTE = "routes:\n  - {id: 1, uri: /a, upstream: {nodes: {'a:80': 1}}}\n"
JACK = "consumers:\n  - {username: jack, plugins: {jwt-auth: {key: k}}}\n"


def problems(*texts: tuple[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        read_objects([(name, text.encode()) for name, text in texts])
    return raised.value.problems


def read(text: str, name: str = "apisix.yaml") -> object:
    return read_objects([(name, text.encode())])


def test_lists_become_collections_by_id() -> None:
    assert read(f"{ROUTE}{JACK}#END\n") == {
        "routes": {"1": {"id": 1, "uri": "/a", "upstream": {"nodes": {"a:80": 1}}}},
        "consumers": {"jack": {"username": "jack", "plugins": {"jwt-auth": {"key": "k"}}}},
    }


def test_json_needs_no_last_line() -> None:
    text = '{"routes": [{"id": "1", "uri": "/a", "plugins": {}}], "plugins": ["x"], "services": null}'
    assert read(text, "apisix.json") == {"routes": {"1": {"id": "1", "uri": "/a", "plugins": {}}}}


def test_a_credential_is_a_consumer_with_a_longer_id() -> None:
    text = JACK + "  - {id: jack/credentials/c, plugins: {key-auth: {key: x}}}\n#END"
    found = read_objects([("apisix.yaml", text.encode())]) or {}
    assert list(found["consumers"]) == ["jack"]
    assert list(found["credentials"]) == ["jack/c"]


def test_a_file_that_is_not_whole_is_refused() -> None:
    assert problems(("apisix.yaml", ROUTE)) == (
        "apisix.yaml: the last line must be #END, which says that the file is whole",
    )


def test_settings_alone_are_no_objects() -> None:
    assert read("deployment: {role: data_plane}\n", "config.yaml") is None


def test_every_mistake_is_told_with_its_place() -> None:
    text = """
routes:
  - {id: 1, uri: /a, bogus: 1, plugins: {}}
  - {uri: /b, plugins: {}}
upstreams: {}
bogus: []
consumers:
  - {username: jack, plugins: {jwt-auth: {}}}
  - {id: rose/credentials/c, plugins: {key-auth: {key: x}}}
#END
"""
    assert problems(("apisix.yaml", text)) == (
        "apisix.yaml: routes[1] has no id",
        "apisix.yaml: upstreams is no collection, or no list of objects",
        "apisix.yaml: bogus is no collection, or no list of objects",
        "routes/1: invalid configuration: additional properties forbidden, found bogus",
        "consumers/jack: invalid plugins configuration: failed to check the configuration of plugin jwt-auth err: "
        'property "key" is required',
        "credentials/rose/c: consumer not found",
    )


def test_a_key_of_two_callers_is_a_mistake_and_a_reference_is_none() -> None:
    def jack_and_rose(key: str) -> str:
        return (
            "consumers:\n"
            f"  - {{username: jack, plugins: {{jwt-auth: {{key: {key}}}}}}}\n"
            f"  - {{username: rose, plugins: {{jwt-auth: {{key: {key}}}}}}}\n#END"
        )

    assert problems(("apisix.yaml", jack_and_rose("k"))) == (
        "consumers/rose: duplicate key of plugin jwt-auth found with consumers/jack",
    )
    assert read(jack_and_rose("$ENV://K")) is not None


def test_an_object_that_is_there_twice_is_a_mistake() -> None:
    assert problems(("a.yaml", f"{ROUTE}#END"), ("b.yaml", f"{ROUTE}#END")) == ("routes/1: is there twice",)
    twice = "routes: [{id: 1, uri: /a, upstream_id: 1}, {id: '1', uri: /b, upstream_id: 1}]\n"
    assert "a.yaml: routes[1]: routes/1 is there twice" in problems(("a.yaml", f"{twice}#END"))


def test_a_plugin_nobody_knows_is_left_for_the_translation_to_name() -> None:
    assert read("routes:\n  - {id: 1, uri: /a, plugins: {x: {}}}\n#END") is not None
    assert read("consumers:\n  - {username: jack, plugins: {public-api: {}}}\n#END") is not None


@pytest.mark.parametrize("text", ["- a\n#END", "a: [\n#END"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert problems(("apisix.yaml", text))


def test_several_documents_of_a_file_keep_their_lines() -> None:
    data = b"a: 1\n---\nb: 2\n---\n"
    assert [plain for _, _, plain in parsed([("x.yaml", data)])] == [{"a": 1}, {"b": 2}]
    with pytest.raises(ConfigError, match=r"x\.yaml:4"):
        list(parsed([("x.yaml", b"a: 1\n---\nb: 2\nb: 3\n")]))


def test_other_shapes_are_recognised() -> None:
    adc = "services:\n  - {name: s, upstream: {nodes: {'a:1': 1}}, routes: [{name: r, uris: [/a]}]}\n"
    found = read_objects([("adc.yaml", adc.encode())]) or {}
    assert list(found["routes"]) == ["s.r"]
    crd = "apiVersion: apisix.apache.org/v2\nkind: ApisixConsumer\nmetadata: {name: jack}\nspec: {authParameter: {}}\n"
    assert read(crd, "crd.yaml") == {"consumers": {"default_jack": {"username": "default_jack", "plugins": {}}}}
