"""The resources of a document, kind by kind."""

from __future__ import annotations

import pytest
from tests.unit.admin.conftest import Client
from tests.unit.admin.node import NOON, Node

from jwtgate.admin.operations.kinds import KINDS
from jwtgate.control.administration.resources import Resource

PATHS = [f"/v1/{kind.path}/a" for kind in KINDS]


@pytest.mark.parametrize("path", PATHS)
def test_a_resource_is_made_shown_replaced_patched_and_deleted(client: Client, path: str) -> None:
    made = client.ask("PUT", path, {"x": 1})
    assert (made.status, made.fields["etag"]) == (200, '"1"')
    assert client.ask("GET", path).json == {
        "name": "a",
        "value": {"x": 1},
        "version": 1,
        "origin": "store",
        "changed_at": NOON,
    }
    assert client.ask("PUT", path, {"x": 2, "y": 3}).fields["etag"] == '"2"'
    merge = {"content-type": "application/merge-patch+json"}
    assert client.ask("PATCH", path, {"y": None}, fields=merge).json["value"] == {"x": 2}
    operations = [{"op": "add", "path": "/z", "value": 4}]
    patch = {"content-type": "application/json-patch+json"}
    assert client.ask("PATCH", path, operations, fields=patch).json["value"] == {"x": 2, "z": 4}
    assert client.ask("DELETE", path).status == 204
    assert client.ask("GET", path).status == 404


def test_the_operator_who_asked_is_noted(client: Client, node: Node) -> None:
    client.ask("PUT", "/v1/issuers/a", {})
    client.ask("DELETE", "/v1/issuers/a")
    assert [(each.who, each.action, each.kind, each.name) for each in node.entries] == [
        ("alice", "put", "issuers", "a"),
        ("alice", "delete", "issuers", "a"),
    ]


def test_only_the_version_that_was_read_is_changed(client: Client, node: Node) -> None:
    client.ask("PUT", "/v1/routes/a", {"x": 1})
    client.ask("PUT", "/v1/routes/a", {"x": 2})
    stale, fresh = {"if-match": '"1"'}, {"if-match": '"2"'}
    merge = {"content-type": "application/merge-patch+json"}
    assert client.ask("PUT", "/v1/routes/a", {"x": 3}, fields=stale).status == 412
    assert client.ask("PATCH", "/v1/routes/a", {"x": 3}, fields=stale | merge).status == 412
    assert client.ask("DELETE", "/v1/routes/a", fields=stale).status == 412
    assert node.resources["routes", "a"].value == {"x": 2}
    assert client.ask("PUT", "/v1/routes/a", {"x": 3}, fields=fresh).status == 200


def test_a_resource_is_made_only_where_there_is_none(client: Client) -> None:
    none_yet = {"if-none-match": "*"}
    assert client.ask("PUT", "/v1/routes/a", {}, fields=none_yet).status == 200
    assert client.ask("PUT", "/v1/routes/a", {}, fields=none_yet).status == 412


def test_nothing_matches_what_is_not_there(client: Client) -> None:
    for method in ("PUT", "DELETE"):
        assert client.ask(method, "/v1/routes/a", {}, fields={"if-match": "*"}).status == 412
    assert (
        client.ask("PATCH", "/v1/routes/a", {}, fields={"content-type": "application/merge-patch+json"}).status == 404
    )


def test_a_patch_is_made_over_the_version_it_was_worked_out_from(client: Client, node: Node) -> None:
    client.ask("PUT", "/v1/routes/a", {"x": 1})
    seen: list[object] = []
    put = node.put

    async def noting(*args: object, over: int | None, **kwargs: object) -> object:
        seen.append(over)
        return await put(*args, over=over, **kwargs)  # type: ignore[arg-type]

    node.put = noting  # type: ignore[assignment,method-assign]
    client.ask("PATCH", "/v1/routes/a", {"x": 2}, fields={"content-type": "application/merge-patch+json"})
    assert seen == [1]


def test_a_list_comes_in_parts(client: Client) -> None:
    for name in "abcde":
        client.ask("PUT", f"/v1/consumers/{name}", {})
    first = client.ask("GET", "/v1/consumers?limit=2")
    assert [each["name"] for each in first.json["items"]] == ["a", "b"]
    assert first.fields["link"] == '</v1/consumers?limit=2&after=b>; rel="next"'
    second = client.ask("GET", "/v1/consumers?limit=2&after=b")
    last = client.ask("GET", f"/v1/consumers?limit=2&after={second.json['next']}")
    assert ([each["name"] for each in last.json["items"]], last.json["next"]) == (["e"], None)


def test_a_list_holds_only_the_names_asked_for(client: Client) -> None:
    for name in ("team-a-1", "team-b-1", "team-a-2"):
        client.ask("PUT", f"/v1/consumers/{name}", {})
    found = client.ask("GET", "/v1/consumers?contains=team-a&limit=1")
    assert [each["name"] for each in found.json["items"]] == ["team-a-1"]
    assert "contains=team-a" in found.fields["link"]


def test_a_client_that_has_the_version_is_spared_it(client: Client) -> None:
    client.ask("PUT", "/v1/routes/a", {})
    answer = client.ask("GET", "/v1/routes/a", fields={"if-none-match": '"1"'})
    assert (answer.status, answer.body, answer.fields["etag"]) == (304, b"", '"1"')


def test_what_the_file_says_may_have_changed_under_the_same_version(client: Client, node: Node) -> None:
    node.resources["routes", "a"] = Resource("routes", "a", {}, 0, "document", None)
    assert client.ask("GET", "/v1/routes/a", fields={"if-none-match": '"0"'}).status == 200
