from __future__ import annotations

from typing import Any

from tests.unit.dialects.couper.translated import BACKEND, JWT, document, text

from jwtgate.dialects.couper.translation.cors import with_condition

ENDPOINT = 'access_control = ["J"]\n allowed_methods = ["GET"]\n response {}'


def routes(cors: str, endpoint: str = ENDPOINT) -> dict[str, Any]:
    found: dict[str, Any] = document(text(endpoint, around=f"cors {{\n {cors}\n }}", definitions=f"{JWT}\n {BACKEND}"))[
        "routes"
    ]
    return found


def test_a_browser_may_ask_beforehand_without_a_token() -> None:
    found = routes('allowed_origins = ["https://a.example"]\n max_age = "200s"')
    names = list(found)
    assert names.index("/p-preflight") == names.index("/p") - 1
    asked = found["/p-preflight"]
    assert (asked["auth"], asked["methods"], asked["respond"]["status"]) == ("none", ["OPTIONS"], 204)
    fields = asked["respond"]["headers"]
    assert 'contains(["GET"],' in fields["Access-Control-Allow-Methods"]["expression"]
    assert fields["Access-Control-Max-Age"]["expression"].endswith('? "200" : null')
    assert "'origin' in request.headers" in asked["match"]["when"]


def test_answers_and_refusals_name_an_origin_that_is_allowed() -> None:
    found = routes('allowed_origins = ["https://a.example"]\n allow_credentials = true')["/p"]
    for fields in (found["respond"]["headers"], found["slots"]["J"]["answers"]["credential_missing"]["headers"]):
        assert '["https://a.example"]' in fields["Access-Control-Allow-Origin"]["expression"]
        assert fields["Access-Control-Allow-Credentials"]["expression"].endswith('? "true" : null')
        assert fields["Vary"] == "Origin"


def test_any_origin_needs_no_look_at_the_request() -> None:
    found = routes('allowed_origins = "*"')["/p"]
    assert found["respond"]["headers"]["Access-Control-Allow-Origin"] == "*"


def test_any_origin_with_credentials_is_named() -> None:
    found = routes('allowed_origins = "*"\n allow_credentials = true')["/p"]
    value = found["respond"]["headers"]["Access-Control-Allow-Origin"]["expression"]
    assert value.endswith('== "" ? null : request.headers.origin')


def test_what_a_backend_says_of_caches_stays() -> None:
    found = routes('allowed_origins = ["https://a.example"]', 'proxy { backend = "up" }')["/p"]
    assert found["response_headers"]["add"] == {"Vary": "Origin"}
    assert "Access-Control-Allow-Origin" in found["response_headers"]["set"]


def test_without_cors_there_is_no_such_route() -> None:
    assert not any(name.endswith("-preflight") for name in document(text())["routes"])


def test_a_condition_there_already_is_kept() -> None:
    assert with_condition({"match": {"when": "true"}})["match"]["when"].startswith("(true) && 'origin'")
