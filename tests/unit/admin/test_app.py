"""The Admin API as one application."""

from __future__ import annotations

from typing import Any

from tests.unit.admin.conftest import Client

UNAUTHENTICATED = {"/", "/page/start.js", "/page/swagger-ui-bundle.js", "/page/swagger-ui.css", "/v1/openapi.json"}


def operations(client: Client) -> list[tuple[str, str]]:
    paths: dict[str, Any] = client.ask("GET", "/v1/openapi.json").json["paths"]
    filled = {path: path.replace("{name}", "a").replace("{version}", "1") for path in paths}
    return [(method.upper(), filled[path]) for path, methods in paths.items() for method in methods]


def test_everything_the_issue_names_is_there(client: Client) -> None:
    paths = {path.split("/")[2] for _, path in operations(client)}
    assert paths == {
        *("document", "routes", "upstreams", "issuers", "consumers", "credentials", "signing-keys"),
        *("secret-stores", "revocations", "audit", "status"),
    }


def test_sec_146_every_operation_needs_an_operator(client: Client) -> None:
    assert {client.ask(method, path, {}, token=None).status for method, path in operations(client)} == {401}


def test_every_operation_refuses_queries_it_does_not_know(client: Client) -> None:
    asked = [client.ask(method, f"{path}?colour=red", {}) for method, path in operations(client)]
    assert {answer.status for answer in asked} == {400}


def test_every_body_is_read_strictly(client: Client) -> None:
    described = client.ask("GET", "/v1/openapi.json").json["paths"]
    client.ask("PUT", "/v1/routes/a", {})
    taking = [
        (method.upper(), path.replace("{name}", "a"), media_type)
        for path, methods in described.items()
        for method, operation in methods.items()
        for media_type in operation.get("requestBody", {"content": {}})["content"]
    ]
    assert len(taking) > 20
    for method, path, media_type in taking:
        fields = {"content-type": media_type, "if-match": "*"} if "document" in path else {"content-type": media_type}
        assert client.ask(method, path, b'{"a":1,"a":1}', fields=fields).status == 400, (method, path)


def test_no_path_is_redirected(client: Client) -> None:
    assert client.ask("GET", "/v1/routes/").status == 404
    assert client.ask("GET", "//v1/routes").status == 404


def test_no_page_of_the_framework_is_served(client: Client) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
        assert client.ask("GET", path).status == 404
