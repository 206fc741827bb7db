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
