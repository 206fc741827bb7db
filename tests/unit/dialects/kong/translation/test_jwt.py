from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.dialects.kong.kong_yml import not_exact, service, translate

from jwtgate.config.expressions import compiled_expression


def on(**config: Any) -> dict[str, Any]:
    return translate(service({"name": "jwt", "config": config})).document


def issuer(**config: Any) -> dict[str, Any]:
    (found,) = on(**config)["issuers"].values()
    return dict(found)


def answers(**config: Any) -> dict[str, Any]:
    return dict(on(**config)["routes"]["r"]["answers"])


def test_a_token_may_stand_in_query_cookie_and_header() -> None:
    slot = on(uri_param_names=["jwt", "t"], cookie_names=["c"], header_names=["x-a"])["routes"]["r"]["slots"]["jwt"]
    field = {"header": "x-a", "prefix": ["Bearer ", "bearer "], "blanks_after_prefix": True}
    assert slot["from"] == [{"query": "jwt"}, {"query": "t"}, {"cookie": "c"}, field]
    assert slot["equal_tokens_count_once_for_legacy_clients"]


def test_a_parameter_that_can_be_written_in_several_ways_is_not_read() -> None:
    translation = translate(service({"name": "jwt", "config": {"uri_param_names": ["a b"]}}))
    assert [source for source in translation.document["routes"]["r"]["slots"]["jwt"]["from"] if "query" in source] == []
    assert "routes/r/plugins/jwt/config/uri_param_names" in not_exact(translation)


def test_no_time_is_looked_at_unless_told() -> None:
    flags = {f"{name}_not_looked_at_for_legacy_tokens" for name in ("exp", "nbf", "iat")}
    assert flags <= issuer().keys()
    assert flags & issuer(claims_to_verify=["exp", "nbf"]).keys() == {"iat_not_looked_at_for_legacy_tokens"}
    assert "exp_optional_for_legacy_tokens" not in issuer(claims_to_verify=["exp"])
    assert issuer(claims_to_verify=["nbf"])["nbf_required"]
    assert issuer()["leeway_seconds"] == 0


def test_a_longest_life_is_counted_from_now() -> None:
    assert issuer(claims_to_verify=["exp"], maximum_expiration=300)["max_remaining_seconds"] == 300
    assert "max_remaining_seconds" not in issuer()


def test_the_credential_is_named_in_the_claims_or_the_header() -> None:
    assert issuer()["consumers"] == {"claim": ["iss"], "header": "iss"}
    assert issuer(key_claim_name="kid")["consumers"] == {"claim": ["kid"], "header": "kid"}
    assert issuer(secret_is_base64=True)["consumers"]["base64_for_legacy_credentials"] is True


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("credential_missing", {"message": "Unauthorized"}),
        ("credential_repeated", {"message": "Multiple tokens provided"}),
        ("credential_malformed", {"message": "Unrecognizable token"}),
        ("token_malformed", {"message": "Bad token; invalid JSON"}),
        ("alg_unreadable", {"message": "Bad token; invalid alg"}),
        ("claims_unreadable", {"message": "Bad token; invalid claims"}),
        ("signature_unreadable", {"message": "Bad token; invalid signature"}),
        ("credential_not_named", {"message": "No mandatory 'sub' in claims"}),
        ("credential_name_malformed", {"message": "Invalid 'sub' in claims"}),
        ("credential_unknown", {"message": "No credentials found for given 'sub'"}),
        ("alg_not_allowed", {"message": "Invalid algorithm"}),
        ("key_unknown", {"message": "Invalid key/secret"}),
        ("signature_wrong", {"message": "Invalid signature"}),
        ("token_lives_too_long", {"exp": "exceeds maximum allowed expiration"}),
    ],
)
def test_every_refusal_is_worded_as_kong_words_it(reason: str, body: dict[str, str]) -> None:
    answer = answers(key_claim_name="sub")[reason]
    assert (answer["status"], json.loads(answer["body"])) == (401, body)
    error = "" if reason == "credential_missing" else ' error="invalid_token"'
    assert answer["headers"]["WWW-Authenticate"] == f"Bearer{error}"


@pytest.mark.parametrize(
    ("exp", "nbf", "body"),
    [
        ("token_expired", "", {"exp": "token expired"}),
        ("", "token_not_yet_valid", {"nbf": "token not valid yet"}),
        ("time_missing", "", {"exp": "must be a number"}),
        ("", "time_malformed", {"nbf": "must be a number"}),
        ("token_expired", "token_not_yet_valid", {"exp": "token expired", "nbf": "token not valid yet"}),
        ("time_malformed", "time_missing", {"exp": "must be a number", "nbf": "must be a number"}),
        ("token_lives_too_long", "token_not_yet_valid", {"nbf": "token not valid yet"}),
    ],
)
def test_what_is_wrong_with_both_times_is_told_at_once(exp: str, nbf: str, body: dict[str, str]) -> None:
    for reason in ("token_expired", "token_not_yet_valid", "time_missing", "time_malformed", "time_in_milliseconds"):
        told = compiled_expression(answers()[reason]["body"]["cel"])({"refusal": {"exp": exp, "nbf": nbf}})
        assert json.loads(str(told)) == body


def test_a_realm_stands_in_every_challenge() -> None:
    told = answers(realm="R")
    assert told["credential_missing"]["headers"]["WWW-Authenticate"] == 'Bearer realm="R"'
    assert told["signature_wrong"]["headers"]["WWW-Authenticate"] == 'Bearer realm="R", error="invalid_token"'


def test_the_upstream_learns_who_it_is_and_the_token_goes_on() -> None:
    route = on()["routes"]["r"]
    assert route["headers"] == {
        "X-Consumer-ID": {"consumer": "id"},
        "X-Consumer-Custom-ID": {"consumer": "external_id"},
        "X-Consumer-Username": {"consumer": ["labels", "username"]},
        "X-Credential-Identifier": {"consumer": "credential"},
        "X-Anonymous-Consumer": {"cel": "null"},
    }
    assert route["forward_token"]
