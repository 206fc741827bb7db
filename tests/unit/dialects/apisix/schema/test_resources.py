"""The schemas of the objects."""

from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.apisix.schema.resources import RESOURCE_SCHEMAS, SECRET_MANAGERS
from jwtgate.dialects.apisix.schema.validation import fits

NODES = {"nodes": {"h:80": 1}}
VAULT = {"uri": "https://127.0.0.1:8200", "prefix": "kv/apisix", "token": "root"}
AWS = {"access_key_id": "a", "secret_access_key": "s"}
ACCOUNT = {"client_email": "e", "private_key": "k", "project_id": "p"}


@pytest.mark.parametrize(
    ("collection", "value"),
    [
        ("routes", {"uri": "/a", "plugins": {}}),
        ("routes", {"id": 1, "uris": ["/a", "/b/*"], "hosts": ["*.a.com"], "upstream": NODES, "methods": ["GET"]}),
        ("routes", {"uri": "/a", "host": "a.com", "remote_addr": "10.0.0.0/8", "service_id": "s", "priority": -1}),
        ("services", {"hosts": ["a.com"], "upstream_id": 2}),
        ("upstreams", {"nodes": [{"host": "h", "port": 80, "weight": 1}], "type": "chash", "key": "uri"}),
        ("upstreams", {"service_name": "s", "discovery_type": "dns"}),
        ("consumers", {"username": "jack-1_x", "labels": {"custom_id": "1"}}),
        ("credentials", {"plugins": {"jwt-auth": {}}, "id": "c", "create_time": 1}),
        ("plugin_configs", {"plugins": {}}),
        ("global_rules", {"plugins": {}, "id": "1"}),
        ("ssls", {"cert": "c", "key": "k", "snis": ["a.com"]}),
    ],
)
def test_what_the_other_gateway_takes_is_taken(collection: str, value: dict[str, Any]) -> None:
    assert fits(RESOURCE_SCHEMAS[collection], value)


@pytest.mark.parametrize(
    ("collection", "value"),
    [
        ("routes", {"uri": "/a"}),
        ("routes", {"plugins": {}}),
        ("routes", {"uri": "/a", "uris": ["/b"], "plugins": {}}),
        ("routes", {"uri": "/a", "host": "a", "hosts": ["b"], "plugins": {}}),
        ("routes", {"uri": "/a", "remote_addr": "::1", "remote_addrs": ["::1"], "plugins": {}}),
        ("routes", {"uri": "/a", "plugins": {}, "bogus": 1}),
        ("routes", {"uri": "/a", "plugins": {}, "id": "a b"}),
        ("routes", {"uri": "/a", "plugins": {}, "id": 0}),
        ("routes", {"uri": "/a", "plugins": {}, "status": 2}),
        ("routes", {"uri": "/a", "plugins": {}, "methods": ["FETCH"]}),
        ("services", {"bogus": 1}),
        ("upstreams", {"type": "roundrobin"}),
        ("upstreams", {"nodes": {"h": -1}}),
        ("upstreams", {"nodes": [{"host": "h"}]}),
        ("upstreams", {**NODES, "scheme": "ftp"}),
        ("consumers", {}),
        ("consumers", {"username": "jack.1"}),
        ("credentials", {}),
        ("credentials", {"plugins": {"a": {}, "b": {}}}),
        ("consumer_groups", {}),
        ("ssls", {"cert": "c"}),
    ],
)
def test_what_it_refuses_is_refused(collection: str, value: dict[str, Any]) -> None:
    assert not fits(RESOURCE_SCHEMAS[collection], value)


@pytest.mark.parametrize(
    ("manager", "value", "good"),
    [
        ("vault", VAULT, True),
        ("vault", {**VAULT, "id": "vault/1"}, True),
        ("vault", {**VAULT, "uri": "127.0.0.1"}, False),
        ("vault", {**VAULT, "token": 1}, False),
        ("aws", AWS, True),
        ("aws", {"access_key_id": "a"}, False),
        ("gcp", {"auth_config": ACCOUNT}, True),
        ("gcp", {"auth_file": "f.json"}, True),
        ("gcp", {"auth_file": "f.json", "auth_config": ACCOUNT}, False),
        ("gcp", {}, False),
    ],
)
def test_secret_managers_have_schemas_of_their_own(manager: str, value: dict[str, Any], good: bool) -> None:
    assert fits(SECRET_MANAGERS[manager], value) is good
