import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jwtgate.cli.main import main, state_folder

from .conftest import NOON

COMMANDS = ("serve", "check", "explain", "schema", "demo", "version", "sign", "verify", "inspect")


def _run(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=stdin)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_with_an_example(command: str) -> None:
    result = _run(command, "--help")
    assert result.exit_code == 0
    assert (
        f"Examples:\n  jwtgate {command}" in result.stdout
        or f"jwtgate {command} " in result.stdout.split("Examples:")[1]
    )


def test_the_help_names_every_command() -> None:
    text = _run("--help").stdout
    assert all(f"\n  {command}" in text for command in (*COMMANDS, "keys"))


def test_the_help_loads_neither_gateway_nor_documents() -> None:
    code = "import sys, jwtgate.cli.main; print(*[m for m in ('pydantic', 'uvloop', 'aiohttp') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert found.stdout.strip() == ""


def test_whoever_rotates_keys_loads_no_gateway() -> None:
    code = "import sys, jwtgate.cli.toolkit.state_keys; print(*[m for m in sys.modules if 'jwtgate.gateway' in m])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert found.stdout == "\n"


def test_check_says_good_or_what_is_wrong(document: Path) -> None:
    assert _run("check", document).exit_code == 0
    document.write_text("listen: 1\n")
    result = _run("check", document, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["problems"]


def test_explain_decides_a_request_from_a_file_stdin_or_curl(
    document: Path, tmp_path: Path, token: Callable[..., str]
) -> None:
    request = tmp_path / "request"
    request.write_text(f"GET /orders/1 HTTP/1.1\nAuthorization: Bearer {token()}\n")
    curl = f"curl -H 'Authorization: Bearer {token()}' http://h/orders/1"
    usual = ("explain", document, "--now", str(NOON), "--json")
    for result in (
        _run(*usual, "--request", request),
        _run(*usual, "--request", "-", stdin=request.read_text()),
        _run(*usual, "--curl", curl),
    ):
        assert json.loads(result.stdout)["outcome"] == "allowed"
        assert result.exit_code == 0


def test_explain_exits_with_1_when_the_request_is_refused(document: Path) -> None:
    assert _run("explain", document, "--curl", "curl http://h/orders/1").exit_code == 1


def test_explain_takes_the_files_of_another_gateway(tmp_path: Path) -> None:
    (tmp_path / "couper.hcl").write_text('server {\n endpoint "/a" {\n response {\n status = 204\n }\n }\n}\n')
    for document in (tmp_path / "couper.hcl", tmp_path):
        assert _run("explain", document, "--curl", "curl http://h/a").exit_code == 0
        assert _run("explain", document, "--curl", "curl http://h/b").exit_code == 1
    several = _run("explain", tmp_path / "couper.hcl", tmp_path / "gate.yaml", "--curl", "curl http://h/a")
    assert "Exactly one document is needed" in several.output


def test_explain_wants_one_request(document: Path) -> None:
    assert _run("explain", document).exit_code == 2
    assert _run("explain", document, "--curl", "curl h", "--request", "-").exit_code == 2


def test_the_schema_is_json() -> None:
    assert json.loads(_run("schema").stdout)["title"] == "jwtgate document"


def test_the_version_is_told() -> None:
    told = json.loads(_run("version", "--json").stdout)
    assert told["jwtgate"] in _run("version").stdout
    assert told["heads"] in ("compiled", "python")
    assert _run("--version").stdout == _run("version").stdout


def test_an_unknown_command_is_a_mistake() -> None:
    assert _run("frobnicate").exit_code == 2


def test_a_document_that_is_not_there_is_not_served(tmp_path: Path) -> None:
    result = _run("check", tmp_path / "absent.yaml")
    assert result.exit_code == 2
    assert "No such file" in result.stderr


def test_state_is_kept_in_the_folder_of_the_user_by_the_name_of_the_document() -> None:
    home = {"HOME": "/home/a"}
    assert state_folder("gate", home) == Path("/home/a/.local/state/jwtgate/gate")
    assert state_folder("gate", {**home, "XDG_STATE_HOME": "/s"}) == Path("/s/jwtgate/gate")
