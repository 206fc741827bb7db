from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.couper.translated import BACKEND, JWT, document, not_exact, refused, route, text, translate

ORIGIN = "http://127.0.0.1:9"


def proxied(body: str, path: str = "/p", definitions: str = BACKEND) -> dict[str, Any]:
    return route(f"proxy {{\n {body}\n }}", name=path, path=path, definitions=definitions)


def rewrite(body: str, path: str = "/p") -> Any:
    return proxied(body, path).get("rewrite")


def backend(body: str) -> str:
    return f'backend "up" {{\n origin = "{ORIGIN}"\n {body}\n }}'


def test_a_request_goes_on_as_it_came_without_its_credentials() -> None:
    found = proxied('backend = "up"')
    assert found["upstream"] == "up"
    assert found["request_headers"] == {"remove": ["authorization", "cookie"]}
    assert found["response_headers"] == {"set": {"server": "couper.io"}}
    assert "rewrite" not in found


def test_credentials_that_are_set_again_are_sent() -> None:
    found = proxied('backend = "up"\n set_request_headers = { authorization = request.headers.authorization }')
    assert list(found["request_headers"]["set"]) == ["authorization"]
    assert found["request_headers"]["remove"] == ["cookie"]


def test_the_clients_cookies_may_be_kept() -> None:
    found = proxied('backend = "up"\n set_request_headers = { cookie = request.headers.cookie }')
    assert found["request_headers"] == {"remove": ["authorization"]}


@pytest.mark.parametrize("verb", ["set", "add"])
def test_other_cookies_are_sent_and_never_the_clients_instead(verb: str) -> None:
    found = proxied(f'backend = "up"\n {verb}_request_headers = {{ Cookie = "a=b" }}')
    assert found["calls"]["default"]["headers"]["cookie"] == "a=b"


@pytest.mark.parametrize("verb", ["set", "add"])
def test_other_cookies_must_stand_in_the_configuration(verb: str) -> None:
    source = text(
        f'proxy {{\n backend = "up"\n {verb}_request_headers = merge({{ cookie = "a=b" }}, {{}})\n }}',
        definitions=BACKEND,
    )
    assert {place.rpartition("/")[2] for place in refused(source)} == {"cookie"}


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        (f'url = "{ORIGIN}/a"', "/p", {"path": "/a"}),
        (f'url = "{ORIGIN}"', "/p", None),
        (f'url = "{ORIGIN}/a/**"', "/p/**", {"strip_matched_prefix": True, "add_prefix": "/a"}),
        (f'url = "{ORIGIN}/**"', "/p/**", {"strip_matched_prefix": True}),
        (f'backend {{\n origin = "{ORIGIN}"\n path = "/b"\n }}', "/p", {"path": "/b"}),
        (f'backend {{\n origin = "{ORIGIN}"\n path = "/b"\n path_prefix = "/v/"\n }}', "/p", {"path": "/v/b"}),
        (f'backend {{\n origin = "{ORIGIN}"\n path_prefix = "/v"\n }}', "/p", {"add_prefix": "/v"}),
    ],
)
def test_a_path_is_the_clients_own_or_another(body: str, path: str, expected: dict[str, Any] | None) -> None:
    assert rewrite(body, path) == expected


def test_a_path_may_vary() -> None:
    found = rewrite(f'backend {{\n origin = "{ORIGIN}"\n path = "/x/${{request.path_params.a}}"\n }}', "/{a}")
    assert found["path"]["expression"] == '"/x/${request.path_params.a}"'


def test_where_a_request_goes_never_varies() -> None:
    assert refused(text('proxy {\n url = "http://${request.host}/"\n }', definitions=BACKEND)) == {"proxy/url"}


def test_a_query_of_the_url_takes_the_place_of_the_clients() -> None:
    assert rewrite(f'url = "{ORIGIN}/a?b=c"') == {"path": "/a", "query": {"constant": "b=c"}}


def test_parameters_of_the_query_are_removed_set_and_added() -> None:
    edits = 'remove_query_params = ["r"]\n set_query_params = { s = "1" }\n add_query_params = { a = request.path }'
    query = rewrite(f'backend = "up"\n {edits}')["query"]["expression"]
    assert '!contains(["r", "s"], k)' in query
    assert '{ "s" = ("1")[*] }' in query
    assert '{ "a" = (request.path)[*] }' in query
    query = rewrite(f'url = "{ORIGIN}/?u=1"\n set_query_params = {{ s = "1" }}')["query"]
    assert query == {"constant": {"u": ["1"], "s": ["1"]}}


def test_modifiers_apply_from_the_endpoint_inwards_and_back() -> None:
    endpoint = """
      set_request_headers = { x-a = "endpoint" }
      set_response_headers = { x-r = "endpoint" }
      proxy {
        backend = "up"
        set_request_headers = { x-a = "proxy" }
        set_response_headers = { x-r = "proxy" }
      }"""
    found = route(endpoint, definitions=backend('set_request_headers = { x-b = "backend" }'))
    assert found["request_headers"]["set"] == {"x-a": "proxy", "x-b": "backend"}
    assert found["response_headers"]["set"]["x-r"] == "endpoint"


def test_a_backend_is_an_upstream_with_its_times() -> None:
    source = text(
        'proxy {\n backend = "up"\n }', definitions=backend('connect_timeout = "3s"\n timeout = "7s"\n hostname = "h"')
    )
    found = document(source)
    assert found["upstreams"]["up"] == {
        "targets": [ORIGIN],
        "connect_seconds": 3.0,
        "first_byte_seconds": 60.0,
        "host": "h",
    }
    assert found["routes"]["/p"]["request_seconds"] == 7.0


def test_a_name_and_a_password_for_a_backend_are_sent() -> None:
    found = proxied('backend = "up"', definitions=backend('basic_auth = "u:p"'))
    assert found["request_headers"]["set"]["authorization"] == "Basic dTpw"


@pytest.mark.parametrize("line", ["disable_certificate_validation = true", "http2 = true", "max_connections = 3"])
def test_what_a_backend_does_otherwise_is_told(line: str) -> None:
    found = translate(text('proxy {\n backend = "up"\n }', definitions=backend(line)))
    assert set(not_exact(found)) == {f'backend "up"/{line.split(" ")[0]}'}


@pytest.mark.parametrize("line", ["set_form_params = { a = 1 }"])
def test_what_cannot_be_done_to_what_is_passed_on_is_refused(line: str) -> None:
    found = refused(text(f'proxy {{\n backend = "up"\n {line}\n }}', definitions=f"{JWT}\n {BACKEND}"))
    assert found == {f"proxy/{line.split(' ')[0]}"}
