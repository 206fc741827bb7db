from __future__ import annotations

import pytest
from tests.unit.dialects.wso2.tokens.told import D, given, told

from jwtgate.dialects.wso2.tokens.context import context_of
from jwtgate.dialects.wso2.tokens.generator import BackendJwtGenerator, copied_claims, merged


def test_the_dialect_is_told_without_what_stands_behind_it() -> None:
    dialects = [BackendJwtGenerator(given(prefix=prefix)).get_dialect_uri() for prefix in (D, "/", "")]
    assert dialects == ["http://wso2.org/claims", "/", ""]


def test_claims_of_the_caller_s_jwt_are_taken_over_in_the_last_generation() -> None:
    claims = {"iss": "i", "sub": "ann", "aud": "a", "exp": 1, "email": "e", "aut": "x", "secret": "s", "o": "n"}
    claims[f"{D}identity/secretkey"] = "s"
    settings = given(profile="v4", excluded=("secret",), mappings={"i": {"o": "renamed"}})
    context = context_of(told(None, claims=claims), settings)
    assert BackendJwtGenerator(settings).populate_custom_claims(context) == {"email": "e", "renamed": "n"}
    shown = given(profile="v4", identity_claims=True)
    assert f"{D}identity/secretkey" in (BackendJwtGenerator(shown).populate_custom_claims(context) or {})
    earlier = given(profile="v3")
    assert BackendJwtGenerator(earlier).populate_custom_claims(context) == {}


def test_an_issuer_s_mapping_is_its_own() -> None:
    settings = given(mappings={"i": {"o": "renamed"}})
    assert copied_claims({"iss": "i", "o": 1}, settings) == {"renamed": 1}
    assert copied_claims({"iss": "j", "o": 1}, settings) == {"o": 1}


def test_which_claim_stands_the_generation_says() -> None:
    standard, custom = {"a": "s", "b": "s", "n": None}, {"c": "c", "a": "c"}
    assert merged(standard, custom, given(custom_first=True)) == {"a": "c", "b": "s", "c": "c"}
    assert merged(standard, custom, given()) == {"a": "s", "b": "s", "c": "c"}
    assert list(merged(standard, custom, given())) == ["a", "b", "c"]
    dropping = given(profile="v4", drop_unparsable=True)
    assert merged({"a": "{"}, {}, dropping) == {}


@pytest.mark.parametrize("prefix", [D, "urn:x/", "/", ""])
@pytest.mark.parametrize("name", ["identity/secretkey", f"{D}identity/secretkey", "a/identity/b"])
def test_claims_about_how_a_user_logs_in_never_leave_in_any_dialect(prefix: str, name: str) -> None:
    user = {"id": "user:ann@carbon.super", "attributes": {"claims": {name: "secret", "role": "r"}}}
    for hidden, expected in ((False, 1), (True, 2)):
        settings = given(prefix=prefix, retriever="user-store", identity_claims=hidden)
        context = context_of(told(consumers={"user": user}), settings)
        assert len(BackendJwtGenerator(settings).populate_custom_claims(context) or {}) == expected
    granted = context_of(told(claims={"sub": "ann", "grants": {name: "secret"}}), given(prefix=prefix))
    assert BackendJwtGenerator(given(prefix=prefix)).populate_custom_claims(granted) == {}


def test_claims_are_excluded_by_the_names_they_are_mapped_to() -> None:
    settings = given(profile="v4", excluded=("renamed", "kept"), mappings={"i": {"o": "renamed"}})
    context = context_of(told(None, claims={"iss": "i", "sub": "ann", "o": 1, "Kept": 2, "kept/x": 3}), settings)
    assert BackendJwtGenerator(settings).populate_custom_claims(context) == {"Kept": 2, "kept/x": 3}


@pytest.mark.parametrize(
    "name",
    ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "application", "tierInfo", "subscribedAPIs", "aut"],
)
def test_what_is_about_the_caller_s_token_stays_behind_whatever_it_is_mapped_to(name: str) -> None:
    assert copied_claims({"iss": "i", name: "x"}, given(mappings={"i": {name: "y"}})) == {}


def test_an_issuer_that_is_no_text_has_no_mapping() -> None:
    assert copied_claims({"iss": ["i"], "o": 1}, given(mappings={"i": {"o": "renamed"}})) == {"o": 1}
