from __future__ import annotations

from typing import Any

from tests.unit.dialects.couper.translated import BACKEND, not_exact, refused, route, text, translate

URL = 'url = "http://127.0.0.1:9/a?b=c"'


def calls(endpoint: str, definitions: str = BACKEND) -> dict[str, Any]:
    found: dict[str, Any] = route(f"{endpoint}\n response {{}}", definitions=definitions)["calls"]
    return found


def test_a_request_is_a_call() -> None:
    body = 'method = "put"\n headers = { x-a = request.path }\n json_body = { a = 1 }\n expected_status = [200]'
    (call,) = calls(f"request {{\n {URL}\n {body}\n }}").values()
    assert (call["upstream"], call["path"], call["query"]) == ("127.0.0.1:9", "/a", {"constant": "b=c"})
    assert (call["method"], call["expected_status"]) == ("PUT", [200])
    assert call["headers"]["x-a"]["expression"] == "request.path"
    assert call["json"] == {"constant": {"a": 1}}


def test_parameters_take_the_place_of_the_query() -> None:
    (call,) = calls(f"request {{\n {URL}\n query_params = {{ x = request.path }}\n }}").values()
    assert call["query"]["expression"] == "{ x = request.path }"


def test_a_call_is_made_before_those_that_read_its_answer() -> None:
    first = f'request "one" {{\n {URL}\n headers = {{ x-a = backend_responses.two.status }}\n }}'
    found = calls(f'{first}\n request "two" {{\n {URL}\n }}')
    assert list(found) == ["two", "one"]
    assert found["one"]["headers"]["x-a"]["given"]["calls"] == {"two": "two"}


def test_a_backend_changes_the_call() -> None:
    backend = (
        'backend "up" {\n origin = "http://127.0.0.1:9"\n basic_auth = "u:p"\n path_prefix = "/v"\n timeout = "2s"\n }'
    )
    (call,) = calls('request {\n backend = "up"\n url = "/a"\n }', definitions=backend).values()
    assert (call["path"], call["headers"]["authorization"], call["timeout_seconds"]) == ("/v/a", "Basic dTpw", 2.0)


def test_a_proxy_beside_a_response_is_a_call_with_the_clients_request() -> None:
    endpoint = 'proxy {\n backend = "up"\n }\n response {}'
    found = route(endpoint, definitions=BACKEND)
    call = found["calls"]["default"]
    assert (call["method"], call["path"], call["query"]) == (
        {"request": "method"},
        {"request": "path"},
        {"request": "query"},
    )
    assert call["body"]["expression"] == 'request.body == "" ? null : request.body'
    assert found["body_read_before_decision_bytes"] == found["body_limit_bytes"]
    assert call["passes_request_fields"]
    assert not not_exact(translate(text(endpoint, definitions=BACKEND)))


def test_status_and_media_type_of_what_a_proxy_answers_may_be_others() -> None:
    changed = 'set_response_headers = { Content-Type = "a/b", x-a = 1 }'
    found = route(f'set_response_status = 202\n proxy {{\n backend = "up"\n {changed}\n }}', definitions=BACKEND)
    assert found["respond"] == {"call": "default", "status": 202, "content_type": "a/b"}
    assert set(found["response_headers"]["set"]) == {"Server", "x-a"}


def test_a_proxy_whose_answer_is_looked_at_is_a_call_that_is_passed_on() -> None:
    endpoint = """proxy {
      remove_request_headers = ["x-a"]
      set_response_headers = { x-status = backend_responses.default.status }
      backend "up" { add_response_headers = { x-b = "1" } }
    }"""
    found = route(endpoint, definitions=BACKEND)
    assert found["respond"] == {"call": "default"}
    assert found["calls"]["default"]["headers"]["x-a"] == {"language": "couper", "expression": "null"}
    assert {*found["response_headers"]["set"], *found["response_headers"]["add"]} == {"Server", "x-b", "x-status"}
    assert "upstream" in route(endpoint.replace("backend_responses.default.status", '"200"'), definitions=BACKEND)


def test_a_path_may_end_with_what_the_endpoint_left_open() -> None:
    endpoint = 'proxy {\n url = "http://127.0.0.1:9/x/**"\n }\n response {}'
    call = route(endpoint, name="/p/**", path="/p/**", definitions=BACKEND)["calls"]["default"]
    below = 'join("/", [for i, s in split("/", request.path) : s if i > 1])'
    assert call["path"]["expression"] == f'join("", ["/x", "/", {below}])'


def test_a_proxy_that_expects_a_status_is_a_call() -> None:
    found = route('proxy {\n backend = "up"\n expected_status = [200]\n }', definitions=BACKEND)
    assert found["calls"]["default"]["expected_status"] == [200]
    assert found["respond"] == {"call": "default"}


def test_nobody_is_sent_where_a_request_says() -> None:
    source = text("request {\n url = request.query.u[0]\n }\n response {}", definitions=BACKEND)
    assert refused(source) == {"request/url"}
