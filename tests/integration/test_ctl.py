"""`jwtgate ctl` and a running gateway."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from .admin_gateway import TOKEN, AdminGateway
from .loopback_server import LoopbackServer
from .rig import until
from .test_admin_api import SECRET, document, statuses


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[AdminGateway]:
    with LoopbackServer() as upstream, AdminGateway(tmp_path, document(upstream.url), workers=2) as running:
        yield running


def test_a_route_is_put_and_deleted_from_the_command_line(gateway: AdminGateway) -> None:
    made = gateway.ctl("put", "routes", "orders", "-f", "-", input="{path: /orders/*, auth: none, upstream: echo}")
    assert made.returncode == 0, made.stderr
    assert statuses(gateway, "/orders/1") == {200}
    assert "orders  1        store" in gateway.ctl("list", "routes").stdout
    assert gateway.ctl("delete", "routes", "orders").returncode == 0
    assert statuses(gateway, "/orders/1") == {404}
    assert gateway.ctl("delete", "routes", "file").returncode == 1


def test_mistakes_are_told_as_check_tells_them(gateway: AdminGateway) -> None:
    bad = gateway.ctl("put", "routes", "orders", "-f", "-", input="{path: nowhere, auth: requird, upstream: echo}")
    assert bad.returncode == 2
    assert {line.split(": ")[1] for line in bad.stderr.splitlines()} >= {"/path", "/auth"}


def test_what_is_exported_can_be_applied(gateway: AdminGateway, tmp_path: Path) -> None:
    exported = json.loads(gateway.ctl("export").stdout)
    exported["routes"]["orders"] = {"path": "/orders/*", "auth": "none", "upstream": "echo"}
    file = tmp_path / "wanted.json"
    file.write_text(json.dumps(exported))
    assert SECRET not in file.read_text()
    assert gateway.ctl("check", str(file)).returncode == 0
    assert "add      /routes/orders" in gateway.ctl("diff", str(file)).stdout
    applied = gateway.ctl("apply", str(file), "--json")
    assert applied.returncode == 0, applied.stdout
    assert statuses(gateway, "/orders/1") == {200}
    file.write_text(gateway.ctl("export").stdout)
    assert gateway.ctl("diff", str(file)).stdout == "no difference\n"


def test_a_token_is_revoked_and_given_back(gateway: AdminGateway, tmp_path: Path) -> None:
    guarded = "{path: /guarded, auth: required, issuers: main, upstream: echo}"
    gateway.ctl("put", "routes", "guarded", "-f", "-", input=guarded)
    claims = {"iss": "https://issuer.example", "aud": "orders", "exp": int(time.time()) + 600}
    token = jwt.encode(claims, SECRET, "HS256")
    assert statuses(gateway, "/guarded", token) == {200}
    revoked = gateway.ctl("revoke", "--token", "-", "--expires-in", "600", "--json", input=token)
    assert revoked.returncode == 0, revoked.stderr
    until(lambda: statuses(gateway, "/guarded", token) == {401})
    assert "token" in gateway.ctl("revocations").stdout
    gateway.ctl("withdraw", json.loads(revoked.stdout)["id"])
    until(lambda: statuses(gateway, "/guarded", token) == {200})
    assert token not in gateway.written
    assert TOKEN not in gateway.written


def test_consumers_are_imported_from_a_file(gateway: AdminGateway, tmp_path: Path) -> None:
    file = tmp_path / "consumers.jsonl"
    file.write_text("".join(json.dumps({"name": f"c{number}", "groups": ["all"]}) + "\n" for number in range(200)))
    imported = gateway.ctl("import", "consumers", str(file))
    assert imported.stdout == "good: 200 written\n", imported.stderr
    assert len(json.loads(gateway.ctl("list", "consumers", "--json").stdout)) == 200
    assert len(json.loads(gateway.ctl("list", "consumers", "--contains", "c19", "--json").stdout)) == 11


def test_the_status_and_the_audit_log_are_shown(gateway: AdminGateway) -> None:
    assert "ready            true" in gateway.ctl("status").stdout
    gateway.ctl("put", "routes", "orders", "-f", "-", input="{path: /orders/*, auth: none, upstream: echo}")
    assert "alice  put" in gateway.ctl("audit").stdout
