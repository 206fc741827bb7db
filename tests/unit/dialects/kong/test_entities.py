from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from jwtgate.dialects.kong.entities import ENTITIES, completed, config_fields
from jwtgate.dialects.kong.fields import SchemaViolation

OWNER = {"consumer": {"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}}


def test_a_service_has_kongs_defaults_and_an_id() -> None:
    service = completed("services", {"name": "a", "url": "https://b.c/d"})
    assert UUID(service.pop("id"))
    assert service == {
        "name": "a", "protocol": "https", "host": "b.c", "port": 443, "path": "/d", "retries": 5, "enabled": True,
        "connect_timeout": 60000, "read_timeout": 60000, "write_timeout": 60000, "client_certificate": None,
        "tls_verify": None, "tls_verify_depth": None, "ca_certificates": None, "tags": None,
        "created_at": None, "updated_at": None,
    }  # fmt: skip


def test_the_address_of_a_service_is_taken_apart() -> None:
    assert completed("services", {"url": "http://b:8080"})["port"] == 8080
    assert completed("services", {"url": "http://b"})["path"] is None
    with pytest.raises(SchemaViolation, match="invalid url"):
        completed("services", {"url": "http://[b"})
    with pytest.raises(SchemaViolation, match="host: required field missing"):
        completed("services", {"url": None})


def test_a_route_has_kongs_defaults() -> None:
    route = completed("routes", {"paths": ["/x"]})
    assert (route["protocols"], route["strip_path"], route["preserve_host"]) == (["http", "https"], True, False)
    assert (route["path_handling"], route["regex_priority"], route["https_redirect_status_code"]) == ("v0", 0, 426)


def test_an_id_that_was_given_is_kept() -> None:
    given = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    assert completed("consumers", {"id": given, "username": "jack"})["id"] == given


def test_a_credential_without_key_and_secret_is_given_both() -> None:
    first, second = (completed("jwt_secrets", OWNER) for _ in range(2))
    assert all(len(first[name]) == 32 and first[name].isalnum() for name in ("key", "secret"))
    assert first["key"] != second["key"]
    assert first["algorithm"] == "HS256"
    assert completed("jwt_secrets", {**OWNER, "key": "k", "secret": "s"})["secret"] == "s"
    assert len(completed("keyauth_credentials", OWNER)["key"]) == 32


@pytest.mark.parametrize(
    ("entity", "value", "message"),
    [
        ("routes", {}, "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'"),
        ("consumers", {}, "at least one of these fields must be non-empty: 'custom_id', 'username'"),
        ("jwt_secrets", {}, "consumer: required field missing"),
        ("plugins", {}, "name: required field missing"),
        ("plugins", {"name": "x"}, "name: plugin 'x' not enabled; add it to the 'plugins' configuration property"),
        ("plugins", {"name": "jwt", "config": {"x": 1}}, "config.x: unknown field"),
        ("plugins", {"name": "jwt", "config": 1}, "config: expected a record"),
        ("plugins", {"name": "jwt", **OWNER}, "consumer: value must be null"),
        ("plugins", {"name": "jwt-signer", **OWNER}, "consumer: value must be null"),
        ("services", {"host": "a", "protocol": "x"}, "protocol: expected one of: grpc, grpcs, http, https, tcp, tls, "),
        ("services", {"host": "a", "foo": 1}, "foo: unknown field"),
    ],
)
def test_what_kong_does_not_take_is_told_in_its_words(entity: str, value: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaViolation) as caught:
        completed(entity, value)
    assert caught.value.message.startswith(f"schema violation ({message}")


def test_a_plugin_gets_the_defaults_of_its_configuration() -> None:
    plugin = completed("plugins", {"name": "jwt", "config": {"cookie_names": ["c"]}})
    assert (plugin["enabled"], plugin["protocols"]) == (True, ["grpc", "grpcs", "http", "https"])
    assert plugin["config"] == {
        "uri_param_names": ["jwt"], "cookie_names": ["c"], "header_names": ["authorization"], "key_claim_name": "iss",
        "secret_is_base64": False, "claims_to_verify": None, "anonymous": None, "run_on_preflight": True,
        "maximum_expiration": 0, "realm": None,
    }  # fmt: skip


def test_a_plugin_may_be_of_one_consumer_where_it_does_not_say_who_that_is() -> None:
    assert completed("plugins", {"name": "request-transformer", **OWNER})["consumer"] == OWNER["consumer"]


def test_the_fields_of_a_configuration_are_those_of_its_plugin() -> None:
    assert config_fields("jwt")["realm"].kind == "string"
    assert config_fields("nobody") == {}


def test_every_object_is_found_by_a_field_it_has() -> None:
    assert all(set(entity.unique) <= set(entity.fields) for entity in ENTITIES.values())
    assert all(entity.key in (None, *entity.fields) for entity in ENTITIES.values())
