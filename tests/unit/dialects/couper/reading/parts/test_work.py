from __future__ import annotations

from tests.unit.dialects.couper.reading.couper_hcl import configuration, problems

from jwtgate.dialects.couper.reading.configuration import Endpoint

PROXY = 'definitions {\n proxy "p" {\n url = "http://a"\n name = "n"\n }\n}\n'


def endpoint(body: str) -> Endpoint:
    return configuration(f'server {{\n endpoint "/" {{\n{body}\n }}\n}}\n{PROXY}').servers[0].endpoints[0]


def said_of(body: str) -> tuple[str, ...]:
    return problems(f'server {{\n endpoint "/" {{\n{body}\n }}\n}}\n{PROXY}')


def test_proxies_and_requests_have_names_and_what_they_say() -> None:
    found = endpoint("""
      proxy { url = "http://a" }
      request "r" {
        url = "http://b/${request.path_params.p}"
        method = "POST"
        json_body = { a = 1 }
        expected_status = [200, 204]
      }""")
    assert [each.name for each in found.proxies] == ["default"]
    (request,) = found.requests
    assert request.name == "r"
    assert request.url is not None
    assert request.url.source == '"http://b/${request.path_params.p}"'
    assert request.expected_status == (200, 204)
    assert request.json_body is not None
    assert request.body is None


def test_a_response_has_what_it_says() -> None:
    response = endpoint('response {\n status = 201\n headers = { x = "y" }\n body = jwt_sign("P", {})\n}').response
    assert response is not None
    assert response.status is not None
    assert response.body is not None
    assert (response.status.source, response.body.source) == ("201", 'jwt_sign("P", {})')


def test_a_proxy_of_the_definitions_is_named_by_an_attribute() -> None:
    found = endpoint('proxy = "p"\n response {}')
    assert [(each.name, each.url.source if each.url else None) for each in found.proxies] == [("n", '"http://a"')]
    assert said_of('proxy = "no"\n response {}') == ('couper.hcl:3,1-6: referenced proxy "no" is not defined; ',)


def test_two_of_one_name_are_refused() -> None:
    (problem,) = said_of('proxy { url = "http://a" }\nrequest { url = "http://b" }')
    assert problem.startswith("couper.hcl:4,1-8: proxy and request labels are required and only one 'default' label")
    assert len(said_of('request "a" { url = "x" }\nrequest "a" { url = "y" }\nresponse {}')) == 1


def test_an_endpoint_needs_something_to_answer_with() -> None:
    wanted = "couper.hcl:2,2-14: missing 'default' proxy or request block, or a response definition; "
    assert said_of("") == (wanted,)
    assert said_of('request "a" { url = "x" }') == (wanted,)


def test_two_responses_are_refused() -> None:
    (problem,) = said_of("response {}\nresponse {}")
    assert problem == "couper.hcl:4,1-9: Multiple definitions of response are not allowed in endpoint.; "


def test_an_expression_that_is_none_is_told_at_its_place() -> None:
    (problem,) = said_of('response {\n headers = { a = "${}" }\n}')
    assert problem.startswith("couper.hcl:4,")
