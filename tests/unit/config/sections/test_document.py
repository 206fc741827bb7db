"""The root of a document, its small sections and its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from jwtgate.config.sections.document import Document, document_schema
from jwtgate.policy.plan import Limits, OwnAddresses

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]

QUICKSTART = Path(__file__).parents[4] / "examples" / "quickstart.yaml"


def test_unset_limits_are_those_of_the_plan(load: Load) -> None:
    document = load({})
    assert Limits(**document.limits.model_dump()) == Limits()
    assert OwnAddresses(**document.own.model_dump()) == OwnAddresses()


def test_sec_160_unknown_keys_are_refused_at_every_depth(mistakes: Find) -> None:
    changes = {"limts": {}, "limits": {"field": 1}, "issuers/main/audiences": "x", "routes/orders/issue/tll": 1}
    assert sorted(mistakes(changes)) == [
        "issuers.main.audiences: is no key of this section; did you mean audience?",
        "limits.field: is no key of this section; did you mean fields?",
        "limts: is no key of this section; did you mean limits?",
        "routes.orders.issue.tll: is no key of this section",
    ]


@pytest.mark.parametrize("section", ["issuers", "upstreams", "routes", "limits", "own", "paths", "fields", "signing"])
@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_sec_160_a_section_of_the_wrong_type_is_refused(mistakes: Find, section: str, value: object) -> None:
    found = mistakes({section: value})
    assert found
    assert found[0].startswith(f"{section}: ")


def test_what_is_needed_is_asked_for(mistakes: Find) -> None:
    assert mistakes({"listen": ..., "routes": ...}) == [
        "listen: is missing",
        "routes: there are none, and no admin section to add them over",
    ]
    assert mistakes({"routes": {}}) == ["routes: there are none, and no admin section to add them over"]
    assert mistakes({"routes": {}, "admin": {"operators": {"a": {"token_sha256": "0" * 64}}}}) == []


@pytest.mark.parametrize("name", ["", "a b", "é", "a\n", "x" * 129])
def test_names_are_short_and_visible(mistakes: Find, name: str) -> None:
    assert len(mistakes({"issuers": {name: {}, "main": {}, "other": {}}})) > 0
    found = mistakes({"upstreams": {"echo": {"targets": "http://a"}, name: {"targets": "http://a"}}})
    assert len(found) == 1


def test_listeners_may_speak_tls(load: Load, mistakes: Find) -> None:
    listen = ["127.0.0.1:1", {"address": "[::1]:2", "tls": {"certificate": "c.pem", "private_key": "/k.pem"}}]
    tls = load({"listen": listen}).listen[1].tls
    assert tls is not None
    assert (tls.certificate, tls.private_key) == ("/etc/gate/c.pem", "/k.pem")
    assert mistakes({"listen": {"address": "127.0.0.1:1", "tls": {"certificate": "c"}}}) == [
        "listen.tls.private_key: is missing"
    ]


@pytest.mark.parametrize("network", ["10.0.0.1/8", "x", "10.0.0.0/33", "", 1])
def test_a_trusted_proxy_is_a_network(mistakes: Find, network: object) -> None:
    (mistake,) = mistakes({"trusted_proxies": [network]})
    assert mistake.startswith("trusted_proxies[0]: must be ")
    assert mistakes({"trusted_proxies": ["10.0.0.0/8", "::1", "fc00::/7"]}) == []


@pytest.mark.parametrize("path", ["keys", "", "/", "/a b", "/a?b"])
def test_an_own_path_begins_with_a_slash(mistakes: Find, path: str) -> None:
    assert len(mistakes({"own": {"keys": path}})) == 1


def test_own_paths_may_be_left_out_and_differ(load: Load, mistakes: Find) -> None:
    assert load({"own": {"keys": None}}).own.keys is None
    assert mistakes({"own": {"keys": "/a", "metadata": "/a"}}) == ["own: keys and metadata need different paths"]


@pytest.mark.parametrize("size", [1023, 65537, "4096", None])
def test_sec_6_the_longest_token_has_bounds(mistakes: Find, size: object) -> None:
    assert len(mistakes({"token_limit_bytes": size})) == 1


def test_the_schema_takes_what_the_document_takes(load: Load) -> None:
    schema = document_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(yaml.safe_load(QUICKSTART.read_text()))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"listen": "127.0.0.1:80", "routes": {"a": {}}})


def test_the_schema_describes_every_key() -> None:
    schema = document_schema()
    for section in [schema, *schema["$defs"].values()]:
        assert section["additionalProperties"] is False
        for key, node in section["properties"].items():
            assert node.get("description", "").endswith("."), key


def test_the_field_of_the_generation_is_not_that_of_the_request(load: Load, mistakes: Find) -> None:
    assert load({"generation_field": "X-Generation"}).generation_field == "X-Generation"
    assert mistakes({"generation_field": "x-request-id"}) == ["generation_field: is request_id_field, too"]
