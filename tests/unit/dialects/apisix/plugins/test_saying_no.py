"""What refused clients are told."""

from __future__ import annotations

import json

import pytest

from jwtgate.config.sections.answers import CLASSES
from jwtgate.dialects.apisix.plugins.saying_no import UNREADABLE, answers_of, body_of, json_line, page, pages
from jwtgate.errors import CATALOGUE


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("credential_missing", "Missing JWT token in request"),
        ("token_malformed", "JWT token invalid"),
        ("claims_unreadable", "JWT token invalid"),
        ("signature_unreadable", "JWT token invalid"),
        ("credential_repeated", "JWT token invalid"),
        ("credential_not_named", "missing user key in JWT token"),
        ("credential_unknown", "Invalid user key in JWT token"),
        ("token_refused", "failed to verify jwt"),
        ("consumer_unknown", "Invalid user authorization"),
    ],
)
def test_jwt_auth_says_what_its_users_know(reason: str, message: str) -> None:
    answer = answers_of("jwt-auth", {})[reason]
    assert answer == {
        "status": 401,
        "body": f'{{"message":"{message}"}}\n',
        "content_type": "text/plain; charset=utf-8",
        "challenge": False,
        "headers": {"WWW-Authenticate": 'Bearer realm="jwt"'},
    }


def test_key_auth_and_multi_auth_have_words_of_their_own() -> None:
    key = answers_of("key-auth", {})
    assert json.loads(key["credential_missing"]["body"]) == {"message": "Missing API key in request"}
    assert json.loads(key["token_refused"]["body"]) == {"message": "Invalid API key in request"}
    several = answers_of("multi-auth", {})
    assert {answer["body"] for answer in several.values()} == {'{"message":"Authorization Failed"}\n'}
    assert all("headers" not in answer for answer in several.values())


def test_a_realm_is_named_in_the_challenge() -> None:
    fields = answers_of("jwt-auth", {"realm": "test-realm"})["token_refused"]["headers"]
    assert fields == {"WWW-Authenticate": 'Bearer realm="test-realm"'}


def test_a_field_may_tell_the_reason() -> None:
    fields = answers_of("jwt-auth", {"reason_header": "X-Reason"})["token_refused"]["headers"]
    assert fields["X-Reason"] == {"refusal": "reason"}


def test_a_fault_of_ours_looks_like_a_refusal_where_its_users_expect_that() -> None:
    answers = answers_of("jwt-auth", {})
    assert answers["credential_unresolved"]["fault_may_answer_401_for_legacy_clients"] is True
    assert "fault_may_answer_401_for_legacy_clients" not in answers["token_refused"]


@pytest.mark.parametrize(
    ("said", "body"),
    [("No ${way}", "No $${way}"), ({"code": 1, "ü": None}, '{"code":1,"ü":null}\n')],
)
def test_a_body_of_ones_own_takes_the_place_of_all(said: object, body: str) -> None:
    conf = {"_meta": {"error_response": said}}
    assert body_of(conf, {"message": "usual"}) == body
    assert {answer["body"] for answer in answers_of("jwt-auth", conf).values()} == {body}


def test_every_reason_is_one_of_the_catalogue() -> None:
    reasons = {reason for plugin in ("jwt-auth", "key-auth", "multi-auth") for reason in answers_of(plugin, {})}
    assert reasons | set(UNREADABLE) <= CATALOGUE.keys() | CLASSES.keys()


def test_pages_and_lines_are_what_they_are_elsewhere() -> None:
    assert json_line({"a": ["é"]}) == '{"a":["é"]}\n'
    found = page(404, "Not Found")
    assert (found["status"], found["content_type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>404 Not Found</h1>" in found["body"]
    assert pages(("a", "b"), 404, "Not Found") == {"a": found, "b": found}
