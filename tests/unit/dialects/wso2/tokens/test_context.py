from __future__ import annotations

import pytest
from tests.unit.dialects.wso2.tokens.told import NOON, given, told

from jwtgate.dialects.wso2.tokens.context import Api, Application, Subscription, User, context_of


def test_all_that_was_told_has_a_name() -> None:
    user = {"id": "user:ann@carbon.super", "attributes": {"claims": {"x": "y"}, "federated": True}}
    found = context_of(
        told(
            claims={"sub": "ann", "aut": "APPLICATION", "scope": "a b", "jti": "j", "exp": 7.0, "grants": {"g": 1}},
            consumers={"user": user, "owner": None},
            request={"method": "GET", "path": "/p/x"},
        ),
        given(),
    )
    assert (found.token.kind, found.token.user, found.token.scopes) == ("opaque", "ann", ("a", "b"))
    assert (found.token.id, found.token.exp, found.token.consumer_key) == ("j", 7, "ck2")
    assert found.token.is_application_token
    assert found.api == Api("/p/1", "P", "1", "/p")
    assert found.application == Application("2", "u", "app2", "Gold", "admin", {"a": "b", "c": ""}, "PRODUCTION")
    assert found.subscription == Subscription("Silver", "sub")
    assert (found.user, found.owner) == (User("ann@carbon.super", {"x": "y"}, federated=True), None)
    assert (found.method, found.path, found.now, found.grants) == ("GET", "/p/x", NOON, {"g": 1})


def test_a_caller_nobody_knows_has_a_token_and_nothing_else() -> None:
    found = context_of(told(None, consumer=None, claims={"sub": 7, "scope": ["a"], "grants": {"x": 1}}), given())
    assert (found.token.kind, found.token.user, found.token.scopes) == ("jwt", None, ("a",))
    assert found.token.claims["grants"] == {"x": 1}  # a claim like any other
    assert (found.application, found.subscription, found.method, found.grants) == (None, None, None, {})
    assert context_of(told(None, claims={}), given()).token.scopes == ("default",)


def test_what_a_known_token_says_besides_is_its_claims() -> None:
    found = context_of(told("jwt", claims={"sub": "ann", "claims": {"email": "x"}}), given())
    assert (found.token.kind, found.token.claims) == ("jwt", {"email": "x"})


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("a  b", ("a", "b")),
        (["a", 7, "b"], ("a", "b")),
        ("", ("default",)),
        ([], ("default",)),
        (7, ("default",)),
        (True, ("default",)),
        ({"a": 1}, ("default",)),
        (None, ("default",)),
    ],
)
def test_scopes_are_texts_whatever_the_claim_is(scope: object, scopes: tuple[str, ...]) -> None:
    assert context_of(told(None, claims={"scope": scope}), given()).token.scopes == scopes


def test_no_jwt_passes_for_what_it_is_not() -> None:
    claims = {"iss": "i", "sub": "ann", "kind": "basic", "claims": {"email": "x"}, "grants": {"email": "y"}}
    found = context_of(told(None, claims=claims), given())
    assert (found.token.kind, found.grants, found.token.claims) == ("jwt", {}, claims)


def test_what_was_told_shows_no_claim() -> None:
    claims = {"sub": "ann", "email": "secret", "grants": {"a": "secret"}}
    user = {"id": "user:ann@carbon.super", "attributes": {"claims": {"x": "secret"}}}
    for kind in (None, "opaque"):
        assert "secret" not in repr(context_of(told(kind, claims=claims, consumers={"user": user}), given()))
