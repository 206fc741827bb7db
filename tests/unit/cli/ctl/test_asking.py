"""How every command of `jwtgate ctl` asks."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.unit.admin.node import STORE_GONE
from tests.unit.cli.ctl.conftest import Ctl, Served

from jwtgate.cli.ctl.asking import refusal
from jwtgate.cli.ctl.client import Refused
from jwtgate.errors import ConfigError


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_mistake_in_what_was_sent_is_one_as_everywhere(status: int) -> None:
    with pytest.raises(ConfigError) as mistake:
        refusal(
            Refused(status, {"mistakes": [{"place": "/a", "sentence": "is missing"}, {"place": "", "sentence": "b"}]})
        )
    assert mistake.value.problems == ("/a: is missing", "request: b")


@pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 428, 429, 503])
def test_anything_else_is_a_no(status: int) -> None:
    answer = refusal(Refused(status, {"detail": "No \x1b[2Jindeed."}))
    assert not answer.good
    assert "No \\x1b[2Jindeed." in answer.text


def test_exit_statuses_are_those_of_every_command(ctl: Ctl, served: Served) -> None:
    assert ctl.run("status").exit_code == 0
    assert ctl.run("get", "routes", "a").exit_code == 1
    assert ctl.run("status", token="wrong").exit_code == 1
    assert ctl.run("put", "routes", "a", "-f", "-", input="wrong: 1").exit_code == 2
    served.node.fault = STORE_GONE
    assert ctl.run("list", "routes").exit_code == 1


def test_a_refusal_is_told_to_programs_whole(ctl: Ctl) -> None:
    result = ctl.run("get", "routes", "a", "--json")
    assert json.loads(result.stdout)["problem"]["status"] == 404


def test_an_admin_api_out_of_reach_is_a_mistake() -> None:
    result = Ctl("http://127.0.0.1:1").run("status")
    assert (result.exit_code, "cannot be reached" in result.stderr) == (2, True)
    assert "is the gateway running" in result.stderr


@pytest.mark.parametrize(
    ("args", "advised"),
    [
        (("get", "routes", "a"), "`jwtgate ctl list routes` shows"),
        (("roll-back", "7"), "`jwtgate ctl history` shows"),
        (("withdraw", "a"), "`jwtgate ctl revocations` shows"),
        (("delete", "routes", "named"), "Change the gateway's own file"),
        (("put", "routes", "a", "-f", "-", "--over", "3"), "`jwtgate ctl get routes a --json` shows"),
        (("apply", "-", "--over", "3"), "`jwtgate ctl export --json` shows"),
    ],
)
def test_a_refusal_says_what_to_do(ctl: Ctl, served: Served, args: tuple[str, ...], advised: str) -> None:
    served.node.by_file = {"named"}
    result = ctl.run(*args, input="path: /a")
    assert (result.exit_code, advised in result.stdout) == (1, True), result.output


def test_whoever_is_nobody_is_told_where_a_token_goes(ctl: Ctl) -> None:
    assert "--token-file" in ctl.run("status", token="wrong").stdout


def test_what_is_no_admin_api_is_a_mistake() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever).start()
        result = Ctl(f"http://127.0.0.1:{other.server_port}").run("status")
        other.shutdown()
    assert (result.exit_code, "is no Admin API" in result.stderr) == (2, True)
