"""Asking an issuer about tokens."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jwtgate.config.sections.callers.introspection import IntrospectionSection

ASKED = {"endpoint": "https://a.example/introspect"}
CLIENT = {"client_id": "me", "client_secret": "${env:S}"}


def load(**keys: Any) -> IntrospectionSection:
    return IntrospectionSection.model_validate({**ASKED, **keys})


@pytest.mark.parametrize(
    ("keys", "by"),
    [
        (CLIENT, "basic"),
        ({**CLIENT, "auth": "post"}, "post"),
        ({**CLIENT, "auth": "client_secret_jwt", "client_assertion_alg": "HS512"}, "client_secret_jwt"),
        ({"auth": "private_key_jwt", "client_id": "me", "client_key": {"file": "k.pem"}}, "private_key_jwt"),
        ({"auth": "private_key_jwt", "client_id": "me", "client_key": {"pem": "${env:K}"},
          "client_assertion_alg": "ES256"}, "private_key_jwt"),
        ({"auth": "none"}, "none"),
        ({"auth": "none", "client_id": "me"}, "none"),
        ({"authorization": "Basic ${env:A}"}, "authorization"),
    ],
)  # fmt: skip
def test_we_prove_who_we_are_in_one_way(keys: dict[str, Any], by: str) -> None:
    assert load(**keys).authenticates_by == by


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "auth basic needs client_id, client_secret"),
        ({"client_id": "me"}, "auth basic needs client_secret"),
        ({**CLIENT, "auth": "private_key_jwt"}, "auth private_key_jwt needs client_key"),
        ({**CLIENT, "auth": "none"}, "auth none has no use for client_secret"),
        ({**CLIENT, "client_key": {"file": "k"}}, "auth basic has no use for client_key"),
        ({**CLIENT, "authorization": "x"}, "authorization stands instead of"),
        ({"auth": "basic", "authorization": "x"}, "authorization stands instead of"),
        ({**CLIENT, "client_assertion_alg": "HS256"}, "does not fit auth basic"),
        ({**CLIENT, "auth": "client_secret_jwt", "client_assertion_alg": "RS256"}, "does not fit"),
        ({"auth": "private_key_jwt", "client_id": "me", "client_key": {"file": "k"}, "client_assertion_alg": "HS256"},
         "does not fit"),
        ({"auth": "private_key_jwt", "client_id": "me", "client_key": {}}, "needs exactly one of file, pem"),
        ({**CLIENT, "auth": "digest"}, "Input should be"),
        ({**CLIENT, "endpoint": "ftp://a"}, "must be an http or https address"),
        ({**CLIENT, "discovered": True}, "needs exactly one of endpoint, discovered"),
        ({**CLIENT, "body": {"token": "x"}}, "what the gateway itself sends: token"),
        ({**CLIENT, "hint_parameter": "hint", "body": {"hint": "x"}}, "what the gateway itself sends: hint"),
        ({**CLIENT, "negative_cache_seconds": 11}, "less than or equal to 10"),
        ({**CLIENT, "attempts": 4}, "less than or equal to 3"),
        ({**CLIENT, "timeout_seconds": 0}, "greater than 0"),
        ({**CLIENT, "claims": {"exp": "a..b"}}, "must be the path of a claim"),
        ({**CLIENT, "hint": ""}, "String should have"),
    ],
)  # fmt: skip
def test_sec_68_anything_else_is_refused(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        load(**keys)


def test_an_address_is_given_or_discovered() -> None:
    with pytest.raises(ValidationError, match="needs exactly one of endpoint, discovered"):
        IntrospectionSection.model_validate(CLIENT)
    assert IntrospectionSection.model_validate({**CLIENT, "discovered": True}).endpoint is None


def test_a_hint_is_sent_unless_it_is_null() -> None:
    assert load(**CLIENT).hint == "access_token"
    assert load(**CLIENT, hint=None).hint is None


@pytest.mark.parametrize(
    ("flag", "other", "value"),
    [
        ("exp_not_looked_at_for_legacy_issuer", "exp_required", True),
        ("exp_not_looked_at_for_legacy_issuer", "max_lifetime_seconds", 60),
        ("iat_not_looked_at_for_legacy_issuer", "max_age_seconds", 60),
        ("iat_not_looked_at_for_legacy_issuer", "max_lifetime_seconds", 60),
    ],
)
def test_what_is_not_looked_at_in_an_answer_cannot_be_limited(flag: str, other: str, value: object) -> None:
    load(**{**CLIENT, flag: True, "exp_required": False})
    with pytest.raises(ValidationError, match=f"{flag} leaves nothing to do for {other}"):
        load(**{**CLIENT, flag: True, other: value})


def test_a_jwt_that_is_taken_unseen_must_lie_somewhere() -> None:
    flag = "inner_claims_not_checked_for_legacy_issuer"
    load(**{**CLIENT, flag: True, "jwt_claim": "jwt"})
    with pytest.raises(ValidationError, match=f"{flag} needs jwt_claim"):
        load(**{**CLIENT, flag: True})


def test_the_hint_is_any_text() -> None:
    for hint in ("refresh_token", "id_token", None):
        assert load(**{**CLIENT, "hint": hint}).hint == hint


BY_SECRET = {**CLIENT, "auth": "client_secret_jwt"}


def test_an_assertion_is_the_usual_one_unless_the_document_says_more() -> None:
    assert load(**BY_SECRET).client_assertion is None
    said = load(**BY_SECRET, client_assertion={"claims": {"aud": "them"}, "header": {"kid": "a"}}).client_assertion
    assert said is not None
    assert (said.lifetime_seconds, said.jti_prefix, said.aud_left_out_for_legacy_issuer) == (60, "", False)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({**BY_SECRET, "client_assertion": {"claims": {"iss": "x"}}}, "what the gateway itself says: iss"),
        ({**BY_SECRET, "client_assertion": {"claims": {"exp": 1}, "header": {"alg": "none"}}}, "itself says: alg, exp"),
        ({**BY_SECRET, "client_assertion": {"lifetime_seconds": 0}}, "greater than or equal to 1"),
        ({**BY_SECRET, "client_assertion": {"jti_prefix": "a b"}}, "match pattern"),
        ({**CLIENT, "client_assertion": {}}, "client_assertion has no use with basic"),
        ({"authorization": "x", "client_assertion": {}}, "client_assertion has no use with authorization"),
    ],
)
def test_what_is_ours_to_say_in_an_assertion_is_not_the_documents(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        load(**keys)
