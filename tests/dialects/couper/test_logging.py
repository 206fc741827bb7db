"""Lines of the access log: scenario 52 of the published examples, and what the log says of every kind of error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, open_endpoint
from tests.dialects.couper.tokens import SECRET, T1, T2, T4, token

HANDLER = 'error_handler "jwt_token_missing" { custom_log_fields = { h = request.path } }'
MERGED = """error_handler "jwt_token_missing jwt_token_expired" {
    custom_log_fields = { deep = { b = request.method, c = [1, true, null] }, who = "handler" }
    response { status = 403 }
  }"""
BLOCKS = {
    "J": ("custom_log_fields = { m = request.method }", HANDLER),
    "merged": ('custom_log_fields = { deep = { a = request.path }, who = "block" }', MERGED),
    "of-caller": ("custom_log_fields = { sub = request.context.of-caller.sub, n = request.context.of-caller.n }",),
    "claims": ('claims = { sub = "john.doe", n = 42, o = { a = [1, "b"] } }', 'required_claims = ["role"]'),
    "bad-iss": ("claims = { iss = 1 }",),
    "bad-aud": ('claims = { aud = ["a"] }',),
    "failing": ('claims = { sub = jwt_sign("nobody", {}) }',),
}


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    of_endpoint = "custom_log_fields = { e = request.query.e[0] }"
    served = file(
        *(endpoint("/p" if label == "J" else f"/{label}", label) for label in BLOCKS),
        endpoint("/endpoint", "J", of_endpoint),
        open_endpoint("/open", of_endpoint, "response {}"),
        open_endpoint("/fault", 'response { body = jwt_sign("nobody", {}) }'),
        definitions=tuple(
            jwt(label, *lines).replace("context.of-caller", 'context["of-caller"]') for label, lines in BLOCKS.items()
        ),
    )
    with CouperProcess(tmp_path_factory.mktemp("couper"), served) as running:
        yield running


def line(couper: CouperProcess, path: str, bearer: str | None = None, *arguments: str) -> dict[str, Any]:
    """The line of the access log for such a request."""
    return couper.line(couper.ask(path, *arguments, bearer=bearer))


def test_52_fields_of_a_block_and_of_its_handler_are_logged_together(couper: CouperProcess) -> None:
    assert line(couper, "/p")["custom"] == {"m": "GET", "h": "/p"}
    assert line(couper, "/p", T1)["custom"] == {"m": "GET"}
    assert line(couper, "/p", T2)["custom"] == {"m": "GET"}


def test_52_objects_are_merged_and_a_handler_for_several_kinds_logs_for_each(couper: CouperProcess) -> None:
    wanted = {"deep": {"a": "/merged", "b": "GET", "c": [1, True, None]}, "who": "handler"}
    assert line(couper, "/merged")["custom"] == wanted
    assert line(couper, "/merged", T2)["custom"] == wanted
    own = {"deep": {"a": "/merged"}, "who": "block"}
    assert line(couper, "/merged", T1)["custom"] == own
    assert line(couper, "/merged", T4)["custom"] == own


def test_52_an_endpoint_logs_too(couper: CouperProcess) -> None:
    assert line(couper, "/endpoint?e=1", T1)["custom"] == {"m": "GET", "e": "1"}
    assert line(couper, "/open?e=1")["custom"] == {"e": "1"}
    assert "custom" not in line(couper, "/open") or line(couper, "/open")["custom"] in ({}, {"e": None})


def test_claims_may_be_logged(couper: CouperProcess) -> None:
    custom = line(couper, "/of-caller", token({"sub": "jane", "n": 1234567890}))["custom"]
    assert custom == {"sub": "jane", "n": 1234567890}


def test_a_line_tells_of_the_request(couper: CouperProcess) -> None:
    answer = couper.ask("/p?secret=1", bearer=T1)
    told = couper.line(answer)
    assert told["type"] == "couper_access"
    assert (told["method"], told["status"]) == ("GET", 200)
    assert told["url"] == f"{couper.proxy}/p"
    assert told["request"]["path"] == "/p"
    assert "error_type" not in told
    assert "secret" not in str(told)


def test_every_line_has_a_level_and_a_message_where_something_is_wrong(couper: CouperProcess) -> None:
    told = line(couper, "/p")
    assert (told["level"], told["error_type"]) == ("error", "jwt_token_missing")
    assert told["message"] == "access control error: J: missing authorization header"
    nowhere = line(couper, "/nowhere")
    assert (nowhere["status"], nowhere["message"]) == (404, "route not found error: GET /nowhere")
    assert "error_type" not in nowhere


@pytest.mark.parametrize(
    ("bearer", "message"),
    [
        ("a.b", "token is malformed: token contains an invalid number of segments"),
        ("a.b.c.d", "token is malformed: token contains an invalid number of segments"),
        (T4, "token signature is invalid: signature is invalid"),
        (token({"sub": "x"}, alg="HS384"), "token signature is invalid: signing method HS384 is invalid"),
        (token({"sub": "x"}, alg="hs256"), "token signature is invalid: signing method hs256 is invalid"),
        (token({"exp": "soon"}), "token has invalid claims: invalid type for claim: exp is invalid"),
        (token({"nbf": 99999999999}), "token has invalid claims: token is not valid yet"),
    ],
)
def test_the_log_says_what_is_wrong_with_a_token(couper: CouperProcess, bearer: str, message: str) -> None:
    answer = couper.ask("/p", bearer=bearer)
    told = couper.line(answer)
    assert (told["error_type"], told["message"]) == ("jwt_token_invalid", f"access control error: J: {message}")
    assert message not in answer.body


def test_an_expired_token_is_of_a_kind_of_its_own(couper: CouperProcess) -> None:
    told = line(couper, "/p", T2)
    assert told["error_type"] == "jwt_token_expired"
    assert told["message"] == "access control error: J: token has invalid claims: token is expired"
    also_early = token({"exp": 1, "nbf": 99999999999})
    assert line(couper, "/p", also_early)["error_type"] == "jwt_token_expired"


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({}, "required claim is missing: role"),
        ({"role": None}, "required claim is missing: sub"),
        ({"role": 1, "sub": "jane"}, 'unexpected value for claim sub, got "jane", expected "john.doe"'),
        ({"role": 1, "sub": "john.doe", "n": [1]}, "unexpected value for claim n, got [1], expected 42"),
        ({"role": 1, "sub": "john.doe", "n": "42"}, 'unexpected value for claim n, got "42", expected 42'),
        ({"role": 1, "sub": "john.doe", "n": 42.0}, "required claim is missing: o"),
    ],
)
def test_the_log_says_which_claim_is_wrong(couper: CouperProcess, claims: dict[str, Any], message: str) -> None:
    told = line(couper, "/claims", token(claims))
    assert (told["error_type"], told["status"]) == ("jwt_token_invalid", 401)
    assert told["message"] == f"access control error: claims: {message}"


def test_claims_that_are_objects_are_compared_deeply(couper: CouperProcess) -> None:
    good = {"role": 1, "sub": "john.doe", "n": 42, "o": {"a": [1, "b"]}}
    assert couper.ask("/claims", bearer=token(good)).status == 200
    assert couper.ask("/claims", bearer=token({**good, "o": {"a": ["b", 1]}})).status == 401
    assert couper.ask("/claims", bearer=token({**good, "o": {"a": [1, "b"], "more": 1}})).status == 401


@pytest.mark.parametrize("name", ["iss", "aud"])
def test_what_is_configured_wrongly_is_a_fault_that_the_log_tells(couper: CouperProcess, name: str) -> None:
    answer = couper.ask(f"/bad-{name}", bearer=T1)
    told = couper.line(answer)
    assert (answer.status, told["error_type"]) == (500, "configuration")
    assert told["message"] == f"configuration error: bad-{name}: invalid value type, string expected (claims / {name})"
    assert answer.field("couper-error") == "configuration error"
    assert couper.ask(f"/bad-{name}").status == 401


def test_an_expression_that_fails_is_a_fault_that_the_log_tells(couper: CouperProcess) -> None:
    for path, bearer in (("/failing", T1), ("/fault", None)):
        answer = couper.ask(path, bearer=bearer)
        told = couper.line(answer)
        assert (answer.status, told["error_type"]) == (500, "evaluation")
        assert told["message"].startswith("expression evaluation error")
        assert 'block with referenced label "nobody"' in told["message"]
        assert answer.field("couper-error") == "expression evaluation error"


def test_neither_tokens_nor_keys_are_logged(couper: CouperProcess) -> None:
    line(couper, "/p", T1)
    line(couper, "/p", T4)
    everything = couper.journal() + str(couper.logged())
    for secret in (SECRET, T1, T4, T1.split(".")[2]):
        assert secret not in everything
