"""The commands of `jwtgate ctl`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.ctl.conftest import Ctl, Served

from jwtgate.admin.operations.kinds import KINDS as SERVED_KINDS
from jwtgate.cli.ctl.commands import KINDS, ctl


def test_every_kind_that_is_served_can_be_asked_for() -> None:
    assert tuple(kind.path for kind in SERVED_KINDS) == KINDS


def test_resources_are_put_listed_shown_patched_and_deleted(ctl: Ctl, tmp_path: Path) -> None:
    file = tmp_path / "orders.yaml"
    file.write_text("path: /orders\nauth: none\n")
    assert "routes orders is version 1" in ctl.run("put", "routes", "orders", "-f", str(file)).stdout
    assert "orders  1        store" in ctl.run("list", "routes").stdout
    assert json.loads(ctl.run("get", "routes", "orders").stdout) == {"path": "/orders", "auth": "none"}
    assert ctl.json("get", "routes", "orders")["version"] == 1
    ctl.run("patch", "routes", "orders", "-f", "-", input="auth: null")
    ctl.run("patch", "routes", "orders", "-f", "-", input='[{"op": "add", "path": "/x", "value": 1}]')
    assert ctl.json("get", "routes", "orders")["value"] == {"path": "/orders", "x": 1}
    assert ctl.run("delete", "routes", "orders").exit_code == 0
    assert ctl.run("list", "routes").stdout == "none\n"


def test_a_change_is_made_over_the_version_that_was_named(ctl: Ctl) -> None:
    assert ctl.run("put", "routes", "a", "-f", "-", "--over", "0", input="{}").exit_code == 0
    assert ctl.run("put", "routes", "a", "-f", "-", "--over", "0", input="{}").exit_code == 1
    assert ctl.run("put", "routes", "a", "-f", "-", "--over", "1", input="{}").exit_code == 0
    assert ctl.run("delete", "routes", "a", "--over", "1").exit_code == 1
    assert ctl.run("patch", "routes", "a", "-f", "-", "--over", "2", input="{}").exit_code == 0


def test_a_document_is_checked_compared_applied_and_rolled_back(ctl: Ctl, served: Served, tmp_path: Path) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text("listen: 127.0.0.1:1\n")
    assert "can be applied" in ctl.run("check", str(file)).stdout
    assert ctl.json("diff", str(file)) == [{"op": "replace", "path": "/listen", "value": "127.0.0.1:1"}]
    assert ctl.run("diff", str(file)).stdout == 'replace  /listen "127.0.0.1:1"\n'
    assert len(served.node.documents) == 1
    assert ctl.json("apply", str(file), "--over", "1")["version"] == 2
    assert ctl.run("apply", str(file), "--over", "1").exit_code == 1
    assert json.loads(ctl.run("export").stdout) == {"listen": "127.0.0.1:1"}
    assert ctl.json("roll-back", "1")["version"] == 3
    assert ctl.run("roll-back", "1", "--over", "1").exit_code == 1
    assert [each["changed_by"] for each in ctl.json("history")] == ["file", "alice", "alice"]


def test_every_mistake_of_a_document_is_told(ctl: Ctl) -> None:
    result = ctl.run("apply", "-", input="wrong: 1")
    assert (result.exit_code, result.stderr.count("mistake:")) == (2, 2)


def test_tokens_are_revoked_and_the_revocation_taken_back(ctl: Ctl, served: Served) -> None:
    entry = ctl.json("revoke", "--subject", "alice", "--issuer", "main", "--issued-before", "5", "--expires-in", "60")
    assert (entry["by"], entry["value"], entry["issued_before"]) == ("subject", "alice", 5)
    assert "alice" in ctl.run("revocations").stdout
    assert ctl.run("withdraw", entry["id"]).exit_code == 0
    assert served.node.revoked == []


def test_a_signing_key_is_shown_and_rotated(ctl: Ctl, served: Served) -> None:
    assert "k1   ES256  active" in ctl.run("keys", "default").stdout
    assert "2025-06-15 15:06:41Z  the new key signs" in ctl.run("rotate", "default", "--plan").stdout
    assert served.node.entries == []
    assert ctl.json("rotate", "default")["former"] == "k1"
    assert served.node.entries[0].action == "rotate"


def test_consumers_are_imported(ctl: Ctl, served: Served, tmp_path: Path) -> None:
    file = tmp_path / "consumers.jsonl"
    file.write_text('{"name": "a", "groups": []}\n{"name": "b"}\n')
    assert ctl.json("import", "consumers", str(file)) == {"good": True, "written": 2}
    assert served.node.resources["consumers", "a"].value == {"groups": []}


def test_the_audit_log_and_the_status_are_shown(ctl: Ctl) -> None:
    ctl.run("put", "routes", "a", "-f", "-", input="{}")
    assert "alice" in ctl.run("audit", "--limit", "1").stdout
    assert "generation       3" in ctl.run("status").stdout


def test_a_new_token_needs_no_gateway() -> None:
    assert "token_sha256" in Ctl("http://127.0.0.1:1").run("new-token", "bob").stdout


@pytest.mark.parametrize("name", ctl.commands)
def test_every_command_has_an_example(name: str) -> None:
    result = Ctl("").run(name, "--help")
    assert result.exit_code == 0
    assert f"jwtgate ctl {name}" in result.stdout


def test_a_new_token_is_somebodys() -> None:
    result = Ctl("http://127.0.0.1:1").run("new-token")
    assert (result.exit_code, "jwtgate ctl new-token alice" in result.stderr) == (2, True)
