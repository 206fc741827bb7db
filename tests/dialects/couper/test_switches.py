"""What `couper_compat` changes: the decisions a configuration may take back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import jwt as pyjwt
import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.key_forms import jwk, pkcs8, private_key
from tests.dialects.couper.tokens import T1
from tests.integration.background_server import BackgroundServer, QuietHandler

SWITCHES = """settings {
  couper_compat = {
    undefined_permission_is_none = true
    jwks_accept_missing_use = true
    jwks_refetch_on_unknown_kid = true
    introspection_failure_status = 502
  }
}"""
KEY = private_key("ES256")
WANTED = "required_permission = request.headers.x-wanted"
INTROSPECTED = """beta_introspection {
      endpoint = "http://127.0.0.1:9/"
      client_id = "c"
      client_secret = "s"
      ttl = "0"
    }"""


class _Keys(QuietHandler, BaseHTTPRequestHandler):
    """A key at first, one more from the second time on."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        names = ["k1"] if self.asked == 1 else ["k1", "k2"]
        keys = [jwk(KEY, use=None, kid=name) for name in names]
        self.answer(200, json.dumps({"keys": keys}).encode())


def configuration(url: str, more: str) -> str:
    """One with all that the switches change."""
    return file(
        endpoint("/p", "J", WANTED),
        endpoint("/introspected", "introspected"),
        endpoint("/keys", "keys"),
        definitions=(
            jwt("J", 'permissions_claim = "scope"'),
            jwt("introspected", INTROSPECTED),
            jwt("keys", keys=f'jwks_url = "{url}"'),
        ),
        more=more,
    )


@pytest.fixture(scope="module", params=[True, False], ids=["switched", "usual"])
def switched(request: pytest.FixtureRequest) -> bool:
    is_switched: bool = request.param
    return is_switched


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory, switched: bool) -> Iterator[CouperProcess]:
    _Keys.asked = 0
    with (
        BackgroundServer(_Keys) as keys,
        CouperProcess(
            tmp_path_factory.mktemp("couper"), configuration(keys.url, SWITCHES if switched else "")
        ) as running,
    ):
        yield running


def signed(kid: str) -> str:
    """A token with this key named."""
    return pyjwt.encode({"sub": "x"}, pkcs8(KEY), algorithm="ES256", headers={"kid": kid})


def test_d2_a_permission_without_a_value_is_none(couper: CouperProcess, switched: bool) -> None:
    assert couper.ask(bearer=T1).status == (200 if switched else 500)
    assert couper.ask("/p", "--header", "X-Wanted: z", bearer=T1).status == 403


def test_d4_d5_keys_without_use_are_taken_and_newer_ones_asked_for(couper: CouperProcess, switched: bool) -> None:
    wanted = 200 if switched else 401
    assert couper.ask("/keys", bearer=signed("k1")).status == wanted
    assert couper.ask("/keys", bearer=signed("k2")).status == wanted
    assert (_Keys.asked > 1) is switched


def test_d8_a_failed_introspection_has_the_status_that_is_said(couper: CouperProcess, switched: bool) -> None:
    answer = couper.ask("/introspected", bearer=T1)
    assert (answer.status, couper.line(answer)["error_type"]) == (502 if switched else 403, "jwt")


def test_d7_what_must_be_understood_is(tmp_path: Path) -> None:
    assert "crit" in mistakes(tmp_path, file(endpoint(), more="settings { couper_compat = { ignore_crit = true } }"))
