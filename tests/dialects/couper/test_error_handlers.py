"""Handlers of errors: scenarios 49 to 51 of the published examples, and which handler is chosen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.tokens import T1, T2, T4, token
from tests.integration.background_server import BackgroundServer, QuietHandler

MISSING, EXPIRED, INVALID = "jwt_token_missing", "jwt_token_expired", "jwt_token_invalid"


def handler(*kinds: str, status: int = 0, lines: str = "") -> str:
    """A handler for these kinds that answers with this status, or has these lines."""
    named = " ".join(f'"{kind}"' for kind in kinds)
    return f"error_handler {named} {{\n{lines or f'response {{ status = {status} }}'}\n}}"


LOGIN = 'response { status = 303 headers = { location = "/login?url=${url_encode(relative_url(request.url))}" } }'
WRITTEN = """response {
  status = 400 + 18
  headers = { x-method = request.method, x-none = null, content-type = "application/problem+json" }
  json_body = { path = request.path, b = [1, 2.5], a = null }
}"""
CHANGED = """set_response_status = 402
  set_response_headers = { x-set = request.path, www-authenticate = "Own" }
  add_response_headers = { x-set = "two" }
  remove_response_headers = ["couper-error"]"""
BLOCKS: dict[str, tuple[str, ...]] = {
    "login": (handler(MISSING, lines='response { status = 303 headers = { location = "/login" } }'),),
    "url": (handler(MISSING, EXPIRED, lines=LOGIN),),
    "any": (handler(lines="set_response_status = 418"),),
    "star": (handler("*", status=418),),
    "several": (handler(f"{MISSING} {EXPIRED}", status=410), handler("*", status=418)),
    "parent": (handler("jwt", status=410),),
    "parent-cookie": ('cookie = "tok"', handler("jwt", status=410)),
    "grand-cookie": ('cookie = "tok"', handler("access_control", status=409), handler(EXPIRED, status=410)),
    "star-cookie": ('cookie = "tok"', handler(status=411), handler("access_control", status=409)),
    "written": (handler(MISSING, lines=WRITTEN),),
    "plain": (handler(MISSING, lines='response { body = "who are you?" }'),),
    "changed": (handler(MISSING, lines=CHANGED), handler(EXPIRED, lines="set_response_status = 204")),
    "own-file": (handler(MISSING, lines='error_file = "own.html"'),),
    "wrong-status": (handler(MISSING, lines="set_response_status = 100 + 799"),),
    "failing": (handler(MISSING, lines='response { status = 200 body = jwt_sign("nobody", {}) }'),),
}
ASKING = {
    "asks": """error_handler "jwt_token_missing" {
      request "who" { url = "${env.ORIGIN}/who?of=${request.path}" }
      request "then" { url = "${env.ORIGIN}/then" headers = { x-who = backend_responses.who.json_body.path } }
      response {
        status = backend_responses.then.status
        json_body = { who = backend_responses.who.json_body, then = backend_responses.then.json_body.who }
      }
    }""",
    "passes": """error_handler "jwt_token_missing" "jwt_token_expired" {
      proxy { backend { origin = env.ORIGIN path = "/status/409" } }
      set_response_headers = { x-own = "yes" }
    }""",
    "down": """error_handler "jwt_token_missing" {
      request { url = "http://127.0.0.1:9/" }
      response { status = 200 body = backend_responses.default.json_body.x.y }
    }
    error_handler "jwt_token_expired" { proxy { url = "http://127.0.0.1:9/" } }""",
}
OF_API = {
    "api-named": (handler("insufficient_permissions", status=421), ""),
    "api-star": (handler("*", status=422), ""),
    "api-parent": (handler("access_control", status=423), ""),
    "both-star": (handler("insufficient_permissions", status=421), handler("*", status=424)),
    "both-named": (handler("*", status=422), handler("insufficient_permissions", status=425)),
}


class _Backend(QuietHandler, BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        told = {"path": self.path, "who": self.headers["X-Who"], "token": self.headers["Authorization"]}
        self.answer(int(path.rpartition("/")[2]) if "status" in path else 203, json.dumps(told).encode())

    def do_POST(self) -> None:
        self.answer(409, self.rfile.read(int(self.headers["Content-Length"])), content_type="text/x-own")


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    folder = tmp_path_factory.mktemp("couper")
    (folder / "own.html").write_text("<p>{{.status}} {{ .message }} {{.path}} {{.request_id}}</p>")
    apis = (
        f'api "{name}" {{ base_path = "/{name}"\n {of_api}\n'
        + endpoint("/p", "granting", 'required_permission = "foo"', of_endpoint)
        + "\n}"
        for name, (of_api, of_endpoint) in OF_API.items()
    )
    text = file(
        *(endpoint(f"/{label}", label) for label in (*BLOCKS, *ASKING)),
        *apis,
        definitions=(
            *(jwt(label, *lines) for label, lines in BLOCKS.items()),
            *(jwt(label, line) for label, line in ASKING.items()),
            jwt("granting", 'permissions_claim = "scope"'),
        ),
    )
    with (
        BackgroundServer(_Backend) as backend,
        CouperProcess(folder, text, environ={"ORIGIN": backend.url}) as running,
    ):
        yield running


def test_49_a_handler_answers_for_its_kind_alone(couper: CouperProcess) -> None:
    answer = couper.ask("/login")
    assert (answer.status, answer.field("location"), answer.body) == (303, "/login", "")
    assert (answer.field("couper-error"), answer.field("www-authenticate")) == (None, None)
    assert answer.field("server") == "couper.io"
    assert answer.field("cache-control") == "private"
    line = couper.line(answer)
    assert (line["error_type"], line["status"]) == (MISSING, 303)
    expired = couper.ask("/login", bearer=T2)
    assert (expired.status, expired.field("location")) == (401, None)
    assert expired.field("couper-error") == "access control error"
    assert "The access token expired" in (expired.field("www-authenticate") or "")
    assert couper.ask("/login", bearer=T1).status == 200


def test_49_a_handler_may_send_browsers_to_log_in(couper: CouperProcess) -> None:
    for arguments in ((), ("--header", f"Authorization: Bearer {T2}")):
        answer = couper.ask("/url?a=b%20c&d", *arguments)
        assert answer.status == 303
        assert answer.field("location") == "/login?url=%2Furl%3Fa%3Db%2520c%26d"
    assert couper.ask("/url", bearer=T4).status == 401


def test_50_a_wildcard_changes_every_answer(couper: CouperProcess) -> None:
    for arguments, kind in (((), MISSING), (("--header", f"Authorization: Bearer {T2}"), EXPIRED)):
        answer = couper.ask("/any", *arguments)
        assert (answer.status, couper.line(answer)["error_type"]) == (418, kind)
        assert answer.field("couper-error") == "access control error"
        assert answer.field("www-authenticate") is None
        assert "access control error" in answer.body
        assert answer.field("content-type") == "text/html"


def test_51_a_kind_is_handled_once_and_must_exist(tmp_path: Path) -> None:
    def told(*handlers: str) -> str:
        return mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", *handlers),)))

    twice = told(handler(MISSING, status=400), handler(f"{EXPIRED} {MISSING}", status=401))
    assert f'duplicate error type registration: "{MISSING}"' in twice
    assert 'error type is unknown: "foo"' in told(handler("foo", status=400))
    assert "duplicate error type registration" in told(handler(status=400), handler("*", status=401))
    assert told(handler(MISSING, status=400), handler(EXPIRED, status=400)) == ""


def test_handlers_stand_where_their_kinds_are_raised(tmp_path: Path) -> None:
    wrong = file(endpoint(), definitions=(jwt("J", handler("insufficient_permissions", status=400)),))
    assert "insufficient_permissions" in mistakes(tmp_path, wrong)
    wrong = file(endpoint("/p", "J", handler(MISSING, status=400)))
    assert MISSING in mistakes(tmp_path, wrong)


@pytest.mark.parametrize(
    ("label", "missing", "expired", "invalid"),
    [
        ("star", 418, 418, 418),
        ("several", 410, 410, 418),
        ("parent", 401, 401, 401),
        ("parent-cookie", 410, 410, 410),
        ("grand-cookie", 409, 410, 409),
        ("star-cookie", 409, 409, 409),
    ],
)
def test_the_most_particular_handler_is_chosen(
    couper: CouperProcess, label: str, missing: int, expired: int, invalid: int
) -> None:
    def status(text: str | None) -> int:
        held = () if text is None else ("--cookie", f"tok={text}", "--header", f"Authorization: Bearer {text}")
        return couper.ask(f"/{label}", *held).status

    assert (status(None), status(T2), status(T4), status(T1)) == (missing, expired, invalid, 200)


def test_a_handler_that_is_never_reached_is_told_of(couper: CouperProcess) -> None:
    told = [line for line in couper.journal().splitlines() if "is not reached for" in line]
    assert any('jwt \\"parent\\"' in line for line in told)
    assert not any("parent-cookie" in line for line in told)


def test_a_handler_works_out_its_answer(couper: CouperProcess) -> None:
    answer = couper.ask("/written")
    assert (answer.status, answer.field("x-method"), answer.field("x-none")) == (418, "GET", None)
    assert answer.field("content-type") == "application/problem+json"
    assert answer.body.strip() == '{"a":null,"b":[1,2.5],"path":"/written"}'
    plain = couper.ask("/plain")
    assert (plain.status, plain.body) == (200, "who are you?")
    assert (plain.field("content-type") or "").startswith("text/plain")
    assert plain.field("couper-error") is None


def test_a_handler_without_a_response_changes_the_usual_one(couper: CouperProcess) -> None:
    answer = couper.ask("/changed")
    assert answer.status == 402
    assert sorted(value for name, value in answer.fields if name == "x-set") == ["/changed", "two"]
    assert (answer.field("www-authenticate"), answer.field("couper-error")) == ("Own", None)
    assert "access control error" in answer.body
    nothing = couper.ask("/changed", bearer=T2)
    assert (nothing.status, nothing.body) == (204, "")


def test_a_handler_may_have_its_own_file(couper: CouperProcess) -> None:
    answer = couper.ask("/own-file")
    identifier = answer.field("couper-request-id")
    assert answer.body == f"<p>401 access control error /own-file {identifier}</p>"
    assert (answer.status, answer.field("content-type")) == (401, "text/html")


def test_a_handler_that_fails_keeps_the_status(couper: CouperProcess) -> None:
    answer = couper.ask("/failing")
    assert (answer.status, couper.line(answer)["error_type"]) == (401, MISSING)


def test_a_handler_may_ask_backends_first(couper: CouperProcess) -> None:
    answer = couper.ask("/asks")
    assert answer.status == 203
    assert answer.value == {"who": {"path": "/who?of=/asks", "token": None, "who": None}, "then": "/who?of=/asks"}
    assert (answer.field("couper-error"), couper.line(answer)["error_type"]) == (None, MISSING)
    assert couper.ask("/asks", bearer=T1).status == 200
    assert couper.ask("/asks", bearer=T4).status == 401


def test_a_handler_may_pass_on_what_a_backend_answers(couper: CouperProcess) -> None:
    answer = couper.ask("/passes", "--header", "Authorization: Basic abc")
    assert (answer.status, answer.field("content-type"), answer.field("x-own")) == (409, "application/json", "yes")
    assert answer.value == {"path": "/status/409", "who": None, "token": None}
    posted = couper.ask("/passes", "--data", "a body", bearer=T2)
    assert (posted.status, posted.body, posted.field("content-type")) == (409, "a body", "text/x-own")


def test_a_handler_whose_backend_is_down_keeps_the_status(couper: CouperProcess) -> None:
    for bearer, kind in ((None, MISSING), (T2, EXPIRED)):
        answer = couper.ask("/down", bearer=bearer)
        assert (answer.status, couper.line(answer)["error_type"]) == (401, kind)


def test_a_status_must_be_one(couper: CouperProcess) -> None:
    answer = couper.ask("/wrong-status")
    assert 400 <= answer.status < 600


@pytest.mark.parametrize(
    ("name", "status"),
    [("api-named", 421), ("api-star", 422), ("api-parent", 423), ("both-star", 424), ("both-named", 425)],
)
def test_an_endpoint_handles_before_its_api(couper: CouperProcess, name: str, status: int) -> None:
    answer = couper.ask(f"/{name}/p", bearer=token({"scope": "x"}))
    assert (answer.status, couper.line(answer)["error_type"]) == (status, "insufficient_permissions")
    assert couper.ask(f"/{name}/p", bearer=T1).status == 200
    assert couper.ask(f"/{name}/p").status == 401
