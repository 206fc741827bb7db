from __future__ import annotations

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SECRET, SERVER, configuration, problems

from jwtgate.dialects.couper.reading.configuration import Server

DEFINITIONS = "definitions {\n" + "".join(f'jwt "{label}" {{\n{SECRET}}}\n' for label in "ABC") + "}\n"


def server(body: str) -> Server:
    return configuration(f"server {{\n{body}\n}}\n{DEFINITIONS}").servers[0]


def said_of(body: str) -> tuple[str, ...]:
    return problems(f"server {{\n{body}\n}}\n{DEFINITIONS}")


def test_paths_and_access_controls_are_handed_down() -> None:
    found = server("""
      base_path = "/v1"
      access_control = ["A"]
      api "x" {
        base_path = "/api"
        access_control = ["B"]
        endpoint "/p/{id}" {
          access_control = ["C", "A"]
          disable_access_control = ["B"]
          response {}
        }
      }
      endpoint "/open" {
        disable_access_control = ["A"]
        response {}
      }""")
    (api,) = found.apis
    (endpoint,) = api.endpoints
    assert (found.base_path, api.base_path, endpoint.path, endpoint.pattern) == (
        "/v1",
        "/v1/api",
        "/v1/api/p/{id}",
        "/p/{id}",
    )
    assert (found.access_control, api.access_control, endpoint.access_control) == (("A",), ("A", "B"), ("A", "C"))
    assert (found.endpoints[0].path, found.endpoints[0].access_control) == ("/v1/open", ())


def test_what_an_endpoint_says_itself_comes_before_what_its_api_says() -> None:
    found = server("""api "x" {
        required_permission = "a"
        allowed_methods = ["GET"]
        error_handler "insufficient_permissions" { set_response_status = 1 }
        endpoint "/1" { response {} }
        endpoint "/2" {
          required_permission = { get = "", post = "b" }
          allowed_methods = ["POST"]
          error_handler { set_response_status = 2 }
          response {}
        }
      }""")
    first, second = found.apis[0].endpoints
    assert first.required_permission is not None
    assert second.required_permission is not None
    assert (first.required_permission.source, first.allowed_methods) == ('"a"', ("GET",))
    assert (second.required_permission.source, second.allowed_methods) == ('{ get = "", post = "b" }', ("POST",))
    handlers = [each.error_handlers.for_kind("insufficient_permissions") for each in (first, second)]
    assert [handler.kinds if handler else None for handler in handlers] == [("insufficient_permissions",), ("*",)]


def test_permissions_asked_of_some_endpoints_alone_are_refused_in_an_api() -> None:
    asked, open_ = 'endpoint "/1" {\n required_permission = "a"\n response {}\n}\n', 'endpoint "/2" { response {} }\n'
    wanted = 'configuration error: api with label "x" has endpoint without required permission'
    assert said_of(f'api "x" {{\n{asked}{open_}}}') == (wanted,)
    assert said_of(f"api {{\n{asked}{open_}}}") == (wanted.replace('"x"', '""'),)
    assert server(f'api "x" {{\n required_permission = "b"\n{asked}{open_}}}').apis
    assert server(f'api "x" {{\n{asked}}}\n{open_}').apis
    assert server(f"{asked}{open_}").endpoints


@pytest.mark.parametrize(
    "body",
    [
        'access_control = ["nope"]',
        'disable_access_control = ["nope"]',
        'api { access_control = ["nope"] }',
        'endpoint "/1" {\n access_control = ["nope"]\n response {}\n}',
    ],
)
def test_a_label_nobody_has_is_refused_at_every_level(body: str) -> None:
    (problem,) = said_of(body)
    assert problem.endswith(': referenced access control "nope" is not defined; ')
    assert problem.startswith("couper.hcl:")


def test_cors_is_handed_down_and_may_be_switched_off() -> None:
    found = server("""
      cors {
        allowed_origins = "https://a"
        allow_credentials = true
        max_age = "1h"
      }
      api { endpoint "/1" { response {} } }
      api "b" {
        cors { disable = true }
        endpoint "/2" { response {} }
      }""")
    assert found.cors is not None
    assert (found.cors.allowed_origins, found.cors.allow_credentials, found.cors.max_age) == (
        ("https://a",),
        True,
        3600,
    )
    first, second = (api.endpoints[0].cors for api in found.apis)
    assert first == found.cors
    assert second is not None
    assert second.allowed_origins == ()


def test_the_most_a_body_may_have() -> None:
    text = 'endpoint "/1" {{\n{}\n response {{}}\n}}'
    assert server(text.format("")).endpoints[0].request_body_limit == 64 * 2**20
    assert server(text.format('request_body_limit = "1KiB"')).endpoints[0].request_body_limit == 1024
    assert said_of(text.format('request_body_limit = "x"')) == (
        "configuration error: /1: request_body_limit: invalid size: 'x'",
    )


def test_two_endpoints_of_one_path_are_refused() -> None:
    body = 'endpoint "/v/1" { response {} }\napi {\n base_path = "/v"\n endpoint "/1" { response {} }\n}'
    assert said_of(body) == ('couper.hcl:5,2-15: duplicate endpoint: "/v/1"; ',)


@pytest.mark.parametrize(("one", "other"), [("/{a}/x", "/{b}/x"), ("/a", "/a/")])
def test_two_endpoints_that_take_the_same_requests_are_refused(one: str, other: str) -> None:
    body = f'endpoint "{one}" {{ response {{}} }}\nendpoint "{other}" {{ response {{}} }}'
    (said,) = said_of(body)
    assert f'duplicate endpoint: "{other}"' in said


def test_several_servers_have_several_hosts() -> None:
    text = 'server "{}" {{\n hosts = ["{}"]\n endpoint "/" {{ response {{}} }}\n}}\n'
    found = configuration(text.format("a", "a.example") + text.format("b", "b.example"))
    assert [each.hosts for each in found.servers] == [("a.example",), ("b.example",)]
    (problem,) = problems(text.format("a", "a.example") + text.format("b", "a.example"))
    assert problem.startswith('couper.hcl:5,1-11: duplicate host "a.example"; ')
    (problem,) = problems(SERVER + SERVER)
    assert problem.startswith("couper.hcl:2,1-7: hosts attribute is required; ")
