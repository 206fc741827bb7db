from __future__ import annotations

import json

import pytest

from jwtgate.config.expressions import compiled_expression
from jwtgate.dialects.kong.translation.answers import (
    bearer,
    bearer_of_host,
    challenged,
    of_document,
    says,
    says_with_id,
)


def test_an_answer_is_kongs_json() -> None:
    assert says(401, "Unauthorized") == {
        "status": 401,
        "body": '{"message":"Unauthorized"}',
        "content_type": "application/json; charset=utf-8",
        "challenge": False,
    }


def test_an_answer_may_hold_the_id_of_the_request() -> None:
    body = compiled_expression(says_with_id(404, "it's \\ gone")["body"]["cel"])({"refusal": {"request_id": "r-1"}})
    assert json.loads(str(body)) == {"message": "it's \\ gone", "request_id": "r-1"}


@pytest.mark.parametrize(
    ("realm", "error", "challenge"),
    [
        (None, None, "Bearer"),
        (None, "invalid_token", 'Bearer error="invalid_token"'),
        ("R", None, 'Bearer realm="R"'),
        ("R", "invalid_token", 'Bearer realm="R", error="invalid_token"'),
    ],
)
def test_a_challenge_says_realm_and_error(realm: str | None, error: str | None, challenge: str) -> None:
    assert bearer(realm, error) == challenge


def test_a_challenge_may_name_the_host() -> None:
    request = {"request": {"host": "a.b"}}
    assert compiled_expression(bearer_of_host(None)["cel"])(request) == 'Bearer realm="a.b"'
    assert compiled_expression(bearer_of_host("x")["cel"])(request) == 'Bearer realm="a.b", error="x"'


def test_a_challenge_stands_beside_other_fields() -> None:
    assert challenged({"headers": {"X": "y"}}, "Bearer")["headers"] == {"X": "y", "WWW-Authenticate": "Bearer"}


def test_what_kong_says_without_a_plugin() -> None:
    statuses = {reason: answer["status"] for reason, answer in of_document().items()}
    assert statuses == {"route_unknown": 404, "upstream_fault": 502, "upstream_slow": 504, "dependency_fault": 500}
