"""What of a request takes part in a route, besides its credentials."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.plans import ISSUE, ROUTE, SLOT, UPSTREAM, Expr, told

from jwtgate.config.compile.taking_part import asks_for_path, may_ask, may_be_remembered
from jwtgate.config.expressions import compiled_expression
from jwtgate.policy.calls.call import Call
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Answer, IdentityField, Origin, PermissionNeed, Value
from jwtgate.policy.rate_limits import CountedBy, RateLimit
from jwtgate.policy.requirements import Dpop, Place, Source
from jwtgate.policy.traffic.forwarding import RespondWorded, Rewriting
from jwtgate.policy.traffic.upstreams import NOWHERE

CLAIM = Value(Origin.CLAIM, slot="access", path=("sub",))
SAID = told(lambda _: "x")
OF_CALLER = told(lambda _: "x", of_request=False)
CONSTANT = Value(Origin.CONSTANT)
EXPRESSIONS = {
    "token.access.sub + consumer.name": True,
    "permissions": True,
    "'x'": True,
    "token.access.sub + request.path": False,
    "request.headers": False,
    "now": False,
}


def deciding(value: Value) -> dict[str, dict[str, Any]]:
    """Every place of a route whose value takes part in what is decided or sent on."""
    field = IdentityField(b"X-A", value)
    return {
        "slot": {"slots": (replace(SLOT, sources=(Source(Place.VALUE, "", value=value),)),)},
        "claims": {"slots": (replace(SLOT, claims_equal=value),)},
        "issue": {"issue": (replace(ISSUE, set=(("a", value),)),)},
        "headers": {"identity": (field,)},
        "request_headers": {"sent_fields": (field,)},
        "response_headers": {"answer_fields": (field,)},
        "permission": {"permission": PermissionNeed(otherwise=value)},
        "log": {"log": (("a", value),)},
    }


def besides(value: Value) -> dict[str, dict[str, Any]]:
    """Every place of a route whose value is worked out each time, or belongs to an answer of ours."""
    call = Call("who", UPSTREAM, value, CONSTANT)
    return {
        "rewrite": {"rewriting": Rewriting(path_value=value)},
        "query": {"rewriting": Rewriting(query_value=value)},
        "limit": {"rate_limit": RateLimit(1, 1, CountedBy.VALUE, value)},
        "calls": {"calls": (call,)},
        "respond": {"respond": RespondWorded(CONSTANT, value, CONSTANT), "upstream": NOWHERE},
    }


def answering(value: Value) -> dict[str, dict[str, Any]]:
    """Every place of an answer to a refusal."""
    answers = [Answer(status=value), Answer(body=value), Answer(content_type=value), Answer(log=(("a", value),))]
    return {str(number): {"answers": {"*": each}} for number, each in enumerate(answers)} | {
        "slot": {"slot_answers": {"access": {"*": Answer(fields=((b"a", value),))}}}
    }


def names(of: Any) -> Any:
    return pytest.mark.parametrize("place", of(CLAIM))


def route(changes: dict[str, Any]) -> Route:
    return replace(ROUTE, **changes)


def test_a_route_that_looks_at_credentials_alone_is_remembered() -> None:
    assert may_be_remembered(ROUTE)
    assert not asks_for_path(ROUTE)


@names(deciding)
def test_what_looks_at_the_request_is_decided_each_time(place: str) -> None:
    for value in (CLAIM, OF_CALLER) if place != "permission" else (CLAIM,):
        assert may_be_remembered(route(deciding(value)[place]))
    for value in (SAID, Value(Origin.PATH), Value(Origin.ID)):
        assert not may_be_remembered(route(deciding(value)[place]))


@names(deciding)
def test_an_expression_is_of_what_it_names(place: str) -> None:
    for text, is_of_credentials in EXPRESSIONS.items():
        value = Value(Origin.EXPRESSION, expression=compiled_expression(text))
        assert may_be_remembered(route(deciding(value)[place])) is is_of_credentials


@names(besides)
def test_what_is_worked_out_each_time_is_never_remembered(place: str) -> None:
    assert not may_be_remembered(route(besides(CLAIM)[place]))


@names(answering)
def test_what_a_refusal_says_has_no_part_in_what_is_allowed(place: str) -> None:
    assert may_be_remembered(route(answering(SAID)[place]))


@pytest.mark.parametrize(
    "changes",
    [
        {"upstream": NOWHERE},
        {"rate_limit": RateLimit(1, 1)},
        {"body_first_bytes": 1},
        {"issue": (replace(ISSUE, reuse=False),)},
        {"permission": PermissionNeed((("GET", CONSTANT),))},
        {"slots": (replace(SLOT, dpop=Dpop(frozenset({"ES256"}))),)},
        {"conditions": (Expr(lambda seen: seen["request"]),)},
    ],
)
def test_what_holds_for_one_request_is_not_remembered(changes: dict[str, Any]) -> None:
    assert not may_be_remembered(route(changes))


@pytest.mark.parametrize("of", [deciding, besides, answering])
def test_an_expression_and_a_parameter_look_at_the_path(of: Any) -> None:
    for place in of(CLAIM):
        assert not asks_for_path(route(of(CLAIM)[place]))
        for value in (SAID, Value(Origin.PARAMETER, parameter="a"), Value(Origin.EXPRESSION)):
            assert asks_for_path(route(of(value)[place]))


def test_a_permission_that_a_language_names_may_be_another_for_each_method() -> None:
    assert not may_be_remembered(route(deciding(OF_CALLER)["permission"]))


@pytest.mark.parametrize("of", [deciding, besides, answering])
def test_only_expressions_of_a_language_may_ask(of: Any) -> None:
    for place in of(CLAIM):
        assert may_ask(route(of(SAID)[place]))
        for value in (CLAIM, CONSTANT, Value(Origin.EXPRESSION), Value(Origin.PATH)):
            assert not may_ask(route(of(value)[place]))
