"""What stands before the Admin API."""

from __future__ import annotations

import pytest
from tests.unit.admin.conftest import LOOKING_TOKEN, Client
from tests.unit.admin.node import Node

from jwtgate.admin.access.guard import CERTIFICATE

CAROL = {CERTIFICATE: {"subject": ((("organizationName", "Example"),), (("commonName", "carol"),))}}
MALLORY = {CERTIFICATE: {"subject": ((("commonName", "mallory"),),)}}


def test_sec_146_nothing_is_answered_without_a_credential(client: Client) -> None:
    answer = client.ask("GET", "/v1/status", token=None)
    assert (answer.status, answer.json["detail"]) == (401, "An operator's token is needed.")
    assert answer.fields["www-authenticate"] == 'Bearer realm="jwtgate admin"'


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/openapi.json", "/nowhere"])
def test_what_is_not_there_is_not_told_to_strangers(client: Client, path: str) -> None:
    assert client.ask("POST", path, token=None).status == 401


def test_a_wrong_token_is_refused_and_not_repeated(client: Client) -> None:
    answer = client.ask("GET", "/v1/status", token="wrong-token-of-alice")
    assert answer.status == 401
    assert answer.fields["www-authenticate"].endswith('error="invalid_token"')
    assert b"wrong-token" not in answer.body


def test_sec_146_wrong_tokens_make_an_address_wait_even_with_the_right_one(client: Client) -> None:
    answers = [client.ask("GET", "/v1/status", token="wrong").status for _ in range(11)]
    assert answers == [401] * 10 + [429]
    waiting = client.ask("GET", "/v1/status")
    assert (waiting.status, waiting.fields["retry-after"]) == (429, "6")
    assert client.ask("GET", "/v1/status", address="192.0.2.9").status == 200


def test_no_token_at_all_is_no_attempt(client: Client) -> None:
    assert [client.ask("GET", "/v1/status", token=None).status for _ in range(20)] == [401] * 20


def test_a_client_certificate_is_a_credential(client: Client, node: Node) -> None:
    assert client.ask("PUT", "/v1/routes/a", {}, token=None, state=CAROL).status == 200
    assert node.entries[0].who == "carol"


def test_a_certificate_of_nobody_is_none(client: Client) -> None:
    assert client.ask("GET", "/v1/status", token=None, state=MALLORY).status == 401
    assert client.ask("GET", "/v1/status", state=MALLORY).status == 200


def test_an_operator_who_may_only_look_changes_nothing(client: Client, node: Node) -> None:
    looks = [("GET", "/v1/status"), ("POST", "/v1/document/check"), ("POST", "/v1/document/diff")]
    assert [client.ask(method, path, {"a": 1}, token=LOOKING_TOKEN).status for method, path in looks] == [200] * 3
    changes = [
        ("PUT", "/v1/routes/a"),
        ("PATCH", "/v1/routes/a"),
        ("DELETE", "/v1/routes/a"),
        ("PUT", "/v1/document"),
        ("POST", "/v1/document/history/1/roll-back"),
        ("POST", "/v1/revocations"),
        ("POST", "/v1/signing-keys/default/rotate"),
        ("POST", "/v1/document/check/"),
    ]
    assert [client.ask(method, path, {}, token=LOOKING_TOKEN).status for method, path in changes] == [403] * 8
    assert (node.resources, len(node.documents), node.revoked, node.entries) == ({}, 1, [], [])


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9902"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_sec_146_a_page_of_another_origin_cannot_use_a_certificate(client: Client, fields: dict[str, str]) -> None:
    answer = client.ask("POST", "/v1/signing-keys/default/rotate", token=None, state=CAROL, fields=fields)
    assert (answer.status, answer.json["type"].rpartition("#")[2]) == (403, "origins")
    assert "access-control-allow-origin" not in answer.fields


@pytest.mark.parametrize(
    "fields", [{"origin": "http://127.0.0.1:9901", "sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}]
)
def test_our_own_page_may_ask(client: Client, fields: dict[str, str]) -> None:
    assert client.ask("POST", "/v1/signing-keys/default/rotate", fields=fields).status == 200


def test_the_page_may_be_opened_from_a_link_elsewhere(client: Client) -> None:
    fields = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.ask("GET", "/", token=None, fields=fields).status == 200
    assert client.ask("DELETE", "/v1/routes/a", token=None, state=CAROL, fields=fields).status == 403


@pytest.mark.parametrize(
    ("method", "path", "token"),
    [("GET", "/v1/status", None), ("GET", "/v1/status", "x"), ("GET", "/", None), ("PUT", "/v1/routes/a", "x")],
)
def test_every_answer_carries_the_fields_that_keep_browsers_in_check(
    client: Client, method: str, path: str, token: str | None
) -> None:
    fields = client.ask(method, path, token=token).fields
    assert (fields["cache-control"], fields["x-content-type-options"]) == ("no-store", "nosniff")
    assert (fields["referrer-policy"], fields["cross-origin-resource-policy"]) == ("no-referrer", "same-origin")
    assert "default-src 'none'" in fields["content-security-policy"]
    assert "frame-ancestors 'none'" in fields["content-security-policy"]
    assert "set-cookie" not in fields
