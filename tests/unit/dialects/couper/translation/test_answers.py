from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.dialects.couper.translated import (
    BACKEND,
    JWT,
    KEY,
    document,
    not_exact,
    refused,
    route,
    slot,
    text,
    translate,
)

INVALID = 'Bearer error="invalid_token"'
OF_BEARER = {
    "credential_missing": "Bearer",
    "credential_repeated": "Bearer",
    "token_refused": INVALID,
    "request_refused": INVALID,
    "token_expired": f'{INVALID}, error_description="The access token expired"',
}


def answers(body: str = "") -> dict[str, Any]:
    found: dict[str, Any] = slot(body)["answers"]
    return found


def handled(handler: str, body: str = "") -> dict[str, Any]:
    return answers(f"{body}\n error_handler {handler}")


@pytest.mark.parametrize("reason", OF_BEARER)
def test_each_kind_of_error_has_its_challenge(reason: str) -> None:
    answer = answers()[reason]
    assert (answer["status"], answer["headers"]["WWW-Authenticate"]) == (401, OF_BEARER[reason])
    assert not answer["challenge"]


def test_a_proof_is_challenged_with_the_algorithms() -> None:
    found = answers("beta_dpop = true")
    algorithms = 'DPoP algs="RS256 RS384 RS512 ES256 ES384 ES512"'
    assert found["credential_missing"]["headers"]["WWW-Authenticate"] == algorithms
    assert found["token_refused"]["headers"]["WWW-Authenticate"] == f'{algorithms}, error="invalid_token"'


@pytest.mark.parametrize("source", ['cookie = "c"', 'header = "x-token"', "token_value = request.query.t[0]"])
def test_other_places_have_no_challenge(source: str) -> None:
    assert not any("WWW-Authenticate" in answer["headers"] for answer in answers(source).values())


def test_every_answer_names_couper_the_error_and_who_may_keep_it() -> None:
    for answer in (*answers().values(), route()["answers"]["*"]):
        assert answer["headers"]["Server"] == "couper.io"
        assert answer["headers"]["Couper-Error"]["expression"] == "@error_synopsis"
        assert answer["headers"]["cache-control"] == "private"


def test_without_private_caching_nothing_is_said_of_caches() -> None:
    assert answers("disable_private_caching = true")["credential_missing"]["headers"]["Cache-Control"] is None


def test_only_access_controls_that_were_reached_make_an_answer_private() -> None:
    public = f'jwt "A" {{\n {KEY}\n disable_private_caching = true\n }}'
    found = route('access_control = ["A", "J"]\n response {}', definitions=f"{public}\n {JWT}")["slots"]
    assert found["A"]["answers"]["credential_missing"]["headers"]["Cache-Control"] is None
    assert found["J"]["answers"]["credential_missing"]["headers"]["cache-control"] == "private"


def test_errors_are_json_in_an_api_and_pages_elsewhere() -> None:
    api = 'api {\n endpoint "/a" {\n access_control = ["J"]\n response {}\n }\n }'
    found = document(text(around=api))["routes"]
    assert found["/a"]["answers"]["*"]["body"]["expression"] == "@error_body_json"
    assert found["/a"]["answers"]["*"]["content_type"] == "application/json"
    assert found["/p"]["answers"]["*"]["body"]["expression"] == "@error_body_html"


@pytest.mark.parametrize(("name", "media"), [("e.html", "text/html"), ("e.json", "application/json")])
def test_a_file_of_ones_own_takes_the_place_of_the_body(tmp_path: Path, name: str, media: str) -> None:
    (tmp_path / name).write_text("{{ .message }} ${x}")
    source = text(f'access_control = ["J"]\n error_file = "{name}"\n response {{}}')
    answer = document(source, folder=tmp_path)["routes"]["/p"]["slots"]["J"]["answers"]["token_refused"]
    assert answer["body"]["expression"] == "@error_template"
    assert answer["body"]["given"] == {"template": "{{ .message }} $${x}"}
    assert answer["content_type"] == media


def test_a_response_of_a_handler_stands_alone() -> None:
    found = handled('"jwt_token_missing" {\n response {\n status = 303\n headers = { location = "/login" }\n }\n }')
    answer = found["credential_missing"]
    assert (answer["status"], answer["headers"]["location"], answer["body"]) == (303, "/login", "")
    assert {"Couper-Error", "WWW-Authenticate"}.isdisjoint(answer["headers"])
    assert found["token_expired"]["status"] == 401


def test_a_handler_that_fails_keeps_the_status_of_the_error() -> None:
    found = handled('{\n response {\n status = 400\n body = jwt_sign("nobody", {})\n }\n }')["token_refused"]
    assert found["status"]["expression"] == 'can([(jwt_sign("nobody", {}))]) ? to_number(default(400, 200)) : null'


def test_a_handler_without_a_response_changes_the_standard_answer() -> None:
    answer = handled('{\n set_response_status = 418\n set_response_headers = { x-a = "1" }\n }')["token_refused"]
    assert (answer["status"], answer["headers"]["x-a"]) == (418, "1")
    assert answer["body"]["expression"] == "@error_body_html"
    assert "WWW-Authenticate" not in answer["headers"]


def test_a_handler_may_remove_what_we_say() -> None:
    answer = handled('{\n remove_response_headers = ["couper-error"]\n }')["token_refused"]
    assert "Couper-Error" not in answer["headers"]


def test_a_handler_for_the_parent_is_never_reached_with_a_bearer_token() -> None:
    handler = '"jwt" {\n set_response_status = 418\n }'
    assert handled(handler)["token_refused"]["status"] == 401
    assert handled(handler, 'cookie = "c"')["token_refused"]["status"] == 418


def test_a_handler_logs_what_it_says() -> None:
    found = handled('"jwt_token_missing" {\n custom_log_fields = { h = request.path }\n }')
    assert found["credential_missing"]["log"]["h"]["expression"] == "request.path"
    assert "log" not in found["token_refused"]


def test_a_body_of_a_handler_is_json_as_couper_writes_it() -> None:
    answer = handled("{\n response {\n status = 400\n json_body = { b = request.path }\n }\n }")["token_refused"]
    assert answer["body"]["expression"] == "json_encode({ b = request.path })"
    assert answer["content_type"] == "application/json"


def test_a_media_type_of_ones_own_is_that_of_the_body() -> None:
    response = 'response {\n body = "<a/>"\n headers = { content-type = "text/xml" }\n }'
    answer = handled(f"{{\n {response}\n }}")["token_refused"]
    assert (answer["body"], answer["content_type"]) == ("<a/>", "text/xml")
    assert "content-type" not in answer["headers"]


def test_keys_that_cannot_be_had_look_like_an_invalid_token() -> None:
    found = route(definitions='jwt "J" {\n jwks_url = "http://127.0.0.1:9/k"\n }')["slots"]["J"]["answers"]
    answer = found["issuer_unreachable"]
    assert (answer["status"], answer["fault_may_answer_401_for_legacy_clients"]) == (401, True)
    assert "issuer_unreachable" not in answers()


def test_a_fault_of_ours_never_looks_like_a_success() -> None:
    handler = 'error_handler "jwt_token_invalid" {\n response {\n status = 303\n }\n }'
    source = text(definitions=f'jwt "J" {{\n jwks_url = "http://127.0.0.1:9/k"\n {handler}\n }}')
    translation = translate(source)
    found = translation.document["routes"]["/p"]["slots"]["J"]["answers"]
    assert (found["token_refused"]["status"], found["issuer_unreachable"]["status"]) == (303, 401)
    assert set(not_exact(translation)) == {'error_handler "jwt_token_invalid"/status'}


def test_a_failed_introspection_is_answered_as_the_switch_says() -> None:
    asked = 'beta_introspection {\n endpoint = "https://as/i"\n client_id = "c"\n client_secret = "s"\n ttl = "1s"\n }'
    definitions = f'jwt "J" {{\n {KEY}\n {asked}\n }}'
    assert route(definitions=definitions)["slots"]["J"]["answers"]["introspection_unreachable"]["status"] == 403
    told = route(definitions=definitions, more="settings {\n introspection_failure_status = 502\n }")
    assert told["slots"]["J"]["answers"]["introspection_unreachable"]["status"] == 502


def test_a_missing_permission_is_handled_by_the_endpoint() -> None:
    handler = 'error_handler "insufficient_permissions" {\n response {\n status = 404\n }\n }'
    endpoint = f'access_control = ["J"]\n required_permission = "a"\n response {{}}\n {handler}'
    found = route(endpoint)["answers"]
    assert found["permission_missing"]["status"] == 404
    assert "status" not in found["*"]


def test_a_handler_that_asks_a_backend_has_calls_made_for_its_answer() -> None:
    handler = 'error_handler {\n proxy {\n backend = "up"\n }\n }'
    found = route(definitions=f'jwt "J" {{\n {KEY}\n {handler}\n }}\n {BACKEND}')
    ((name, call),) = found["calls"].items()
    assert (call["upstream"], call["for_answers"], call["passes_request_fields"]) == ("up", True, True)
    answer = found["slots"]["J"]["answers"]["token_expired"]
    assert answer["calls"] == [name]
    assert answer["status"]["given"]["calls"] == {"default": name}
    assert "Couper-Error" not in answer["headers"]
    assert "body_read_before_decision_bytes" in found


def test_what_a_handler_asks_comes_before_what_reads_it() -> None:
    two = """request "b" {\n backend = "up"\n headers = { x = backend_responses.a.status }\n }
      request "a" {\n backend = "up"\n }
      response {\n json_body = backend_responses.b.json_body\n }"""
    found = route(
        definitions=f'jwt "J" {{\n {KEY}\n error_handler "jwt_token_missing" {{\n {two}\n }}\n }}\n {BACKEND}'
    )
    answer = found["slots"]["J"]["answers"]["credential_missing"]
    assert [name.split("-")[0] for name in answer["calls"]] == ["a", "b"]
    assert list(found["calls"]) == answer["calls"]
    assert "backend_responses" in answer["status"]["expression"]


def test_a_handler_that_asks_who_knows_whom_is_refused() -> None:
    handler = "error_handler {\n request {\n url = request.query.u[0]\n }\n }"
    assert refused(text(definitions=f'jwt "J" {{\n {KEY}\n {handler}\n }}'))


def test_a_realm_of_basic_auth_is_told() -> None:
    body = 'user = "u"\n password = "p"'
    found = route('access_control = ["b"]\n response {}', definitions=f'basic_auth "b" {{\n {body}\n realm = "r"\n }}')
    answer = found["slots"]["b"]["answers"]
    assert answer["credential_missing"]["headers"]["WWW-Authenticate"] == 'Basic realm="r"'
    assert answer["token_refused"]["status"] == 401
