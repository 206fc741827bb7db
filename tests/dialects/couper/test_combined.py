"""Several access controls at several levels: scenarios 53 and 54 of the published examples."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import jwt
from tests.dialects.couper.tokens import T1, token

TOLD = """response { headers = {
        x-a = request.context.A.sub
        x-b = request.context.B.sub
        x-perms = json_encode(request.context.granted_permissions)
      } }"""
HANDLED = """error_handler "jwt_token_missing" { response {
    status = 418
    headers = { x-a = request.context.A.sub, x-b = json_encode(request.context.handled) }
  } }"""
TEXT = f"""server {{
  access_control = ["J"]
  endpoint "/closed" {{ response {{}} }}
  endpoint "/open" {{ disable_access_control = ["J"]
    response {{}} }}
  endpoint "/same" {{ access_control = ["A"] disable_access_control = ["A", "J"]
    response {{}} }}
  endpoint "/both" {{ access_control = ["A", "B"] disable_access_control = ["J"]
    {TOLD} }}
  endpoint "/other-way" {{ access_control = ["B", "A"] disable_access_control = ["J"]
    {TOLD} }}
  endpoint "/twice" {{ access_control = ["J", "K", "J"]
    response {{ headers = {{ x-j = request.context.J.sub, x-k = request.context.K.sub }} }} }}
  endpoint "/shared" {{ access_control = ["A"]
    {TOLD} }}
  endpoint "/handled" {{ access_control = ["A", "handled"] disable_access_control = ["J"]
    {TOLD} }}
  endpoint "/private/last" {{ access_control = ["uncached", "B"] disable_access_control = ["J"]
    {TOLD} }}
  endpoint "/basic" {{ access_control = ["A", "basic"] disable_access_control = ["J"]
    {TOLD} }}
  api {{ base_path = "/api" access_control = ["K"]
    endpoint "/one" {{ access_control = ["B"]
      {TOLD} }}
    endpoint "/two" {{ access_control = ["B"] disable_access_control = ["J", "K"]
      {TOLD} }}
  }}
  api {{ base_path = "/public" disable_access_control = ["J"]
    endpoint "/one" {{ response {{}} }}
    endpoint "/again" {{ access_control = ["J"]
      response {{}} }}
  }}
}}
definitions {{
  {jwt()}
  {jwt("A", 'permissions_claim = "scope"')}
  {jwt("B", 'cookie = "b"', 'permissions_claim = "scope"')}
  {jwt("K", 'header = "x-k"')}
  {jwt("handled", 'cookie = "b"', HANDLED)}
  {jwt("uncached", "disable_private_caching = true")}
  basic_auth "basic" {{ user = "john" password = "pass:word" realm = "my realm" }}
}}
"""
JANE = token({"sub": "jane", "scope": "bar baz"})
COOKIE = ("--cookie", f"b={JANE}")


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    with CouperProcess(tmp_path_factory.mktemp("couper"), TEXT) as running:
        yield running


def label(couper: CouperProcess, path: str, *arguments: str, bearer: str | None = None) -> str:
    """The access control that refuses this request, as the log names it."""
    answer = couper.ask(path, *arguments, bearer=bearer)
    line = couper.line(answer)
    assert (answer.status, line["error_type"]) == (401, "jwt_token_missing")
    assert answer.field("couper-error") == "access control error"
    named: str = line["message"].split(": ")[1]
    return named


def test_53_both_access_controls_must_let_in(couper: CouperProcess) -> None:
    assert label(couper, "/both", bearer=T1) == "B"
    assert label(couper, "/both", *COOKIE) == "A"
    assert label(couper, "/other-way", bearer=T1) == "B"
    answer = couper.ask("/both", *COOKIE, bearer=T1)
    assert (answer.status, answer.field("x-a"), answer.field("x-b")) == (200, "john.doe", "jane")
    assert json.loads(answer.field("x-perms") or "") == ["foo", "bar", "baz"]
    answer = couper.ask("/other-way", *COOKIE, bearer=T1)
    assert json.loads(answer.field("x-perms") or "") == ["bar", "baz", "foo"]


def test_53_the_first_that_fails_answers(couper: CouperProcess) -> None:
    assert label(couper, "/both") == "A"
    assert label(couper, "/other-way") == "B"
    missing_b = couper.ask("/both", bearer=T1)
    assert missing_b.field("www-authenticate") is None


def test_53_handlers_read_what_earlier_ones_proved(couper: CouperProcess) -> None:
    answer = couper.ask("/handled", bearer=T1)
    assert (answer.status, answer.field("x-a")) == (418, "john.doe")
    assert answer.field("x-b") == "null"


def test_53_two_may_take_the_same_token(couper: CouperProcess) -> None:
    assert couper.ask("/shared", bearer=T1).field("x-a") == "john.doe"
    assert label(couper, "/shared") == "J"


def test_53_answers_are_private_where_one_that_was_reached_says_so(couper: CouperProcess) -> None:
    assert couper.ask("/private/last").field("cache-control") is None
    assert couper.ask("/private/last", bearer=T1).field("cache-control") == "private"
    assert couper.ask("/private/last", *COOKIE, bearer=T1).field("cache-control") == "private"


def test_53_names_and_passwords_may_be_asked_for_as_well(couper: CouperProcess) -> None:
    wrong = couper.ask("/basic", "--user", "john:wrong")
    assert wrong.status == 401
    assert label(couper, "/basic", "--user", "john:pass:word") == "A"


def test_54_an_endpoint_may_be_open(couper: CouperProcess) -> None:
    answer = couper.ask("/open")
    assert (answer.status, answer.field("cache-control")) == (200, None)
    assert label(couper, "/closed") == "J"
    assert couper.ask("/closed", bearer=T1).status == 200
    assert couper.ask("/same").status == 200


def test_levels_are_added_up_in_order(couper: CouperProcess) -> None:
    both = ("--header", f"X-K: {T1}")
    assert label(couper, "/api/one") == "J"
    assert label(couper, "/api/one", bearer=T1) == "K"
    assert label(couper, "/api/one", *both, bearer=T1) == "B"
    assert couper.ask("/api/one", *both, *COOKIE, bearer=T1).status == 200
    assert label(couper, "/api/two") == "B"
    assert couper.ask("/api/two", *COOKIE).status == 200
    assert couper.ask("/public/one").status == 200
    assert label(couper, "/public/again") == "J"
    assert couper.ask("/public/again", bearer=T1).status == 200


def test_one_that_is_named_twice_is_asked_once(couper: CouperProcess) -> None:
    answer = couper.ask("/twice", "--header", f"X-K: {JANE}", bearer=T1)
    assert (answer.status, answer.field("x-j"), answer.field("x-k")) == (200, "john.doe", "jane")
    assert label(couper, "/twice", bearer=T1) == "K"


def test_what_nobody_serves_is_asked_for_like_the_rest(couper: CouperProcess) -> None:
    assert label(couper, "/nowhere") == "J"
    assert couper.ask("/nowhere", bearer=T1).status == 404
    assert label(couper, "/api/nowhere", bearer=T1) == "K"
    found = couper.ask("/api/nowhere", "--header", f"X-K: {T1}", bearer=T1)
    assert (found.status, found.field("couper-error")) == (404, "route not found error")
    assert couper.ask("/public/nowhere").status == 404
