from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.kong.kong_yml import not_exact, note, route, service, signer, translate

from jwtgate.config.expressions import compiled_expression

URI = {"access_token_jwks_uri": "https://a.b/certs"}


def on(**config: Any) -> dict[str, Any]:
    return route(service(signer(**{**URI, **config})))


def slot(**config: Any) -> dict[str, Any]:
    return dict(on(**config)["slots"]["access"])


BEARER, BASIC = ["Bearer ", "bearer "], ["Basic ", "basic "]


@pytest.mark.parametrize(
    ("header", "source"),
    [
        ("Authorization", {"header": "Authorization", "prefix": [*BEARER, *BASIC], "blanks_after_prefix": True}),
        ("authorization:bearer", {"header": "authorization", "prefix": BEARER, "blanks_after_prefix": True}),
        ("authorization:Basic", {"header": "authorization", "prefix": BASIC, "blanks_after_prefix": True}),
        ("X-Token", {"header": "X-Token"}),
        ("X-Token:Own", {"header": "X-Token", "prefix": ["Own "], "blanks_after_prefix": True}),
    ],
)
def test_a_token_stands_where_the_header_says(header: str, source: dict[str, Any]) -> None:
    assert slot(access_token_request_header=header)["from"] == [source]


def test_both_tokens_are_needed_unless_they_are_optional() -> None:
    found = on(channel_token_request_header="X-C", channel_token_optional=False)["slots"]
    assert {name: section["auth"] for name, section in found.items()} == {"access": "required", "channel": "required"}
    assert on(access_token_optional=True)["auth"] == "optional"


def test_words_of_one_entry_are_asked_together_and_entries_are_alternatives() -> None:
    asked = slot(access_token_scopes_required=["a  b", "c", " "], access_token_scopes_claim=["x", "y"])
    assert asked["scope"] == {"any": ["a b", "c"], "claim": ["x", "y"]}
    assert "scope" not in slot(access_token_scopes_required=["a"], verify_access_token_scopes=False)
    assert "scope" not in slot()


def test_a_claim_leads_to_a_consumer() -> None:
    found = on(access_token_consumer_claim=["a", "sub"], access_token_consumer_by=["username", "id", "username"])
    assert found["slots"]["access"]["consumer"] == {"claim": [["a", "sub"]], "by": ["name", "id"]}
    assert found["headers"].keys() == {"X-Consumer-ID", "X-Consumer-Custom-ID", "X-Consumer-Username"}
    assert slot(access_token_consumer_claim=["sub"])["consumer"]["by"] == ["external_id", "name"]
    assert "headers" not in on()


def test_of_an_introspected_token_something_else_may_be_asked() -> None:
    config = {
        "access_token_introspection_endpoint": "https://a.b/i",
        "access_token_introspection_scopes_required": ["z"],
        "access_token_introspection_consumer_claim": ["cid"],
        "access_token_scopes_required": ["a"],
    }
    found = on(**config)["slots"]["access"]
    assert found["introspected"]["scope"] == {"any": ["z"], "claim": ["scope"]}
    assert found["introspected"]["consumer"]["claim"] == [["cid"]]
    assert found["scope"]["any"] == ["a"]
    assert "introspected" not in slot(**config, enable_access_token_introspection=False)


def test_the_token_itself_may_go_on_in_another_header() -> None:
    assert slot(original_access_token_upstream_header="X-Original")["original_header"] == "X-Original"
    translation = translate(service(signer(original_access_token_upstream_header="X-O:Bearer")))
    place = "routes/r/plugins/jwt-signer/config/original_access_token_upstream_header"
    assert note(translation, place).dangerous


def test_refusals_have_kongs_statuses() -> None:
    answers = on(realm="R")["answers"]
    assert {reason: answer["status"] for reason, answer in answers.items()} == {
        "credential_missing": 401, "credential_repeated": 401, "credential_malformed": 401, "token_refused": 401,
        "scope_refused": 403, "consumer_unknown": 403, "introspection_unreachable": 401, "dependency_fault": 500,
    }  # fmt: skip
    challenges = {reason: answer["headers"]["WWW-Authenticate"] for reason, answer in answers.items()}
    assert challenges["credential_missing"] == 'Bearer realm="R"'
    assert challenges["token_refused"] == 'Bearer realm="R", error="invalid_token"'
    assert challenges["scope_refused"] == 'Bearer realm="R", error="insufficient_scope"'


def test_without_a_realm_the_host_is_meant() -> None:
    challenge = on()["answers"]["token_refused"]["headers"]["WWW-Authenticate"]["cel"]
    assert compiled_expression(challenge)({"request": {"host": "a.b"}}) == 'Bearer realm="a.b", error="invalid_token"'


def test_a_header_may_tell_the_reason() -> None:
    answers = on(reason_header="X-Why")["answers"].values()
    assert all(answer["headers"]["X-Why"] == {"refusal": "reason"} for answer in answers)
    assert not any("X-Why" in answer["headers"] for answer in on()["answers"].values())


def test_claims_may_become_headers() -> None:
    assert on(access_token_claims_to_headers={"X-Sub": ["a", "sub"]})["headers"] == {
        "X-Sub": {"claim": ["a", "sub"], "slot": "access"}
    }


def test_what_means_something_else_is_told() -> None:
    told = not_exact(translate(service(signer(enable_hs_signatures=True, enable_instrumentation=True))))
    assert {place.rpartition("/")[2] for place in told} == {"enable_hs_signatures", "enable_instrumentation"}
    missing = not_exact(translate(service(signer(channel_token_optional=False))))
    assert "500" in missing["routes/r/plugins/jwt-signer/config/channel_token_optional"]
