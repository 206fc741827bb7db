"""Tokens of ours: what a route makes of a caller's token, and what is made on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


def issuing(**keys: object) -> dict[str, Any]:
    return {"routes/orders/issue": {"audience": "https://orders.internal", **keys}}


@pytest.mark.parametrize(
    ("copy", "copied"),
    [
        ("all", "all"),
        ("sub", ((("sub",), "sub"),)),
        (["sub", "realm_access.roles"], ((("sub",), "sub"), (("realm_access", "roles"), "roles"))),
        ({"groups[0]": "group", "sub": "user"}, ((("groups", 0), "group"), (("sub",), "user"))),
        (["sub", {"email": "mail"}, ["a", 1, "b"]], ((("sub",), "sub"), (("email",), "mail"), (("a", 1, "b"), "b"))),
        ([], ()),
    ],
)
def test_claims_are_copied_under_a_name(load: Load, copy: object, copied: object) -> None:
    (issue,) = load(issuing(copy=copy)).routes["orders"].issue or ()
    assert issue.copied == copied


@pytest.mark.parametrize(
    "copy", ["a..b", ["groups[0]"], {"a": 1}, {"a": ""}, [["a", "b"], "b"], {"a": "x", "b": "x"}, 1, None]
)
def test_what_cannot_be_copied_is_refused(mistakes: Find, copy: object) -> None:
    assert len(mistakes(issuing(copy=copy))) == 1


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "nbf", "jti"])
def test_sec_158_claims_that_are_ours_cannot_be_set_otherwise(mistakes: Find, name: str) -> None:
    for keys in ({"copy": [name]}, {"copy": {"x": name}}, {"add": {name: 1}}, {"set": {name: 1}}, {"remove": [name]}):
        (mistake,) = mistakes(issuing(**keys))
        assert "are set by the gateway alone" in mistake


def test_an_audience_is_needed(mistakes: Find) -> None:
    assert mistakes({"routes/orders/issue": {}}) == ["routes.orders.issue.audience: is missing"]
    assert mistakes(issuing(audience=[])) == ["routes.orders.issue.audience: must not be empty"]


@pytest.mark.parametrize("ttl", [0, 86401, "300", 1.5])
def test_a_life_has_bounds(mistakes: Find, ttl: object) -> None:
    assert len(mistakes(issuing(ttl_seconds=ttl))) == 1


def test_a_token_in_authorization_needs_a_scheme(mistakes: Find) -> None:
    assert len(mistakes(issuing(header="authorization"))) == 1
    assert mistakes(issuing(header="Authorization", scheme="Bearer")) == []
    assert len(mistakes(issuing(scheme="two words"))) == 1


@pytest.mark.parametrize("header", ["Host", "Content_Length", "Transfer-Encoding", "Connection", "X-Forwarded-For"])
def test_a_token_never_stands_in_a_field_that_frames_a_message(mistakes: Find, header: str) -> None:
    (mistake,) = mistakes(issuing(header=header))
    assert mistake.startswith("routes.orders.issue.header: a field the gateway itself is responsible for")


def test_an_audience_may_be_that_of_the_incoming_token(load: Load, mistakes: Find) -> None:
    (issue,) = load(issuing(audience="same_as_incoming")).routes["orders"].issue or ()
    assert issue.audience is None
    assert mistakes(issuing(audience=["a", "same_as_incoming"])) == [
        "routes.orders.issue.audience: the word same_as_incoming stands alone"
    ]
    assert mistakes(issuing(audience=None)) == ["routes.orders.issue.audience: must name an audience"]


@pytest.mark.parametrize("name", ["alg", "typ", "kid", "jku", "x5c", "crit", "b64", ""])
def test_header_parameters_that_decide_how_a_token_is_verified_are_ours(mistakes: Find, name: str) -> None:
    assert len(mistakes(issuing(headers={name: "x"}))) == 1
    assert mistakes(issuing(headers={"cty": "JWT", "x": [1]})) == []


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"exp_shift_seconds": -60}, "exp_shift_seconds needs lifetime: incoming"),
        ({"exp_shift_seconds": 60, "lifetime": "incoming"}, "needs may_outlive_incoming_token"),
        ({"reuse": False, "reuse_margin_seconds": 5}, "reuse_margin_seconds needs reuse"),
        ({"claim_prefix": "i", "add": {"ss": 1}}, "which are the gateway's own"),
        ({"claim_prefix": "a", "set": {"ud": 1}}, "which are the gateway's own"),
        ({"lifetime": "forever"}, "must be 'ttl' or 'incoming'"),
        ({"encoding_unlike_rfc7515": "hex"}, "must be 'base64' or 'base64-unpadded'"),
        ({"omit_for_legacy_upstream": ["sub"]}, "must be 'iss', 'aud', 'iat' or 'jti'"),
        ({"omit_for_legacy_upstream": ["exp"]}, "must be 'iss', 'aud', 'iat' or 'jti'"),
        ({"when": "x"}, "names x;"),
    ],
)
def test_what_does_not_fit_together_is_refused(mistakes: Find, keys: dict[str, Any], sentence: str) -> None:
    (mistake,) = mistakes(issuing(**keys))
    assert sentence in mistake


def test_sec_157_an_exp_moves_freely_only_backwards(mistakes: Find) -> None:
    assert mistakes(issuing(lifetime="incoming", exp_shift_seconds=-60)) == []
    assert mistakes(issuing(lifetime="incoming", exp_shift_seconds=60, may_outlive_incoming_token=True)) == []


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        ({}, "audience: is missing"),
        ({"audience": "a", "claims": {"iss": "x"}}, "are set by the gateway alone"),
        ({"audience": "a", "copy": "all"}, "is no key of this section"),
        ({"audience": "a", "headers": {"kid": "x"}}, "is the gateway's own"),
    ],
)
def test_sec_38_a_profile_describes_a_token_from_nobodys_token(
    mistakes: Find, profile: dict[str, Any], sentence: str
) -> None:
    (mistake,) = mistakes({"signing/profiles": {"machine": profile}})
    assert mistake.startswith("signing.profiles.machine")
    assert sentence in mistake
    assert mistakes({"signing/profiles": {"machine": {"audience": ["a"], "claims": {"role": ["x"]}}}}) == []


REGISTERED = {"copy": "all", "copy_registered_for_legacy_upstream": True, "audience": "same_as_incoming"}


def test_with_all_claims_some_may_be_copied_once_more(load: Load) -> None:
    (issue,) = load(issuing(copy="all", also_copy={"iss": "original_iss", "a.b": "c"})).routes["orders"].issue or ()
    assert issue.also_copy == ((("iss",), "original_iss"), (("a", "b"), "c"))


@pytest.mark.parametrize("also", ["all", [], {}, ["iss"], {"iss": ""}, {"iss": 1}, {"iss": "aud"}])
def test_what_is_copied_once_more_has_a_new_name(mistakes: Find, also: object) -> None:
    assert len(mistakes(issuing(copy="all", also_copy=also))) == 1


def test_registered_claims_may_be_worded_where_they_are_taken_over(mistakes: Find) -> None:
    changes = {"set": {"aud": ["x"], "iat": 1}, "add": {"jti": {"request": "path"}}, "remove": ["nbf", "sub"]}
    assert mistakes(issuing(**REGISTERED, **changes)) == []
    for name in ("iss", "exp"):
        for keys in ({"also_copy": {"x": name}}, {"add": {name: 1}}, {"set": {name: 1}}, {"remove": [name]}):
            (mistake,) = mistakes(issuing(**REGISTERED, **keys))
            assert mistake == "routes.orders.issue: iss and exp are set by the gateway alone"


@pytest.mark.parametrize(
    ("keys", "needed"),
    [
        ({"also_copy": {"iss": "x"}}, "also_copy stands beside copy: all only"),
        ({"copy_registered_for_legacy_upstream": True, "copy": ["sub"]}, "needs copy: all"),
        ({"no_exp_when_incoming_has_none_for_legacy_upstream": True}, "needs lifetime: incoming"),
    ],
)
def test_legacy_ways_of_a_token_need_each_other(mistakes: Find, keys: dict[str, Any], needed: str) -> None:
    (mistake,) = mistakes(issuing(**keys))
    assert mistake.endswith(needed)


def test_two_tokens_of_a_route_never_share_a_field(mistakes: Find) -> None:
    two = [{"audience": "a"}, {"audience": "b", "header": "x_jwt_assertion"}]
    (mistake,) = mistakes({"routes/orders/issue": two})
    assert "sets the same field" in mistake


def test_a_plug_in_is_told_more_where_there_is_one(load: Load, mistakes: Find) -> None:
    told = {"request": True, "consumers": {"user": {"value": {"claim": "sub"}, "by": "id", "prefix": "user:"}}}
    assert mistakes(issuing(generator_told=told)) == ["routes.orders.issue: generator_told needs generator"]
    (issue,) = load(issuing(generator="acme", generator_told=told)).routes["orders"].issue or ()
    assert issue.generator_told.consumers["user"].by == ("id",)
    for wrong in ({"consumers": {"user": {}}}, {"consumers": {"user": {"value": 1, "by": "age"}}}, {"token": True}):
        assert mistakes(issuing(generator="acme", generator_told=wrong))


@pytest.mark.parametrize("alg", ["None", "HS256", "", True])
def test_sec_38_only_two_words_leave_a_token_unsigned(mistakes: Find, alg: object) -> None:
    assert mistakes(issuing(unsigned_with_alg_for_legacy_upstream="NONE")) == []
    assert len(mistakes(issuing(unsigned_with_alg_for_legacy_upstream=alg))) == 1
