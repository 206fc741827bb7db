"""Revocations, signing keys, the audit log and the status over the Admin API."""

from __future__ import annotations

import pytest
from tests.unit.admin.conftest import Client
from tests.unit.admin.node import NOON, Node

from jwtgate.policy.revocations import RevokedBy


def test_tokens_are_revoked_and_the_revocation_taken_back(client: Client, node: Node) -> None:
    made = client.ask("POST", "/v1/revocations", {"by": "jti", "value": "a", "expires_in_seconds": 60})
    assert (made.status, made.fields["location"]) == (201, f"/v1/revocations/{made.json['id']}")
    assert (node.revoked[0].by, node.revoked[0].expires_at) == (RevokedBy.JTI, NOON + 60)
    assert client.ask("GET", "/v1/revocations").json == {"items": [made.json], "next": None}
    assert client.ask("DELETE", made.fields["location"]).status == 204
    assert (node.revoked, [each.who for each in node.entries]) == ([], ["alice", "alice"])
    assert client.ask("DELETE", made.fields["location"]).status == 404


def test_every_revocation_has_a_name_of_its_own(client: Client) -> None:
    names = {client.ask("POST", "/v1/revocations", {"by": "jti", "value": "a"}).json["id"] for _ in range(5)}
    assert len(names) == 5


def test_a_revocation_with_mistakes_revokes_nothing(client: Client, node: Node) -> None:
    assert client.ask("POST", "/v1/revocations", {"by": "jti"}).status == 422
    assert node.revoked == []


def test_revocations_come_in_parts(client: Client) -> None:
    for _ in range(3):
        client.ask("POST", "/v1/revocations", {"by": "jti", "value": "a"})
    part = client.ask("GET", "/v1/revocations?limit=2")
    assert part.json["next"] == part.json["items"][1]["id"]
    assert client.ask("GET", f"/v1/revocations?limit=2&after={part.json['next']}").json["next"] is None


def test_a_signing_key_is_rotated_or_its_rotation_only_planned(client: Client, node: Node) -> None:
    planned = client.ask("POST", "/v1/signing-keys/default/rotate?plan=true")
    assert (planned.json["takes_over_at"], node.entries) == (NOON + 1, [])
    assert client.ask("POST", "/v1/signing-keys/default/rotate?plan=false").status == 200
    assert [(each.who, each.action, each.name) for each in node.entries] == [("alice", "rotate", "default")]


def test_the_keys_of_a_name_are_told_with_their_states(client: Client) -> None:
    (key,) = client.ask("GET", "/v1/signing-keys/default/keys").json["items"]
    assert (key["kid"], key["state"]) == ("k1", "active")
    assert client.ask("GET", "/v1/signing-keys/nothing/keys").status == 404


@pytest.mark.parametrize("plan", ["yes", "1", "True", ""])
def test_a_plan_is_asked_for_in_one_way_only(client: Client, node: Node, plan: str) -> None:
    assert client.ask("POST", f"/v1/signing-keys/default/rotate?plan={plan}").status == 400
    assert node.entries == []


def test_the_audit_log_is_read_in_parts(client: Client) -> None:
    for name in "abc":
        client.ask("PUT", f"/v1/routes/{name}", {"secret": "s3cret"})
    part = client.ask("GET", "/v1/audit?limit=2")
    assert [(each["number"], each["who"], each["name"]) for each in part.json["items"]] == [
        (1, "alice", "a"),
        (2, "alice", "b"),
    ]
    assert [each["name"] for each in client.ask("GET", "/v1/audit?after=2").json["items"]] == ["c"]
    assert b"s3cret" not in part.body


def test_the_status_tells_how_the_node_is(client: Client) -> None:
    status = client.ask("GET", "/v1/status").json
    assert (status["generation"], status["ready"], status["workers"]) == (3, True, 2)
    assert status["issuers"][0]["issuer"] == "main"
    assert (status["introspection"], status["secret_stores"]) == ([], [])
    assert status["consumers"] == {"document": 4}
