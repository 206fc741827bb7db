from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import ROUTE, SLOT, Expr, known, principal, proven, reason, refusal, request, told

from jwtgate.errors import ScopeRefused
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Origin, PermissionNeed, Value
from jwtgate.policy.requirements import ScopeNeed
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal
from jwtgate.policy.rooms.permissions import check_permissions, check_scope, granted_scope


def need(*all_of: str, any_of: tuple[str, ...] = ()) -> ScopeNeed:
    return ScopeNeed(all_of=frozenset(all_of), any_of=tuple(frozenset(words.split()) for words in any_of))


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
    assert granted_scope(scope) == granted


def test_sec_47_scope_may_lie_elsewhere_or_nowhere() -> None:
    asked = ScopeNeed(("realm", "roles"), frozenset({"a"}))
    check_scope(asked, {"realm": {"roles": ["a"]}})
    assert reason(lambda: check_scope(asked, {"scope": "a"})) == "scope_missing"
    assert reason(lambda: check_scope(asked, {"scope": "a", "realm": {"roles": None}})) == "scope_insufficient"


@pytest.mark.parametrize(
    "asked",
    [
        *(need(), need("a"), need("a", "b"), need(any_of=("a", "x")), need("a", any_of=("b", "x"))),
        *(need(any_of=("x", "a b")), need(any_of=("a b c",)), need("c", any_of=("x y", "b a"))),
    ],
)
def test_sec_47_enough_scope_lets_pass(asked: ScopeNeed) -> None:
    check_scope(asked, {"scope": "a b c"})


@pytest.mark.parametrize(
    "asked",
    [
        need("x"),
        need("a", "x"),
        need(any_of=("x", "y")),
        need("a", any_of=("x",)),
        need("A"),
        need("ab"),
        need("a b"),
        need(any_of=("a x",)),
        need(any_of=("a x", "y")),
        need("x", any_of=("a b",)),
    ],
)
def test_sec_47_anything_less_is_refused(asked: ScopeNeed) -> None:
    assert reason(lambda: check_scope(asked, {"scope": "a b c"})) == "scope_insufficient"


def test_sec_47_a_missing_scope_is_a_403_that_names_what_is_needed() -> None:
    for claims, why in (({}, "scope_missing"), ({"scope": "x"}, "scope_insufficient")):
        error = refusal(lambda claims=claims: check_scope(need("b", "a", any_of=("c d",)), claims))
        assert isinstance(error, ScopeRefused)
        assert (error.reason, error.status, error.scope) == (why, 403, ("a", "b", "c", "d"))
        assert error.oauth_error == "insufficient_scope"


def test_each_slot_asks_its_own_token() -> None:
    channel = replace(SLOT, name="channel", scope=need("c"))
    route = replace(ROUTE, slots=(replace(SLOT, scope=need("a")), channel))
    both = principal(access=proven(scope="a"), channel=proven(scope="c"))
    check_permissions(known(both, route=route))
    swapped = principal(access=proven(scope="c"), channel=proven(scope="a"))
    assert reason(lambda: check_permissions(known(swapped, route=route))) == "scope_insufficient"
    check_permissions(known(principal(access=proven(scope="a")), route=route))


def test_nothing_is_asked_of_a_caller_who_presents_nothing() -> None:
    check_permissions(known(route=replace(ROUTE, slots=(replace(SLOT, scope=need("a")),))))
    check_permissions(known(principal(access=proven())))


READ, EMPTY = Value(Origin.CONSTANT, constant="read"), Value(Origin.CONSTANT, constant="")
GRANTED = replace(principal(access=proven()), permissions=("read", "list"))


def asking(*by_method: tuple[str, Value], otherwise: Value | None = None) -> Route:
    return replace(ROUTE, permission=PermissionNeed(by_method, otherwise))


def checked(route: Route, who: Principal = GRANTED, method: str = "GET") -> None:
    check_permissions(known(who, route=route, view=request(method=method)))


def test_a_permission_that_is_granted_lets_pass_and_any_other_is_a_403_naming_it_in_the_log() -> None:
    checked(asking(otherwise=READ))
    error = refusal(lambda: checked(asking(otherwise=Value(Origin.CONSTANT, constant="rea"))))
    assert (error.reason, error.status) == ("permission_missing", 403)
    assert error.detail == {"permission": "rea", "granted": ["read", "list"]}
    assert "rea" not in error.sentence.split()


def test_a_permission_is_asked_of_a_caller_who_presents_nothing_too() -> None:
    assert reason(lambda: checked(asking(otherwise=READ), ANONYMOUS)) == "permission_missing"


def test_the_empty_text_asks_for_nothing() -> None:
    checked(asking(otherwise=EMPTY), ANONYMOUS)
    checked(asking(("PUT", READ), ("GET", EMPTY)), ANONYMOUS)


def test_a_method_that_is_not_named_is_refused_or_asks_what_all_others_ask() -> None:
    checked(asking(("GET", READ)))
    error = refusal(lambda: checked(asking(("GET", READ)), method="PUT"))
    assert (error.reason, error.status) == ("method_not_permitted", 405)
    checked(asking(("GET", READ), otherwise=EMPTY), method="PUT")


def test_a_permission_may_be_named_by_the_request() -> None:
    route = asking(otherwise=Value(Origin.FIELD, field=b"x-needs"))
    check_permissions(known(GRANTED, route=route, view=request((b"x-needs", b"list"))))
    for value in (b"admin", b""):
        view = request((b"x-needs", value))
        assert reason(lambda: check_permissions(known(GRANTED, route=route, view=view))) == "permission_missing"  # noqa: B023
    assert reason(lambda: checked(route)) == "permission_missing"


def test_every_condition_must_be_true() -> None:
    yes, no = Expr(lambda seen: seen["request"]["method"] == "GET"), Expr(lambda _: False, text="never")
    checked(replace(ROUTE, conditions=(yes, yes)))
    error = refusal(lambda: checked(replace(ROUTE, conditions=(yes, no))))
    assert (error.reason, error.status, error.detail) == ("condition_not_met", 403, {"expression": "never"})
    assert reason(lambda: checked(replace(ROUTE, conditions=(yes,)), method="PUT")) == "condition_not_met"


def asked(found: object, method: str = "GET", granted: tuple[str, ...] = ("read",)) -> None:
    route = replace(ROUTE, permission=PermissionNeed(otherwise=told(lambda _: found)))
    view = replace(request(), method=method)
    check_permissions(known(Principal({}, permissions=granted), route=route, view=view))


def test_an_installed_language_names_a_permission_or_none() -> None:
    asked("read")
    asked("", granted=())
    for granted in (("write",), ()):
        error = refusal(lambda granted=granted: asked("read", granted=granted))
        assert (error.reason, error.detail) == (
            "permission_missing",
            {"permission": "read", "granted": list(granted)},
        )


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_or_permissions_by_method_where_a_star_stands_for_the_usual_ones(method: str) -> None:
    asked({"*": "read"}, method)
    asked({method.lower(): "read", "*": "write"}, method)
    asked({method: "", "*": "write"}, method)
    assert reason(lambda: asked({"*": "write"}, method)) == "permission_missing"
    assert reason(lambda: asked({"trace": "read"}, method)) == "method_not_permitted"
    assert reason(lambda: asked({}, method)) == "method_not_permitted"


def test_a_star_stands_for_no_unusual_method() -> None:
    error = refusal(lambda: asked({"*": "read", "x y": "read", "copy": "read"}, "PURGE"))
    assert (error.reason, error.detail["by"]) == ("method_not_permitted", "permission")
    assert error.detail["permitted"] == ("COPY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
    error = refusal(lambda: asked({"get": "read"}, "PURGE"))
    assert error.detail["permitted"] == ("GET",)
    asked({"*": "write", "purge": "read"}, "PURGE")


@pytest.mark.parametrize(
    "found", [None, MISSING, 7, True, ["read"], {"get": None}, {"get": 7, "post": "read"}, {"get": "read", "GET": ""}]
)
def test_sec_52_what_names_no_permission_is_a_fault_and_never_leave(found: object) -> None:
    error = refusal(lambda: asked(found))
    assert (error.reason, error.status) == ("expression_failed", 500)


def test_an_empty_text_of_any_other_value_is_a_permission_nobody_has() -> None:
    for value in (Value(Origin.EXPRESSION, expression=Expr(lambda _: "")), Value(Origin.HOST)):
        route = replace(ROUTE, permission=PermissionNeed(otherwise=value))
        nobody = known(route=route, view=replace(request(), host=""))
        assert reason(lambda nobody=nobody: check_permissions(nobody)) == "permission_missing"


def test_methods_are_permitted_before_a_permission_is_asked_for() -> None:
    need = PermissionNeed(otherwise=Value(Origin.CONSTANT, "write"))
    route = replace(ROUTE, permission=need, methods_permitted=frozenset({"GET"}))
    assert reason(lambda: check_permissions(known(route=route))) == "permission_missing"
    error = refusal(lambda: check_permissions(known(route=route, view=replace(request(), method="PUT"))))
    assert (error.reason, error.status, error.detail) == (
        "method_not_permitted",
        405,
        {"method": "PUT", "by": "methods", "permitted": ("GET",)},
    )


def test_methods_are_permitted_after_the_scope_of_the_slots() -> None:
    route = replace(ROUTE, slots=(replace(SLOT, scope=need("x")),), methods_permitted=frozenset({"GET"}))
    who = principal(access=proven(scope="a"))
    view = replace(request(), method="PUT")
    assert reason(lambda: check_permissions(known(who, route=route, view=view))) == "scope_insufficient"
