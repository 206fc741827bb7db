"""What reaches backends, and what comes back: caching, header fields, `proxy`, `request` and `response`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, open_endpoint
from tests.dialects.couper.tokens import T1, claims_of, token
from tests.dialects.dialect_process import Answer
from tests.integration.background_server import BackgroundServer, QuietHandler

JSON = ("--header", "Content-Type: application/json", "--data")


class _Backend(QuietHandler, BaseHTTPRequestHandler):
    """Tells what it was sent. `/public` may be cached by anybody, `/status/N` answers so."""

    def do_GET(self) -> None:
        self._tell()

    def do_POST(self) -> None:
        self._tell()

    def do_PUT(self) -> None:
        self._tell()

    def _tell(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        fields = [[name.lower(), value] for name, value in self.headers.items()]
        told = {"method": self.command, "path": path, "query": query, "fields": fields, "body": body.decode()}
        sent = json.dumps(told).encode()
        self.send_response(int(path.rpartition("/")[2]) if path.startswith("/status/") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.send_header("X-Backend", "one")
        self.send_header("Server", "backend")
        if path == "/public":
            self.send_header("Cache-Control", "public")
        self.end_headers()
        self.wfile.write(sent)


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    with BackgroundServer(_Backend) as upstream:
        text = file(*endpoints(), definitions=definitions(upstream.url))
        with CouperProcess(tmp_path_factory.mktemp("couper"), text, environ={"ORIGIN": upstream.url}) as running:
            yield running


def definitions(url: str) -> tuple[str, ...]:
    """The blocks."""
    return (
        jwt("J", 'permissions_claim = "scope"'),
        jwt("open", "disable_private_caching = true"),
        jwt("my-jwt", 'header = "x-token"'),
        jwt("signer", 'signing_ttl = "1m"'),
        f'backend "be" {{ origin = "{url}" set_request_headers = {{ x-be = "yes" }} }}',
        'backend "from_env" { origin = env.ORIGIN path_prefix = "/prefix" basic_auth = "a:b" }',
    )


def endpoints() -> Iterator[str]:
    """The endpoints."""
    proxy = 'proxy { backend = "be" %s }'
    below = 'proxy { backend "be" { path = "%s" } }'
    changes = """set_request_headers = {
          x-sub = request.context.J.sub, x-n = request.context.J.n, x-b = request.context.J.b
          x-none = request.context.J.none, x-perms = json_encode(request.context.granted_permissions)
          x-mine = "set", x-deep = request.context.J.deep.er[1]
        }
        add_request_headers = { x-more = "two" }
        remove_request_headers = ["x-secret"]
        set_response_headers = { x-set = request.context.J.sub }
        add_response_headers = { x-backend = "two" }
        remove_response_headers = ["x-nothing"]"""
    yield endpoint("/proxy/**", "J", answer=below % "/below/**")
    yield endpoint("/public", "J", answer=proxy % "")
    yield endpoint("/public-open", "open", answer=below % "/public")
    yield endpoint("/changed", "J", answer=proxy % changes)
    yield endpoint(
        "/kept", "J", answer=proxy % "set_request_headers = { authorization = request.headers.authorization }"
    )
    yield endpoint("/cookies/kept", "J", answer=proxy % "set_request_headers = { cookie = request.headers.cookie }")
    yield endpoint("/cookies/own", "J", answer=proxy % 'set_request_headers = { cookie = "c=${request.cookies.a}" }')
    yield endpoint("/param/{id}", "J", answer=below % "/of/${request.context.J.sub}/${request.path_params.id}")
    yield endpoint(
        "/query",
        "J",
        answer=proxy % 'set_query_params = { sub = request.context.J.sub } remove_query_params = ["gone"]',
    )
    yield open_endpoint("/env/**", 'proxy { backend "from_env" { path = "/**" } }')
    yield open_endpoint("/status/{n}", proxy % "")
    yield open_endpoint("/url", 'proxy { url = "${env.ORIGIN}/of-url?q=1" }')
    yield endpoint("/claims", "J", answer="response { json_body = request.context.J }")
    yield endpoint("/label", "my-jwt", answer='response { headers = { x-sub = request.context["my-jwt"].sub } }')
    yield endpoint("/printed", "J", answer=PRINTED)
    yield endpoint("/called", "J", answer=CALLED)
    yield endpoint("/passed-on", "J", answer='request { url = "${env.ORIGIN}/status/202" }')
    yield open_endpoint(
        "/expected", 'request { url = "${env.ORIGIN}/status/500" expected_status = [200] }', "response {}"
    )
    yield open_endpoint("/sequence", SEQUENCE)
    yield open_endpoint("/status-of-request", "response { status = 400 + 18 }")
    yield open_endpoint("/status-said", "response { status = request.query.status[0] }")
    yield open_endpoint("/status-text", 'response { status = "201" }')
    yield open_endpoint("/status-wrong", "response { status = 999 }")
    yield open_endpoint(
        "/text", 'response { body = "a ${request.query.x[0]} b" headers = { content-type = "text/css" } }'
    )


PRINTED = """response { headers = {
      x-int = request.context.J.int, x-float = request.context.J.float, x-whole = request.context.J.whole
      x-true = request.context.J.yes, x-null = request.context.J.null, x-missing = request.context.J.a.b[3].c
      x-list = request.context.J.list, x-template = "${request.context.J.int}/${request.context.J.missing}/"
    } }"""
CALLED = """request "ask" {
      url = "${env.ORIGIN}/asked"
      method = "POST"
      headers = { x-sub = request.context.J.sub, x-path = request.path }
      json_body = { sub = request.context.J.sub, token = jwt_sign("signer", { sub = "s" }) }
      query_params = { a = "b c" }
    }
    request "form" {
      url = "${env.ORIGIN}/form"
      method = "PUT"
      form_body = { x = "1 &", y = request.method }
    }
    response { json_body = {
      status = backend_responses.ask.status
      asked = backend_responses.ask.json_body
      form = backend_responses.form.json_body
      field = backend_responses.ask.headers.x-backend
      sent = [backend_requests.ask.method, backend_requests.ask.url, backend_requests.form.form_body]
    } }"""
SEQUENCE = """request "first" { url = "${env.ORIGIN}/first" }
    request { url = "${env.ORIGIN}/second" headers = { x-first = backend_responses.first.json_body.path } }
    response { json_body = backend_responses.default.json_body.fields }"""


def fields(answer: Answer) -> dict[str, str]:
    """The fields the backend was sent."""
    assert answer.status == 200, answer
    return dict(answer.value["fields"])


def cached(answer: Answer) -> list[str]:
    """The values of `Cache-Control`."""
    return sorted(value for name, value in answer.fields if name == "cache-control")


def test_what_a_backend_says_of_caching_stays_beside_ours(couper: CouperProcess) -> None:
    assert cached(couper.ask("/public", bearer=T1)) == ["private", "public"]
    assert cached(couper.ask("/public")) == ["private"]
    assert cached(couper.ask("/public-open", bearer=T1)) == ["public"]
    assert cached(couper.ask("/public-open")) == []


def test_credentials_are_not_sent_on(couper: CouperProcess) -> None:
    sent = fields(couper.ask("/proxy/x", "--cookie", "a=b", "--header", "X-Other: 1", bearer=T1))
    assert not sent.keys() & {"authorization", "cookie"}
    assert (sent["x-other"], sent["x-be"]) == ("1", "yes")
    assert fields(couper.ask("/kept", bearer=T1))["authorization"] == f"Bearer {T1}"


@pytest.mark.parametrize(("path", "cookies"), [("/cookies/kept", "a=b; d=e"), ("/cookies/own", "c=b")])
def test_cookies_are_those_that_are_set_again(path: str, cookies: str, couper: CouperProcess) -> None:
    assert fields(couper.ask(path, "--cookie", "a=b; d=e", bearer=T1))["cookie"] == cookies


def test_what_is_below_an_endpoint_is_below_the_path(couper: CouperProcess) -> None:
    answer = couper.ask("/proxy/a/b%20c?d=e&f", bearer=T1)
    assert (answer.value["path"], answer.value["query"]) == ("/below/a/b%20c", "d=e&f")
    assert couper.ask("/proxy", bearer=T1).value["path"].rstrip("/") == "/below"
    assert couper.ask("/param/7", bearer=T1).value["path"] == "/of/john.doe/7"
    answer = couper.ask("/query?gone=1&sub=evil&kept=1", bearer=T1)
    assert sorted(answer.value["query"].split("&")) == ["kept=1", "sub=john.doe"]


def test_what_was_proven_is_sent_on(couper: CouperProcess) -> None:
    text = token({"sub": "jane", "scope": "a b", "n": 1234567890, "b": False, "none": None, "deep": {"er": [1, "x"]}})
    arguments = ("--header", "X-Mine: forged", "--header", "X-None: forged", "--header", "X-Secret: s")
    answer = couper.ask("/changed", *arguments, bearer=text)
    sent = fields(answer)
    assert (sent["x-sub"], sent["x-n"], sent["x-b"], sent["x-deep"]) == ("jane", "1234567890", "false", "x")
    assert (sent["x-perms"], sent["x-mine"], sent["x-more"]) == ('["a","b"]', "set", "two")
    assert not sent.keys() & {"x-none", "x-secret"}
    assert answer.field("x-set") == "jane"
    assert [value for name, value in answer.fields if name == "x-backend"] == ["one", "two"]
    assert [value for name, value in answer.fields if name == "server"] == ["couper.io"]


def test_bodies_pass_as_they_are(couper: CouperProcess) -> None:
    body = '{ "a" : [1,2.0] }'
    answer = couper.ask("/proxy/x", *JSON, body, bearer=T1)
    assert (answer.value["method"], answer.value["body"]) == ("POST", body)


def test_origins_may_stand_in_the_environment(couper: CouperProcess) -> None:
    answer = couper.ask("/env/a")
    assert answer.value["path"] == "/prefix/a"
    assert fields(answer)["authorization"] == "Basic YTpi"
    answer = couper.ask("/url")
    assert (answer.value["path"], answer.value["query"]) == ("/of-url", "q=1")


def test_a_status_of_a_backend_passes(couper: CouperProcess) -> None:
    assert [couper.ask(f"/status/{status}").status for status in (201, 404, 503)] == [201, 404, 503]


def test_claims_may_be_answered_whole(couper: CouperProcess) -> None:
    answer = couper.ask("/claims", bearer=T1)
    assert answer.field("content-type") == "application/json"
    assert answer.body.strip() == '{"scope":"foo bar","sub":"john.doe"}'
    assert couper.ask("/label", "--header", f"X-Token: {T1}").field("x-sub") == "john.doe"


def test_claims_are_printed_as_people_write_them(couper: CouperProcess) -> None:
    claims = {"int": 1234567890, "float": 1.5, "whole": 3.0, "yes": True, "null": None, "list": ["a", "b"]}
    answer = couper.ask("/printed", bearer=token(claims))
    told = {
        name: answer.field(f"x-{name}") for name in ("int", "float", "whole", "true", "null", "missing", "template")
    }
    assert told == {
        "int": "1234567890",
        "float": "1.5",
        "whole": "3",
        "true": "true",
        "null": None,
        "missing": None,
        "template": "1234567890//",
    }
    assert [value for name, value in answer.fields if name == "x-list"] == ["a", "b"]


def test_an_endpoint_may_ask_others_for_its_answer(couper: CouperProcess) -> None:
    answer = couper.ask("/called", bearer=T1)
    told: dict[str, Any] = answer.value
    assert (told["status"], told["field"]) == (200, "one")
    method, url, form_sent = told["sent"]
    assert (method, form_sent) == ("POST", {"x": ["1 &"], "y": ["GET"]})
    assert url.partition("?")[0].endswith("/asked")
    asked, form = told["asked"], told["form"]
    assert (asked["method"], asked["path"], asked["query"]) in (
        ("POST", "/asked", "a=b%20c"),
        ("POST", "/asked", "a=b+c"),
    )
    held = dict(asked["fields"])
    assert (held["x-sub"], held["x-path"], held["content-type"]) == ("john.doe", "/called", "application/json")
    assert "authorization" not in held
    sent = json.loads(asked["body"])
    assert (sent["sub"], claims_of(sent["token"])["sub"]) == ("john.doe", "s")
    assert (form["method"], sorted(form["body"].split("&"))) == ("PUT", ["x=1+%26", "y=GET"])


def test_one_request_may_read_the_answer_to_another(couper: CouperProcess) -> None:
    assert dict(couper.ask("/sequence").value)["x-first"] == "/first"


def test_a_request_alone_is_the_answer(couper: CouperProcess) -> None:
    answer = couper.ask("/passed-on", bearer=T1)
    assert (answer.status, answer.value["path"], answer.field("cache-control")) == (202, "/status/202", "private")


def test_a_status_may_be_expected(couper: CouperProcess) -> None:
    answer = couper.ask("/expected")
    assert (answer.status, couper.line(answer)["error_type"]) == (502, "unexpected_status")


def test_answers_may_be_worked_out(couper: CouperProcess) -> None:
    assert couper.ask("/status-of-request").status == 418
    said = ("/status-said?status=201", "/status-said", "/status-said?status=x", "/status-text", "/status-wrong")
    assert [couper.ask(path).status for path in said] == [201, 200, 500, 201, 500]
    answer = couper.ask("/text?x=%C3%BC")
    assert (answer.body, answer.field("content-type")) == ("a ü b", "text/css")
