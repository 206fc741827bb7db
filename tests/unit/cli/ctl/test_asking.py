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


@pytest.mark.parametrize(("status", "advice"), [(401, "--token-file"), (412, "--over"), (404, "ctl list")])
def test_a_refusal_says_what_to_do(status: int, advice: str) -> None:
    assert advice in refusal(Refused(status, {"detail": "No."})).text


def test_a_refusal_that_says_all_is_left_as_it_is() -> None:
    told = {"detail": "The document's file names it. Change it there."}
    assert refusal(Refused(409, told)).text.endswith("Change it there.")


def test_what_is_no_admin_api_is_a_mistake() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever).start()
        result = Ctl(f"http://127.0.0.1:{other.server_port}").run("status")
        other.shutdown()
    assert (result.exit_code, "is no Admin API" in result.stderr) == (2, True)
