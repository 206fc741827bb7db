"""Whose requests are counted together, and what becomes of one that is one too many."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import (
    ACME,
    ISSUER,
    ROUTE,
    Expr,
    finish,
    known,
    principal,
    proven,
    reason,
    refusal,
    request,
    told,
)

from jwtgate.errors import RateRefused
from jwtgate.policy.facts import Allowance, NeedAllowance
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.rate_limits import CountedBy, RateLimit
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal
from jwtgate.policy.rooms.limits import ask_allowance, check_allowance, limit_of
from jwtgate.policy.value import Known

LIMIT = RateLimit(3, 30)
LEFT = Allowance(True, 2, 30)
ALICE = principal(access=proven())
NAMED = replace(ALICE, consumer=ACME)
OWN = replace(NAMED, consumer=replace(ACME, rate_limit=RateLimit(1, 60)))


def route(name: str = "orders", limit: RateLimit | None = LIMIT) -> Route:
    return replace(ROUTE, name=name, rate_limit=limit)


def asked(who: Known) -> NeedAllowance:
    need = next(ask_allowance(who))
    assert isinstance(need, NeedAllowance)
    return need


def counted(
    who: Principal, by: CountedBy, *, name: str = "orders", client: str = "192.0.2.7", value: Value | None = None
) -> str:
    limit = replace(LIMIT, by=by, value=value)
    return asked(known(who, route=route(name, limit), view=request(client=client))).counted


def test_who_has_no_limit_is_not_counted() -> None:
    assert finish(ask_allowance(known(NAMED))) is None
    check_allowance(None)


def test_what_is_asked_for_is_the_limit_and_what_it_leaves_is_the_answer() -> None:
    walk = ask_allowance(known(ALICE, route=route()))
    need = next(walk)
    assert isinstance(need, NeedAllowance)
    assert (need.owner, need.requests, need.window_seconds) == ("route orders", 3, 30)
    assert finish(walk, [LEFT]) == LEFT


def test_sec_143_a_request_that_nobody_counts_is_a_fault_and_never_let_through() -> None:
    walk = ask_allowance(known(ALICE, route=route()))
    next(walk)
    assert reason(lambda: walk.send(None)) == "requests_not_counted"


@pytest.mark.parametrize(
    ("who", "limit"), [(ANONYMOUS, LIMIT), (ALICE, LIMIT), (NAMED, LIMIT), (OWN, RateLimit(1, 60))]
)
def test_the_limit_of_a_consumer_stands_instead_of_that_of_the_route(who: Principal, limit: RateLimit) -> None:
    assert limit_of(route(), who) == limit
    assert asked(known(who, route=route())).requests == limit.requests


def test_a_consumer_has_its_limit_where_the_route_has_none() -> None:
    assert (asked(known(OWN)).owner, asked(known(OWN)).requests) == ("consumer acme", 1)


def test_callers_are_counted_each_alone() -> None:
    by = CountedBy.CALLER
    bob = principal(access=proven(sub="bob"))
    elsewhere = principal(access=proven(issuer=replace(ISSUER, name="other")))
    beta = replace(NAMED, consumer=replace(ACME, name="beta"))
    names = [counted(who, by) for who in (ALICE, bob, elsewhere, NAMED, beta, ANONYMOUS)]
    assert len(set(names)) == 6
    assert [counted(who, by, client="192.0.2.8") for who in (ALICE, NAMED)] == [names[0], names[3]]
    assert counted(ANONYMOUS, by, client="192.0.2.8") != names[5]


@pytest.mark.parametrize("sub", [None, 7])
def test_a_caller_without_a_name_is_known_by_its_address(sub: object) -> None:
    nameless = principal(access=proven(sub=sub))  # type: ignore[arg-type] # a claim may be anything
    assert counted(nameless, CountedBy.CALLER) == counted(ANONYMOUS, CountedBy.CALLER)


def test_the_subject_is_that_of_the_first_slot_that_has_one() -> None:
    both = principal(access=proven(sub=None), channel=proven(sub="bob"))
    assert counted(both, CountedBy.CALLER) == counted(principal(access=proven(sub="bob")), CountedBy.CALLER)


def test_clients_are_counted_by_their_address_whoever_calls() -> None:
    by = CountedBy.CLIENT
    assert counted(ALICE, by) == counted(NAMED, by) == counted(ANONYMOUS, by)
    assert counted(ALICE, by) != counted(ALICE, by, client="192.0.2.8")


def test_a_route_is_counted_as_a_whole() -> None:
    by = CountedBy.ROUTE
    assert counted(ALICE, by) == counted(NAMED, by, client="192.0.2.8")
    assert counted(ALICE, by) != counted(ALICE, by, name="invoices")


@pytest.mark.parametrize("by", list(CountedBy))
def test_each_route_counts_alone(by: CountedBy) -> None:
    value = Value(Origin.CONSTANT, constant="x")
    assert counted(ALICE, by, value=value) != counted(ALICE, by, name="invoices", value=value)


def test_a_value_is_counted_by_what_it_is() -> None:
    by, tenant = CountedBy.VALUE, Value(Origin.FIELD, field=b"x-tenant")

    def of(*fields: tuple[bytes, bytes], client: str = "192.0.2.7") -> str:
        limit = replace(LIMIT, by=by, value=tenant)
        return asked(known(ALICE, route=route(limit=limit), view=request(*fields, client=client))).counted

    assert of((b"x-tenant", b"a"), client="192.0.2.8") == of((b"x-tenant", b"a"))
    assert of((b"x-tenant", b"a")) != of((b"x-tenant", b"b"))
    assert of() == counted(ALICE, CountedBy.CLIENT) != of(client="192.0.2.8")
    number, text = (Value(Origin.CONSTANT, constant=each) for each in (1, "1"))
    assert counted(ALICE, by, value=number) != counted(ALICE, by, value=text)


def test_a_value_that_cannot_be_had_is_refused() -> None:
    limit = replace(
        LIMIT, by=CountedBy.VALUE, value=Value(Origin.EXPRESSION, expression=Expr(lambda it: it["nothing"]))
    )
    walk = ask_allowance(known(ALICE, route=route(limit=limit)))
    assert reason(lambda: next(walk)) == "condition_not_met"


@pytest.mark.parametrize("value", [float("nan"), ["\ud800"], {1, 2}])
def test_sec_143_a_value_nobody_can_count_by_is_a_fault(value: object) -> None:
    assert reason(lambda: counted(ALICE, CountedBy.VALUE, value=told(lambda _: value))) == "expression_failed"


def test_a_consumer_is_counted_on_all_routes_together_unless_it_is_by_route() -> None:
    for by, together in ((CountedBy.CALLER, True), (CountedBy.CLIENT, True), (CountedBy.ROUTE, False)):
        who = replace(OWN, consumer=replace(ACME, rate_limit=RateLimit(1, 60, by=by)))
        orders, invoices = (asked(known(who, route=route(name))).counted for name in ("orders", "invoices"))
        assert (orders == invoices) is together


def test_another_limit_counts_anew() -> None:
    names = {
        asked(known(ALICE, route=route(limit=limit))).counted for limit in (LIMIT, RateLimit(4, 30), RateLimit(3, 31))
    }
    assert len(names) == 3


def test_what_is_counted_has_a_name_of_one_size() -> None:
    long = Value(Origin.CONSTANT, constant="x" * 100_000)
    assert len(counted(ALICE, CountedBy.VALUE, value=long)) == len(counted(ALICE, CountedBy.ROUTE)) == 64


def test_one_request_too_many_is_refused_and_told_when_to_come_back() -> None:
    check_allowance(Allowance(True, 0, 12))
    error = refusal(lambda: check_allowance(Allowance(False, 0, 12)))
    assert isinstance(error, RateRefused)
    assert (error.reason, error.status, error.oauth_error) == ("rate_limit_exceeded", 429, None)
    assert error.retry_after_seconds == 12
