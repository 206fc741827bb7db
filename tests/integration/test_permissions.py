"""What a caller may do: permissions from claims, roles and what they imply, asked for by route and method."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .rig import Client, Document, Gateway, Message, Upstream, gateway_and_upstream, request, token


def guarded(path: str, permission: Any) -> Document:
    return {"path": path, "auth": "required", "issuers": "main", "permission": permission, "upstream": "echo"}


CHANGES: Document = {
    "issuers": {
        "main": {
            "permissions": {
                "claim": "perms",
                "roles_claim": "realm.roles",
                "roles": {"clerk": ["orders:read", "orders:write"], "*": ["news:read"]},
                "implied": {"orders:all": ["orders:write"], "orders:write": ["orders:read"], "a": "b", "b": ["a"]},
            }
        }
    },
    "routes": {
        "orders": {"permission": "orders:read", "headers": {"X-Permissions": {"permissions": True}}},
        "news": guarded("/news", "news:read"),
        "by-method": guarded("/by-method", {"GET": "orders:read", "POST": "orders:write", "HEAD": ""}),
        "any-method": guarded("/any-method", {"GET": "", "*": "orders:write"}),
        "of-path": guarded("/teams/{team}", {"path_parameter": "team"}),
        "of-request": guarded("/query", {"cel": "'orders:' + request.query.action"}),
        "nobody": {**guarded("/maybe", "orders:read"), "auth": "optional"},
    },
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(**CHANGES) as both:
        yield both


@pytest.fixture
def client(both: tuple[Gateway, Upstream]) -> Iterator[Client]:
    both[1].forget()
    with Client(both[0].port) as client:
        yield client


def ask(client: Client, target: str, method: str = "GET", **claims: Any) -> Message:
    return client.ask(request(target, method=method, bearer=token(**claims)))


def shown(answer: Message) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]


REFUSED = (403, "permission_missing")


@pytest.mark.parametrize("perms", ["orders:read", "news:read  orders:read", ["x", "orders:read"]])
def test_a_permission_is_a_word_of_a_claim_or_an_element_of_a_list(client: Client, perms: object) -> None:
    assert ask(client, "/orders/1", perms=perms).status == 200


@pytest.mark.parametrize(
    "perms", [None, "", "orders:reader", ["orders:read x"], ["orders:read", 1], {"orders:read": 1}]
)
def test_any_other_claim_grants_nothing(client: Client, both: tuple[Gateway, Upstream], perms: object) -> None:
    assert shown(ask(client, "/orders/1", perms=perms)) == REFUSED
    assert both[1].requests == []


def test_sec_142_another_token_would_not_help_so_there_is_no_challenge(client: Client) -> None:
    assert ask(client, "/orders/1").value("WWW-Authenticate") is None
    assert client.ask(request("/orders/1")).value("WWW-Authenticate") is not None


@pytest.mark.parametrize(("roles", "status"), [("clerk", 200), (["x", "clerk"], 200), ("porter", 403), ("clerks", 403)])
def test_a_role_grants_what_the_document_says(client: Client, roles: object, status: int) -> None:
    assert ask(client, "/orders/1", realm={"roles": roles}).status == status


def test_a_star_grants_to_every_role_and_to_no_token_without_roles(client: Client) -> None:
    assert ask(client, "/news", realm={"roles": "porter"}).status == 200
    assert ask(client, "/news", realm={"roles": "clerk"}).status == 200
    assert shown(ask(client, "/news")) == REFUSED
    assert shown(ask(client, "/news", roles="porter")) == REFUSED


def test_a_permission_implies_others_again_and_again_and_a_circle_ends(client: Client) -> None:
    assert ask(client, "/orders/1", perms="orders:all").status == 200
    assert ask(client, "/orders/1", perms="a orders:write").status == 200
    assert shown(ask(client, "/by-method", "POST", perms="orders:read")) == REFUSED


def test_an_upstream_may_be_told_the_permissions(client: Client, both: tuple[Gateway, Upstream]) -> None:
    sent = request("/orders/1", "X-Permissions: root", bearer=token(perms="orders:write"))
    assert client.ask(sent).status == 200
    assert both[1].one_request().value("X-Permissions") == "orders:write,orders:read"


def test_a_permission_is_asked_for_by_method(client: Client) -> None:
    assert ask(client, "/by-method", perms="orders:read").status == 200
    assert shown(ask(client, "/by-method", "POST", perms="orders:read")) == REFUSED
    assert ask(client, "/by-method", "POST", perms="orders:write").status == 200
    assert ask(client, "/by-method", perms="orders:read").status == 200, "remembered for one method is not for another"
    assert ask(client, "/any-method").status == 200
    assert shown(ask(client, "/any-method", "DELETE")) == REFUSED
    assert ask(client, "/any-method", "DELETE", perms="orders:write").status == 200


def test_a_method_that_is_not_named_is_not_permitted_to_anybody(client: Client, both: tuple[Gateway, Upstream]) -> None:
    answer = ask(client, "/by-method", "DELETE", perms="orders:read orders:write")
    assert shown(answer) == (405, "method_not_permitted")
    assert answer.value("Allow") == "GET, POST, HEAD"
    assert both[1].requests == []


def test_a_permission_may_come_from_the_request(client: Client) -> None:
    assert ask(client, "/teams/blue", perms="blue").status == 200
    assert shown(ask(client, "/teams/red", perms="blue")) == REFUSED
    assert ask(client, "/teams/r%C3%B8d", perms="rød").status == 200
    assert ask(client, "/query?action=read", perms="orders:read").status == 200
    assert shown(ask(client, "/query?action=write", perms="orders:read")) == REFUSED


def test_sec_50_a_permission_that_cannot_be_told_is_one_nobody_has(client: Client) -> None:
    assert shown(ask(client, "/query", perms="orders:read orders:")) == (403, "condition_not_met")
    assert shown(ask(client, "/query?action=read&action=read", perms="orders:read")) == (403, "condition_not_met")


def test_a_permission_is_asked_of_a_caller_without_a_token_too(client: Client) -> None:
    assert shown(client.ask(request("/maybe"))) == REFUSED
    assert ask(client, "/maybe", perms="orders:read").status == 200


def test_the_log_says_which_permission_is_missing_and_the_answer_does_not(both: tuple[Gateway, Upstream]) -> None:
    gateway, _ = both
    for target, missing in (("/orders/1", "orders:read"), ("/teams/red", "red")):
        with Client(gateway.port) as client:
            answer = ask(client, target, perms="secret:thing")
        assert json.loads(answer.body)["message"] == "The caller lacks a permission that is needed."
        assert missing.encode() not in answer.raw_head + answer.body
        line = gateway.line_of(answer)
        assert (line["status"], line["reason"], line["detail"]) == (403, "permission_missing", {"permission": missing})
    assert b"secret:thing" not in gateway.raw_log()


def test_roles_and_what_is_implied_may_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "roles.json").write_text('{"clerk": ["orders:all"]}')
    (tmp_path / "implied.yaml").write_text("orders:all: [orders:read]\n")
    permissions = {
        "roles_claim": "roles",
        "roles_file": str(tmp_path / "roles.json"),
        "implied_file": str(tmp_path / "implied.yaml"),
    }
    changes = {**CHANGES, "issuers": {"main": {"permissions": permissions}}}
    with gateway_and_upstream(**changes) as (gateway, _), Client(gateway.port) as client:
        assert ask(client, "/orders/1", roles="clerk").status == 200
        assert shown(ask(client, "/orders/1", roles="porter")) == REFUSED
