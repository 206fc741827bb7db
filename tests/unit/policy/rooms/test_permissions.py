from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import ROUTE, SLOT, principal, proven, reason, refusal

from jwtgate.errors import ScopeRefused
from jwtgate.policy.requirements import ScopeNeed
from jwtgate.policy.rooms.identify import ANONYMOUS
from jwtgate.policy.rooms.permissions import check_permissions, check_scope, granted_scope


def need(*all_of: str, any_of: tuple[str, ...] = ()) -> ScopeNeed:
    return ScopeNeed(all_of=frozenset(all_of), any_of=frozenset(any_of))


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("a b", {"a", "b"}),
        ("a  b ", {"a", "b"}),
        ("", set()),
        ("a\tb", {"a\tb"}),
        ("a,b", {"a,b"}),
        (["a", "b"], {"a", "b"}),
        (["a b"], {"a b"}),
        (["a", 7, None, ["b"]], {"a"}),
        (None, set()),
        (True, set()),
        ({"a": True}, set()),
    ],
)
def test_sec_47_scope_is_text_split_at_blanks_or_a_list_taken_whole(scope: object, granted: set[str]) -> None:
    assert granted_scope({"scope": scope}, ("scope",)) == granted


def test_sec_47_scope_may_lie_elsewhere_or_nowhere() -> None:
    assert granted_scope({"realm": {"roles": ["a"]}}, ("realm", "roles")) == {"a"}
    assert granted_scope({"scope": "a"}, ("realm", "roles")) == frozenset()


@pytest.mark.parametrize(
    "asked", [need(), need("a"), need("a", "b"), need(any_of=("a", "x")), need("a", any_of=("b", "x"))]
)
def test_sec_47_enough_scope_lets_pass(asked: ScopeNeed) -> None:
    check_scope(asked, {"scope": "a b c"})


@pytest.mark.parametrize(
    "asked",
    [need("x"), need("a", "x"), need(any_of=("x", "y")), need("a", any_of=("x",)), need("A"), need("ab"), need("a b")],
)
def test_sec_47_anything_less_is_refused(asked: ScopeNeed) -> None:
    assert reason(lambda: check_scope(asked, {"scope": "a b c"})) == "scope_insufficient"


def test_sec_47_a_missing_scope_is_a_403_that_names_what_is_needed() -> None:
    error = refusal(lambda: check_scope(need("b", "a", any_of=("c",)), {}))
    assert isinstance(error, ScopeRefused)
    assert (error.status, error.oauth_error, error.scope) == (403, "insufficient_scope", ("a", "b", "c"))


def test_each_slot_asks_its_own_token() -> None:
    channel = replace(SLOT, name="channel", scope=need("c"))
    route = replace(ROUTE, slots=(replace(SLOT, scope=need("a")), channel))
    both = principal(access=proven(scope="a"), channel=proven(scope="c"))
    check_permissions(route, both)
    swapped = principal(access=proven(scope="c"), channel=proven(scope="a"))
    assert reason(lambda: check_permissions(route, swapped)) == "scope_insufficient"
    check_permissions(route, principal(access=proven(scope="a")))


def test_nothing_is_asked_of_a_caller_who_presents_nothing() -> None:
    check_permissions(replace(ROUTE, slots=(replace(SLOT, scope=need("a")),)), ANONYMOUS)
    check_permissions(ROUTE, principal(access=proven()))
