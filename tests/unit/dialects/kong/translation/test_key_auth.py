from __future__ import annotations

import json
from typing import Any

from tests.unit.dialects.kong.kong_yml import not_exact, route, service, translate


def on(**config: Any) -> dict[str, Any]:
    return route(service({"name": "key-auth", "config": config}))


def test_a_key_may_stand_in_header_and_query() -> None:
    assert on()["slots"]["key"]["from"] == [{"header": "apikey"}, {"query": "apikey"}]
    assert on(key_in_query=False, key_names=["a", "b"])["slots"]["key"]["from"] == [{"header": "a"}, {"header": "b"}]


def test_a_body_is_not_looked_into() -> None:
    translation = translate(service({"name": "key-auth", "config": {"key_in_body": True}}))
    assert "routes/r/plugins/key-auth/config/key_in_body" in not_exact(translation)


def test_a_key_goes_on_unless_it_is_hidden() -> None:
    assert on()["forward_token"]
    assert "forward_token" not in on(hide_credentials=True)


def test_refusals_are_worded_as_kong_words_them() -> None:
    told = {reason: answer for reason, answer in on(realm="R")["answers"].items() if answer["status"] == 401}
    assert {reason: json.loads(answer["body"])["message"] for reason, answer in told.items()} == {
        "credential_missing": "No API key found in request",
        "credential_repeated": "Duplicate API key found",
        "credential_malformed": "No API key found in request",
        "token_refused": "Unauthorized",
    }
    assert {answer["headers"]["WWW-Authenticate"] for answer in told.values()} == {'Key realm="R"'}
