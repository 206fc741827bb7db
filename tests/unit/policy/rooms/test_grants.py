from __future__ import annotations

import pytest

from jwtgate.policy.requirements import Grants
from jwtgate.policy.rooms.grants import MOST_PERMISSIONS, granted, unreadable

CLAIM = Grants(permissions=("scope",))


@pytest.mark.parametrize(
    ("value", "permissions"),
    [
        ("a b", ("a", "b")),
        ("a  a", ("a",)),
        ("", ()),
        (["b", " a ", ""], ("b", "a")),
        (["a b"], ("a b",)),
        (["a", 1], ()),
        (None, ()),
        (7, ()),
        ({"a": 1}, ()),
    ],
)
def test_a_claim_is_text_split_at_blanks_or_a_list_of_texts(value: object, permissions: tuple[str, ...]) -> None:
    assert granted(CLAIM, {"scope": value}) == permissions  # type: ignore[dict-item]


def test_a_claim_that_is_not_there_grants_nothing() -> None:
    assert granted(CLAIM, {}) == ()
    assert granted(Grants(), {"scope": "a"}) == ()


def test_the_claim_comes_first_then_roles_then_any_role_then_what_they_imply() -> None:
    grants = Grants(
        permissions=("scope",),
        roles=("roles",),
        of_role={"r1": ("b",), "*": ("default",)},
        implied={"a": ("c",), "b": ("e",), "c": ("d",), "d": ("a",)},
    )
    assert granted(grants, {"scope": "a", "roles": "r1"}) == ("a", "b", "default", "c", "d", "e")


def test_any_role_counts_for_every_token_that_has_the_claim_whatever_its_form() -> None:
    grants = Grants(
        roles=("realm", "roles"), of_role={"admin": ("foo", "bar"), "*": ("default",)}, implied={"bar": ("x",)}
    )
    assert granted(grants, {"realm": {"roles": ["admin", "nobody"]}}) == ("foo", "bar", "default", "x")
    assert granted(grants, {"realm": {"roles": True}}) == ("default",)
    assert granted(grants, {"realm": {}}) == ()


def test_sec_48_a_role_named_by_a_star_grants_what_the_map_says_and_no_more() -> None:
    grants = Grants(roles=("roles",), of_role={"admin": ("all",)})
    assert granted(grants, {"roles": ["*"]}) == ()
    assert granted(grants, {"roles": ["ADMIN", "admin "]}) == ()


def test_sec_48_circles_end_and_depth_is_walked_before_breadth() -> None:
    implied = {"a": ("b", "c"), "b": ("d", "a"), "c": ("c",), "d": ()}
    assert granted(Grants(permissions=("p",), implied=implied), {"p": "a"}) == ("a", "b", "c", "d")


def test_sec_48_what_is_implied_is_bounded() -> None:
    implied = {str(n): (str(n + 1),) for n in range(2 * MOST_PERMISSIONS)}
    assert len(granted(Grants(permissions=("p",), implied=implied), {"p": "0"})) == MOST_PERMISSIONS


def test_claims_that_were_to_grant_something_and_cannot_are_told() -> None:
    grants = Grants(permissions=("scope",), roles=("role",), of_role={"*": ("z",)})
    assert unreadable(grants, {"scope": "a", "role": ["r"]}) == ()
    assert unreadable(grants, {}) == ()
    assert unreadable(grants, {"scope": True, "role": ["r", 7]}) == (("permissions", True), ("roles", ["r", 7]))
    assert unreadable(Grants(), {"scope": True}) == ()
