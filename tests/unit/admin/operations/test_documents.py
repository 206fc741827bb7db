"""The whole document over the Admin API."""

from __future__ import annotations

import pytest
from tests.unit.admin.conftest import Client
from tests.unit.admin.node import NOON, Node

from jwtgate.control.administration.resources import Resource
from jwtgate.state.stores.registry import DocumentVersion

ANY = {"if-match": "*"}
MERGE = {"content-type": "application/merge-patch+json"}


def test_the_document_is_shown_with_its_version(client: Client) -> None:
    answer = client.ask("GET", "/v1/document")
    assert (answer.json, answer.fields["etag"]) == ({"version": 1, "value": {"listen": "127.0.0.1:0"}}, '"1"')


def test_a_document_is_applied_over_the_version_that_was_read(client: Client, node: Node) -> None:
    applied = client.ask("PUT", "/v1/document", {"a": 1}, fields={"if-match": '"1"'})
    assert (applied.status, applied.json) == (200, {"version": 2, "value": {"a": 1}})
    assert client.ask("PUT", "/v1/document", {"a": 2}, fields={"if-match": '"1"'}).status == 412
    assert (len(node.documents), node.documents[-1].changed_by) == (2, "alice")


def test_a_document_is_applied_over_any_version_only_when_that_is_said(client: Client, node: Node) -> None:
    assert client.ask("PUT", "/v1/document", {"a": 1}).status == 428
    assert client.ask("POST", "/v1/document/history/1/roll-back").status == 428
    assert client.ask("PUT", "/v1/document", {"a": 1}, fields={"if-none-match": "*"}).status == 412
    assert len(node.documents) == 1
    assert client.ask("PUT", "/v1/document", {"a": 1}, fields=ANY).status == 200


def test_a_document_with_mistakes_changes_nothing(client: Client, node: Node) -> None:
    for method, path in [("PUT", "/v1/document"), ("POST", "/v1/document/check"), ("POST", "/v1/document/diff")]:
        answer = client.ask(method, path, {"wrong": 1}, fields=ANY)
        assert (answer.status, len(answer.json["mistakes"])) == (422, 2)
    assert len(node.documents) == 1


def test_a_part_of_the_document_is_patched(client: Client, node: Node) -> None:
    answer = client.ask("PATCH", "/v1/document", {"limits": {"fields": 5}}, fields=MERGE)
    assert answer.json["value"] == {"listen": "127.0.0.1:0", "limits": {"fields": 5}}
    assert client.ask("PATCH", "/v1/document", {}, fields=MERGE | {"if-match": '"1"'}).status == 412
    assert len(node.documents) == 2


def test_checking_and_comparing_change_nothing(client: Client, node: Node) -> None:
    assert client.ask("POST", "/v1/document/check", {"a": 1}).json == {"good": True}
    compared = client.ask("POST", "/v1/document/diff", {"a": 1}).json
    assert compared == {"patch": [{"op": "remove", "path": "/listen"}, {"op": "add", "path": "/a", "value": 1}]}
    assert len(node.documents) == 1


def test_the_history_tells_who_and_when_and_no_values(client: Client) -> None:
    client.ask("PUT", "/v1/document", {"a": 1}, fields=ANY)
    assert client.ask("GET", "/v1/document/history").json["items"] == [
        {"version": 1, "changed_at": NOON, "changed_by": "file"},
        {"version": 2, "changed_at": NOON, "changed_by": "alice"},
    ]
    assert client.ask("GET", "/v1/document/history?limit=1").json["next"] == "1"
    assert client.ask("GET", "/v1/document/history?after=1").json["items"][0]["version"] == 2


def test_an_earlier_version_is_served_again_as_a_new_one(client: Client) -> None:
    client.ask("PUT", "/v1/document", {"a": 1}, fields=ANY)
    answer = client.ask("POST", "/v1/document/history/1/roll-back", fields={"if-match": '"2"'})
    assert answer.json == {"version": 3, "value": {"listen": "127.0.0.1:0"}}
    assert client.ask("POST", "/v1/document/history/9/roll-back", fields=ANY).status == 404


@pytest.mark.parametrize("version", ["x", "01", "-1", "1.0", "9" * 16])
def test_what_is_no_version_is_refused(client: Client, version: str) -> None:
    assert client.ask("POST", f"/v1/document/history/{version}/roll-back", fields=ANY).status == 400


def test_what_is_the_files_to_say_is_named(client: Client, node: Node) -> None:
    node.file = {"listen": "127.0.0.1:0"}
    node.resources["routes", "of/file"] = Resource("routes", "of/file", {}, 0, "document")
    node.resources["routes", "ours"] = Resource("routes", "ours", {}, 1, "store")
    held = {"listen": "127.0.0.1:0", "routes": {"of/file": {}, "ours": {}}}
    node.documents.append(DocumentVersion(2, held, NOON, "file"))
    added = {"of/file": {"auth": "none"}, "ours": {"auth": "none"}, "new": {}}
    wanted = {"listen": "0.0.0.0:0", "routes": added, "issuers": {"new": {}}, "limits": {}}
    for method, path in [("PUT", "/v1/document"), ("POST", "/v1/document/check"), ("POST", "/v1/document/diff")]:
        answer = client.ask(method, path, wanted, fields=ANY)
        assert answer.status == 409
        places = [each["place"] for each in answer.json["mistakes"]]
        assert sorted(places) == ["/limits", "/listen", "/routes/of~1file/auth"]
    assert client.ask("PATCH", "/v1/document", {"listen": "x"}, fields=MERGE).json["mistakes"][0]["place"] == "/listen"
    assert len(node.documents) == 2
