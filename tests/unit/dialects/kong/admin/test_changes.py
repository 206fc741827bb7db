"""What Kong checks before it makes, changes or deletes an entity."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from tests.unit.dialects.kong.admin.asking import Asking

from jwtgate.dialects.kong.admin.changes import is_uuid


@pytest.fixture
def asking() -> Asking:
    return Asking()


def _failed(asking: Asking) -> tuple[int, int, str]:
    return asking.status, asking.value["code"], asking.value["message"]


def test_a_schema_violation_names_its_field(asking: Asking) -> None:
    asking.json("POST", "/plugins", {"name": "jwt", "foo": 1})
    assert asking.value == {
        "code": 2,
        "name": "schema violation",
        "message": "schema violation (foo: unknown field)",
        "fields": {"foo": "unknown field"},
    }


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("/plugins", {"name": "x"}, "(name: plugin 'x' not enabled; add it to the 'plugins' configuration property)"),
        ("/plugins", {}, "schema violation (name: required field missing)"),
        ("/plugins", {"name": "jwt", "config": {"a": 1}}, "schema violation (config.a: unknown field)"),
        ("/plugins", {"name": "jwt", "a": 1, "b": 1}, "2 schema violations (a: unknown field; b: unknown field)"),
        ("/plugins", {"name": 1}, "schema violation (name: expected a string)"),
        ("/plugins", {"name": "jwt", "config": "x"}, "config: expected a record"),
        ("/plugins", {"name": "jwt", "enabled": "x"}, "enabled: expected a boolean"),
        ("/plugins", {"name": "jwt", "service": "x"}, "service: "),
        ("/plugins", {"name": "jwt", "service": {"id": "x"}}, "service.id: "),
        ("/consumers", {}, "at least one of these fields must be non-empty: 'custom_id', 'username'"),
        ("/services", {"id": "x", "host": "a"}, "id: expected a valid UUID"),
    ],
)
def test_what_a_schema_forbids_is_a_400(asking: Asking, path: str, value: Any, message: str) -> None:
    assert asking.json("POST", path, value) == 400
    assert asking.value["code"] == 2
    assert message in asking.value["message"]
    assert asking.desk.objects == {}


def test_an_id_is_used_once(asking: Asking) -> None:
    value = {"id": str(uuid4()), "host": "a.example"}
    asking.made("/services", value)
    asking.json("POST", "/services", value)
    assert _failed(asking) == (400, 3, f"primary key violation on key '{{id=\"{value['id']}\"}}'")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("/services", {"name": "x", "host": "a"}, "UNIQUE violation detected on '{name=\"x\"}'"),
        ("/consumers", {"username": "x"}, "UNIQUE violation detected on '{username=\"x\"}'"),
        ("/consumers", {"custom_id": "x"}, "UNIQUE violation detected on '{custom_id=\"x\"}'"),
        (
            "/plugins",
            {"name": "jwt"},
            "UNIQUE violation detected on '{consumer=null,name=\"jwt\",route=null,service=null}'",
        ),
    ],
)
def test_what_is_unique_is_another_s_only_once(asking: Asking, path: str, value: Any, message: str) -> None:
    asking.made(path, value)
    asking.json("POST", path, value)
    assert _failed(asking) == (409, 5, message)
    assert asking.value["name"] == "unique constraint violation"
    assert len(asking.get(path)["data"]) == 1


def test_the_key_of_a_credential_is_one_consumer_s(asking: Asking) -> None:
    for name in ("jack", "jill"):
        asking.made("/consumers", {"username": name})
    assert asking.form("POST", "/consumers/jack/jwt", "key=k") == 201
    assert asking.form("POST", "/consumers/jack/jwt", "key=k") == 409
    assert asking.form("POST", "/consumers/jill/jwt", "key=k") == 409
    assert asking.form("PUT", "/consumers/jill/jwt/k") == 409
    assert asking.form("POST", "/consumers/jill/jwt", "key=other") == 201


def test_a_change_to_itself_is_no_violation(asking: Asking) -> None:
    asking.made("/consumers", {"username": "jack", "custom_id": "x"})
    assert asking.json("PATCH", "/consumers/jack", {"custom_id": "x"}) == 200
    assert asking.json("PUT", "/consumers/jack", {"custom_id": "x"}) == 200
    plugin = asking.made("/plugins", {"name": "jwt"})
    assert asking.json("PATCH", f"/plugins/{plugin['id']}", {"enabled": False}) == 200


def test_a_plugin_may_stand_once_in_each_scope(asking: Asking) -> None:
    asking.made("/services", {"name": "s", "host": "a.example"})
    asking.made("/plugins", {"name": "jwt"})
    asking.made("/services/s/plugins", {"name": "jwt"})
    asking.made("/plugins", {"name": "key-auth"})
    assert asking.form("POST", "/services/s/plugins", "name=jwt") == 409


def test_what_is_referred_to_must_exist(asking: Asking) -> None:
    nobody = str(uuid4())
    asking.json("POST", "/plugins", {"name": "jwt", "service": {"id": nobody}})
    message = f"the foreign key '{{id=\"{nobody}\"}}' does not reference an existing 'services' entity."
    assert _failed(asking) == (400, 4, message)
    asking.json("POST", "/plugins", {"name": "jwt", "service": {"name": "none"}})
    status, code, message = _failed(asking)
    assert (status, code) == (400, 13)
    assert message.startswith("foreign key unresolved (service.name: ")


def test_an_owner_may_be_given_by_name(asking: Asking) -> None:
    service = asking.made("/services", {"name": "s", "host": "a.example"})
    asking.made("/consumers", {"username": "jack"})
    assert asking.form("POST", "/plugins", "name=jwt", "service.name=s") == 201
    assert asking.value["service"] == {"id": service["id"]}
    assert asking.form("POST", "/jwts", "consumer.username=jack") == 201


def test_a_certificate_of_a_plugin_must_exist(asking: Asking) -> None:
    asking.form("POST", "/plugins", "name=jwt-signer", f"config.access_token_jwks_uri_client_certificate.id={uuid4()}")
    assert _failed(asking)[:2] == (400, 4)


def test_a_certificate_a_plugin_names_stays() -> None:
    certificate = str(uuid4())
    asking = Asking({"certificates": {certificate: {"id": certificate}}})
    config = f"config.access_token_jwks_uri_client_certificate.id={certificate}"
    assert asking.form("POST", "/plugins", "name=jwt-signer", config) == 201
    assert asking.send("DELETE", f"/certificates/{certificate}") == 400
    assert asking.value["code"] == 19
    assert asking.send("DELETE", f"/plugins/{asking.get('/plugins')['data'][0]['id']}") == 204
    assert asking.send("DELETE", f"/certificates/{certificate}") == 204


@pytest.mark.parametrize("owner", [{}, {"name": 1}, {"name": "s", "host": "x"}, {"host": "x"}, "s"])
def test_an_owner_that_is_named_in_no_way_we_know_is_a_schema_violation(asking: Asking, owner: Any) -> None:
    assert asking.json("POST", "/plugins", {"name": "jwt", "service": owner}) == 400
    assert asking.value["code"] == 2


def test_a_service_with_routes_stays(asking: Asking) -> None:
    asking.made("/services", {"name": "s", "host": "a.example"})
    asking.made("/services/s/routes", {"name": "r", "paths": ["/x"]})
    asking.send("DELETE", "/services/s")
    assert _failed(asking) == (400, 4, "an existing 'routes' entity references this 'services' entity")
    assert asking.send("DELETE", "/routes/r") == 204
    assert asking.send("DELETE", "/services/s") == 204


def test_a_consumer_takes_its_plugins_and_credentials_along(asking: Asking) -> None:
    asking.made("/consumers", {"username": "jack"})
    asking.made("/consumers/jack/jwt", {"key": "k"})
    asking.made("/consumers/jack/plugins", {"name": "request-termination"})
    assert asking.send("DELETE", "/consumers/jack") == 204
    assert asking.get("/plugins")["data"] == []
    assert asking.send("GET", "/jwts/k") == 404
    assert asking.desk.people == {}


def test_a_form_may_write_lists_of_jwt_signer_with_commas(asking: Asking) -> None:
    claim = "config.access_token_scopes_claim"
    listed = ["employee", "favourites", "beverage"]
    ways = (
        (f"{claim}=employee,favourites,beverage",),
        tuple(f"{claim}[]={each}" for each in listed),
        tuple(f"{claim}={each}" for each in listed),
        tuple(f"{claim}%5B{index}%5D={each}" for index, each in enumerate(listed, start=1)),
        (f'{claim}=["employee","favourites","beverage"]',),
    )
    for way in ways:
        assert asking.form("POST", "/plugins", "name=jwt-signer", "config.channel_token_optional=true", *way) == 201
        assert asking.value["config"]["access_token_scopes_claim"] == listed, way
        asking.send("DELETE", f"/plugins/{asking.value['id']}")


def test_json_does_not(asking: Asking) -> None:
    config = {"access_token_scopes_claim": ["a,b"], "channel_token_optional": True}
    plugin = asking.made("/plugins", {"name": "jwt-signer", "config": config})
    assert plugin["config"]["access_token_scopes_claim"] == ["a,b"]


def test_a_patch_knows_the_plugin_it_changes(asking: Asking) -> None:
    plugin = asking.made("/plugins", {"name": "jwt-signer", "config": {"channel_token_optional": True}})
    assert asking.form("PATCH", f"/plugins/{plugin['id']}", "config.access_token_scopes_required=a b,c") == 200
    assert asking.value["config"]["access_token_scopes_required"] == ["a b", "c"]


@pytest.mark.parametrize(("text", "expected"), [(str(uuid4()), True), (str(uuid4()).upper(), True), ("name", False)])
def test_an_id_is_told_from_a_name(text: str, expected: bool) -> None:
    assert is_uuid(text) is expected
