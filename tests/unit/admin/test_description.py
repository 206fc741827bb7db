"""The OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.unit.admin.conftest import Client
from tests.unit.admin.node import Node

from jwtgate.admin.app import guarded_app
from jwtgate.admin.operations.kinds import KINDS


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    app = guarded_app(Node(), (), shows_page=False, wall=lambda: 0.0, monotonic=lambda: 0.0)
    made: dict[str, Any] = app.app.openapi()  # type: ignore[attr-defined]
    return made


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for item in node.values():
            yield from references(item)
    if isinstance(node, list):
        for item in node:
            yield from references(item)


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for reference in set(references(described)):
        node: Any = described
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_schema_is_one(described: dict[str, Any]) -> None:
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_names_its_refusals_as_problems(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        refusals = {status: each for status, each in operation["responses"].items() if status[0] in "45"}
        assert refusals.keys() >= {"400", "401", "403", "429", "503"}, (path, method)
        assert all(each == {"$ref": "#/components/responses/Problem"} for each in refusals.values())
        assert ("415" in refusals) == ("requestBody" in operation)
        assert ("422" in refusals) == (method != "get")


def test_every_success_says_what_it_answers_with(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        success = [each for status, each in operation["responses"].items() if status[0] == "2"]
        assert len(success) == 1, (path, method)
        assert ("content" in success[0]) == (method != "delete")


def test_every_operation_needs_a_token(described: dict[str, Any]) -> None:
    assert described["security"] == [{"token": []}]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert all("security" not in operation for _, _, operation in operations(described))


def test_names_of_operations_are_unique(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("Route", {"auth"}),
        ("Upstream", {"targets"}),
        ("Issuer", {"audience"}),
        ("Consumer", set()),
        ("Credential", {"consumer"}),
        ("SigningKey", set()),
        ("SecretStore", set()),
    ],
)
def test_the_schema_of_a_kind_is_that_of_its_section(described: dict[str, Any], kind: str, needed: set[str]) -> None:
    schema = described["components"]["schemas"][kind]
    assert set(schema.get("required", ())) == needed
    assert schema["additionalProperties"] is False


def test_every_kind_has_its_schemas(described: dict[str, Any]) -> None:
    for kind in KINDS:
        assert {kind.schema, kind.written, kind.listed} <= described["components"]["schemas"].keys()


def test_a_wrong_route_is_wrong_by_its_schema(described: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/Route", "components": described["components"]}
    good = {"path": "/a", "auth": "none", "upstream": "u"}
    Draft202012Validator(schema).validate(good)
    assert not Draft202012Validator(schema).is_valid({**good, "colour": 1})


def test_it_is_served_to_operators_and_to_those_who_see_the_page(client: Client) -> None:
    answer = client.ask("GET", "/v1/openapi.json", token=None)
    assert (answer.status, answer.json["openapi"]) == (200, "3.1.0")
