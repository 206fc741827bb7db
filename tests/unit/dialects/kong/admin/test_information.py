"""What the Admin API tells of itself."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.kong.admin.asking import Asking


@pytest.fixture
def asking() -> Asking:
    return Asking()


def test_the_root_names_the_release_and_the_plugins(asking: Asking) -> None:
    asking.made("/plugins", {"name": "jwt"})
    root = asking.get("/")
    assert root["version"].startswith("3.")
    assert root["plugins"]["available_on_server"].keys() >= {"jwt", "jwt-signer", "key-auth"}
    assert root["plugins"]["enabled_in_cluster"] == ["jwt"]
    assert root["configuration"]["database"] == "postgres"
    assert Asking(is_declarative=True).get("/")["configuration"]["database"] == "off"


def test_the_status_is_that_everything_is_reached(asking: Asking) -> None:
    assert asking.get("/status")["database"] == {"reachable": True}
    assert asking.get("/status")["configuration_hash"] == "0" * 32
    asking.json("POST", "/config", {"_format_version": "3.0"})
    assert asking.get("/status")["configuration_hash"] != "0" * 32


def test_plugins_are_listed(asking: Asking) -> None:
    assert {"jwt", "jwt-signer"} <= set(asking.get("/plugins/enabled")["enabled_plugins"])
    assert asking.send("POST", "/plugins/enabled") == 405


def _named(fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: field for each in fields for name, field in each.items()}


def test_a_schema_names_types_and_defaults(asking: Asking) -> None:
    fields = _named(asking.get("/schemas/routes")["fields"])
    assert fields["id"] == {"type": "string", "uuid": True}
    assert fields["protocols"]["default"] == ["http", "https"]
    assert fields["hosts"]["elements"]["type"] == "string"
    assert fields["headers"]["values"]["type"] == "array"
    assert fields["https_redirect_status_code"]["one_of"] == [426, 301, 302, 307, 308]
    assert _named(asking.get("/schemas/services")["fields"])["host"]["required"] is True
    assert _named(asking.get("/schemas/jwt_secrets")["fields"])["secret"]["encrypted"] is True
    assert asking.send("GET", "/schemas/nothing") == 404


def test_a_plugin_s_schema_is_that_of_its_configuration(asking: Asking) -> None:
    fields = _named(asking.get("/schemas/plugins/jwt-signer")["fields"])
    config = _named(fields["config"]["fields"])
    assert config["access_token_signing_algorithm"]["default"] == "RS256"
    assert config["access_token_keyset_rotate_period"]["between"] == [0, 31536000]
    assert fields["consumer"] == {"type": "foreign", "eq": None}
    assert "consumer" not in _named(asking.get("/schemas/plugins/request-termination")["fields"])
    transformer = _named(asking.get("/schemas/plugins/request-transformer")["fields"])
    assert "headers" in _named(_named(transformer["config"]["fields"])["add"]["fields"])
    assert asking.send("GET", "/schemas/plugins/none") == 404
    assert asking.send("POST", "/schemas/plugins/jwt") == 405


@pytest.mark.parametrize(
    ("path", "value", "status"),
    [
        ("plugins", {"name": "jwt"}, 200),
        ("plugins", {"name": "none"}, 400),
        ("routes", {"paths": ["/x"]}, 200),
        ("routes", {"paths": ["x"]}, 400),
        ("consumers", {}, 400),
        ("nothing", {}, 404),
    ],
)
def test_a_value_is_checked_and_not_kept(asking: Asking, path: str, value: object, status: int) -> None:
    assert asking.json("POST", f"/schemas/{path}/validate", value) == status
    if status == 200:
        assert asking.value == {"message": "schema validation successful"}
    assert asking.desk.version == 0
    assert asking.send("GET", f"/schemas/{path}/validate") == (404 if status == 404 else 405)
