import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jwtgate.cli.toolkit.keys import inspect, keys, sign, verify
from jwtgate.control.state_folder import DATABASE
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.keys.keyring import Keyring
from jwtgate.state.stores.sqlite import SqliteStore


def _keys(*arguments: str | Path) -> Result:
    return CliRunner().invoke(keys, list(map(str, arguments)))


def test_a_token_is_signed_verified_and_inspected(key_file: Path) -> None:
    run = CliRunner().invoke
    asked = ["--key", str(key_file), "--claim", "roles=[1]", "--issuer", "i", "--audience", "a", "--audience", "b"]
    text = run(sign, asked).stdout
    good = run(verify, ["-", "--key", str(key_file), "--issuer", "i", "--audience", "b", "--json"], input=text)
    claims = json.loads(good.stdout)["claims"]
    assert (claims["iss"], claims["aud"], claims["roles"]) == ("i", ["a", "b"], [1])
    assert json.loads(run(inspect, ["-", "--json"], input=text).stdout)["claims"] == claims
    refused = run(verify, [text.strip(), "--key", str(key_file), "--audience", "c"])
    assert (good.exit_code, refused.exit_code) == (0, 1)


def test_claims_come_from_stdin_and_one_audience_is_no_list(key_file: Path) -> None:
    asked = ["--key", str(key_file), "--claims", "-", "--audience", "a", "--json"]
    token = json.loads(CliRunner().invoke(sign, asked, input='{"sub": "bob"}').stdout)["token"]
    claims = json.loads(CliRunner().invoke(inspect, [token, "--json"]).stdout)["claims"]
    assert (claims["sub"], claims["aud"]) == ("bob", "a")


def test_a_key_is_made_listed_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    assert _keys("new", "--alg", "ES256", "--out", path).exit_code == 0
    (listed,) = json.loads(_keys("list", path, "--json").stdout)["keys"]
    shown = json.loads(_keys("show", path).stdout)
    assert listed["kid"] == shown["kid"]
    assert "d" not in shown


def test_a_file_or_a_state_folder_must_be_named_and_not_both(key_file: Path, tmp_path: Path) -> None:
    for command in ("list", "show"):
        assert _keys(command).exit_code == 2
        assert _keys(command, key_file, "--state", tmp_path).exit_code == 2


def test_a_folder_without_state_is_a_mistake(tmp_path: Path) -> None:
    for command in (["list"], ["show"], ["rotate", "n"], ["rotate", "n", "--plan"], ["rotate", "n", "--now"]):
        result = _keys(*command, "--state", tmp_path)
        assert result.exit_code == 2
        assert "no state folder" in result.stderr


def test_the_private_keys_of_a_gateway_are_never_shown(tmp_path: Path) -> None:
    result = _keys("show", "--state", tmp_path, "--private")
    assert result.exit_code == 2
    assert "--private works with a FILE only" in result.stderr


def test_the_keys_of_a_gateway_are_planned_rotated_and_replaced(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / DATABASE)
    Keyring.open(store, wall=time.time).ensure(SigningKeys("default"))
    store.close()
    count = lambda: len(json.loads(_keys("list", "--state", tmp_path, "--json").stdout)["keys"])  # noqa: E731
    assert _keys("rotate", "default", "--state", tmp_path, "--plan").exit_code == 0
    assert count() == 1
    assert _keys("rotate", "default", "--state", tmp_path).exit_code == 0
    assert count() == 2
    again = _keys("rotate", "default", "--state", tmp_path)
    assert (again.exit_code, "rotated already" in again.stderr) == (2, True)
    assert _keys("rotate", "default", "--state", tmp_path, "--now").exit_code == 0
    assert count() == 1


def test_a_plan_of_what_happens_at_once_is_not_asked_for(tmp_path: Path) -> None:
    result = _keys("rotate", "default", "--state", tmp_path, "--now", "--plan")
    assert (result.exit_code, "no timetable" in result.stderr) == (2, True)


@pytest.mark.parametrize("command", ["new", "list", "show", "rotate"])
def test_every_command_has_a_help_with_an_example(command: str) -> None:
    assert f"Examples:\n  jwtgate keys {command}" in _keys(command, "--help").stdout
