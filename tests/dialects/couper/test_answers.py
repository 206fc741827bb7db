"""What errors look like, and the order things are asked in: methods, browsers of other sites, paths nobody has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import jwt, open_endpoint
from tests.dialects.couper.tokens import SECRET, T1, token
from tests.dialects.dialect_process import Answer

TOLD = "response { headers = { x-here = request.path } }"
CORS = 'cors { allowed_origins = ["https://app.example"] allow_credentials = true max_age = "10m" }'
TEXT = f"""server {{
  error_file = "server.html"
  set_response_headers = {{ x-server-block = "yes" }}
  endpoint "/page" {{ access_control = ["J"]
    {TOLD} }}
  endpoint "/own" {{ access_control = ["J"]
    error_file = "own.json"
    {TOLD} }}
  {open_endpoint("/methods", 'allowed_methods = ["GET", "post"]', TOLD)}
  {open_endpoint("/none", "allowed_methods = []", TOLD)}
  {open_endpoint("/all", 'allowed_methods = ["*", "PURGE"]', TOLD)}
  {open_endpoint("/items/special", 'response { headers = { x-here = "special" } }')}
  {open_endpoint("/items/{id}", "response { headers = { x-here = request.path_params.id } }")}
  {open_endpoint("/items/**", 'response { headers = { x-here = "below" } }')}
  {open_endpoint("/tiny", "request_body_limit = 10", 'response { body = "got ${request.body}" }')}
  {open_endpoint("/fault", 'response { body = jwt_sign("nobody", {}) }')}
  api {{
    base_path = "/api"
    required_permission = ""
    access_control = ["J"]
    allowed_methods = ["GET", "PUT"]
    {CORS}
    endpoint "/one" {{ {TOLD} }}
    endpoint "/two" {{ allowed_methods = ["DELETE"]
      required_permission = {{ delete = "foo" }}
      {TOLD} }}
    endpoint "/fault" {{ response {{ body = jwt_sign("nobody", {{}}) }} }}
  }}
  api {{
    base_path = "/filed"
    error_file = "api.json"
    access_control = ["J"]
    endpoint "/one" {{ {TOLD} }}
    endpoint "/page" {{ error_file = "own.html"
      {TOLD} }}
  }}
}}
server "other" {{
  hosts = ["other.example"]
  base_path = "/base"
  endpoint "/" {{ response {{ headers = {{ x-here = "other" }} }} }}
}}
server "plain" {{
  hosts = ["plain.example"]
  endpoint "/page" {{ access_control = ["J"]
    {TOLD} }}
  api {{ base_path = "/api" access_control = ["J"]
    endpoint "/one" {{ {TOLD} }} }}
}}
definitions {{
  {jwt("J", 'permissions_claim = "scope"')}
}}
"""
FILES = {
    "server.html": "server {{.status}}",
    "own.html": "own {{.status}}",
    "own.json": '{"own":"{{.message}}","status":{{.status}},"path":"{{.path}}","id":"{{.request_id}}"}',
    "api.json": '{"api": {{.status}}}',
}
PLAIN = ("--header", "Host: plain.example")


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    folder = tmp_path_factory.mktemp("couper")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with CouperProcess(folder, TEXT) as running:
        yield running


def test_a_page_for_people_is_html(couper: CouperProcess) -> None:
    answer = couper.ask("/page?q=1", *PLAIN)
    identifier = answer.field("couper-request-id")
    assert (answer.status, answer.field("content-type")) == (401, "text/html")
    assert identifier
    for shown in ("<title>401 access control error</title>", "/page", identifier):
        assert shown in answer.body
    assert (answer.field("couper-error"), answer.field("server")) == ("access control error", "couper.io")
    assert "missing" not in answer.body


def test_an_api_answers_in_json(couper: CouperProcess) -> None:
    answer = couper.ask("/api/one", *PLAIN)
    assert (answer.status, answer.field("content-type")) == (401, "application/json")
    identifier = answer.field("couper-request-id")
    wanted = {"id": identifier, "message": "access control error", "path": "/api/one", "status": 401}
    assert answer.value == {"error": wanted}


def test_paths_are_escaped_in_pages(couper: CouperProcess) -> None:
    answer = couper.ask("/api/%3Cb%3E%20", *PLAIN, bearer=T1)
    assert answer.status == 404
    assert answer.value["error"]["path"] == "/api/%3Cb%3E%20"
    assert "<b>" not in couper.ask("/%3Cb%3E", *PLAIN).body


def test_to_a_head_there_is_no_body(couper: CouperProcess) -> None:
    for path in ("/page", "/api/one"):
        answer = couper.ask(path, "--head", *PLAIN)
        assert (answer.status, answer.body) == (401, "")
        assert answer.field("couper-error") == "access control error"
    answer = couper.ask("/page", "--head", *PLAIN, bearer=T1)
    assert (answer.status, answer.field("x-here")) == (200, "/page")


def test_the_nearest_file_of_ones_own_is_shown(couper: CouperProcess) -> None:
    assert couper.ask("/page").body == "server 401"
    assert couper.ask("/nowhere").body == "server 404"
    own = couper.ask("/own")
    told = {"own": "access control error", "status": 401, "path": "/own", "id": own.field("couper-request-id")}
    assert (own.value, own.field("content-type")) == (told, "application/json")
    of_api = couper.ask("/filed/one")
    assert (of_api.value, of_api.field("content-type")) == ({"api": 401}, "application/json")
    page = couper.ask("/filed/page")
    assert (page.body, page.field("content-type")) == ("own 401", "text/html")
    assert couper.ask("/filed/nowhere", bearer=T1).value == {"api": 404}


def test_fields_of_the_server_are_on_every_answer(couper: CouperProcess) -> None:
    for answer in (couper.ask("/page"), couper.ask("/page", bearer=T1), couper.ask("/nowhere")):
        assert answer.field("x-server-block") == "yes"
        assert answer.field("server") == "couper.io"
        assert answer.field("couper-request-id")


@pytest.mark.parametrize(
    ("path", "bearer", "status", "told"),
    [
        ("/page", None, 401, "access control error"),
        ("/api/one", "expired", 401, "access control error"),
        ("/nowhere", None, 404, "route not found error"),
        ("/api/nowhere", T1, 404, "route not found error"),
        ("/fault", None, 500, "expression evaluation error"),
        ("/api/fault", T1, 500, "expression evaluation error"),
    ],
)
def test_a_field_says_what_kind_of_error_it_is(
    couper: CouperProcess, path: str, bearer: str | None, status: int, told: str
) -> None:
    answer = couper.ask(path, bearer=bearer)
    assert (answer.status, answer.field("couper-error")) == (status, told)


def test_who_may_not_come_in_is_not_told_what_there_is(couper: CouperProcess) -> None:
    for path in ("/api/nowhere", "/api", "/api/one/two"):
        answer = couper.ask(path)
        assert (answer.status, couper.line(answer)["error_type"]) == (401, "jwt_token_missing")
    assert couper.ask("/api/nowhere", bearer=T1).status == 404
    assert couper.ask("/nowhere").status == 404


def status_and_message(couper: CouperProcess, path: str, method: str, bearer: str | None = None) -> tuple[int, str]:
    """What such a request is answered, and what the log says of it."""
    answer = couper.ask(path, "--request", method, bearer=bearer)
    return answer.status, couper.line(answer).get("message", "")


def test_methods_are_allowed_by_name(couper: CouperProcess) -> None:
    assert [couper.ask("/methods", "--request", method).status for method in ("GET", "POST")] == [200, 200]
    told = "method not allowed error: method DELETE not allowed by allowed_methods"
    assert status_and_message(couper, "/methods", "DELETE") == (405, told)
    assert couper.ask("/methods", "--request", "DELETE").field("couper-error") == "method not allowed error"
    told = "method not allowed error: method GET not allowed by allowed_methods"
    assert status_and_message(couper, "/none", "GET") == (405, told)
    assert [couper.ask("/all", "--request", method).status for method in ("PURGE", "DELETE", "GET")] == [200] * 3
    assert couper.ask("/items/1", "--request", "PURGE").status == 405


def test_methods_come_after_tokens_and_before_permissions(couper: CouperProcess) -> None:
    other = token({"scope": "x"})
    by_methods = "method not allowed error: method {} not allowed by allowed_methods"
    assert couper.ask("/api/one", "--request", "POST").status == 401
    assert status_and_message(couper, "/api/one", "POST", T1) == (405, by_methods.format("POST"))
    assert status_and_message(couper, "/api/two", "GET", other) == (405, by_methods.format("GET"))
    denied = 'access control error: required permission "foo" not granted'
    assert status_and_message(couper, "/api/two", "DELETE", other) == (403, denied)
    assert couper.ask("/api/two", "--request", "DELETE", bearer=T1).status == 200


def browser(
    couper: CouperProcess, *arguments: str, origin: str = "https://app.example", path: str = "/api/one"
) -> Answer:
    """The answer to a browser on this site."""
    return couper.ask(path, "--header", f"Origin: {origin}", *arguments)


def test_a_browser_that_asks_beforehand_needs_no_token(couper: CouperProcess) -> None:
    asked = ("--request", "OPTIONS", "--header", "Access-Control-Request-Method: PUT")
    more = ("--header", "Access-Control-Request-Headers: X-A, authorization")
    answer = browser(couper, *asked, *more)
    assert (answer.status, answer.body) == (204, "")
    assert answer.field("access-control-allow-origin") == "https://app.example"
    assert answer.field("access-control-allow-credentials") == "true"
    assert answer.field("access-control-allow-methods") == "PUT"
    assert answer.field("access-control-allow-headers") == "X-A, authorization"
    assert answer.field("access-control-max-age") == "600"
    varies = {part.strip() for name, value in answer.fields if name == "vary" for part in value.split(",")}
    assert varies == {"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}
    elsewhere = browser(couper, *asked, origin="https://evil.example")
    assert elsewhere.field("access-control-allow-origin") is None
    assert elsewhere.field("access-control-allow-credentials") is None


def test_a_browser_may_read_errors_too(couper: CouperProcess) -> None:
    for answer, status in ((browser(couper), 401), (browser(couper, "--header", f"Authorization: Bearer {T1}"), 200)):
        assert (answer.status, answer.field("access-control-allow-origin")) == (status, "https://app.example")
        assert answer.field("vary") == "Origin"
    assert browser(couper, origin="https://evil.example").field("access-control-allow-origin") is None


def test_an_options_request_of_no_browser_is_one_like_others(couper: CouperProcess) -> None:
    assert couper.ask("/api/one", "--request", "OPTIONS").status == 401
    assert couper.ask("/api/one", "--request", "OPTIONS", bearer=T1).status == 405


def test_the_most_particular_path_is_taken(couper: CouperProcess) -> None:
    found = {path: couper.ask(f"/items{path}").field("x-here") for path in ("/special", "/7", "/7/8", "/special/")}
    assert found == {"/special": "special", "/7": "7", "/7/8": "below", "/special/": "special"}


def test_servers_have_their_own_hosts_and_paths(couper: CouperProcess) -> None:
    other = ("--header", "Host: other.example")
    assert couper.ask("/base", *other).field("x-here") == "other"
    assert couper.ask("/", *other).status == 404
    assert couper.ask("/base").status == 404


def test_it_says_that_it_is_well(couper: CouperProcess) -> None:
    answer = couper.ask("/healthz")
    assert (answer.status, answer.body) == (200, "healthy")


def test_a_body_is_as_large_as_is_allowed(couper: CouperProcess) -> None:
    data = ("--header", "Content-Type: text/plain", "--data")
    assert couper.ask("/tiny", *data, "0123456789").body == "got 0123456789"
    answer = couper.ask("/tiny", *data, "0123456789a")
    assert answer.status == 413
    assert "0123456789" not in answer.body


def test_requests_are_named(couper: CouperProcess) -> None:
    names = {couper.ask("/healthz").field("couper-request-id") for _ in range(3)}
    assert len(names) == 3
    assert SECRET not in couper.journal()
