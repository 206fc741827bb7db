"""Tokens of ours as the plan has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import Origin, Value

Compile = Callable[[dict[str, Any]], Plan]


def route(plan: Plan, name: str = "orders") -> Route:
    return next(route for route in plan.routes if route.name == name)


def test_an_issued_token_is_described_in_full(plan: Compile) -> None:
    entry = {
        "audience": ["x", "y"], "header": "Authorization", "scheme": "Bearer", "type": "at+jwt", "issuer": "https://we",
        "ttl_seconds": 60, "copy": {"a.b": "c"}, "remove": ["d"], "reuse": False, "may_outlive_incoming_token": True,
        "add": {"e": 1, "f": {"claim": "g"}, "h": {"request": "client"}},
        "set": {"i": {"header": "X-Y"}, "j": {"constant": {}}},
    }  # fmt: skip
    (issue,) = route(plan({"routes/orders/issue": entry})).issue
    assert (issue.slot, issue.key, issue.iss, issue.audiences) == ("access", "default", "https://we", ("x", "y"))
    assert (issue.field, issue.prefix, issue.typ, issue.ttl_seconds) == (b"Authorization", "Bearer ", "at+jwt", 60)
    assert issue.copy == ((("a", "b"), "c"),)
    assert not issue.copy_all
    assert issue.add == (
        ("e", Value(Origin.CONSTANT, constant=1)),
        ("f", Value(Origin.CLAIM, slot="access", path=("g",))),
        ("h", Value(Origin.CLIENT)),
    )
    assert issue.set == (("i", Value(Origin.FIELD, field=b"x-y")), ("j", Value(Origin.CONSTANT, constant={})))
    assert issue.remove == {"d"}
    assert issue.may_outlive_incoming_token
    assert not issue.reuse


def test_our_name_is_the_issuer_unless_said_otherwise(plan: Compile) -> None:
    compiled = plan({"routes/orders/issue/copy": "all"})
    assert compiled.iss == route(compiled).issue[0].iss == "https://gate.example"
    assert route(compiled).issue[0].copy_all
    assert route(compiled).issue[0].copy == ()
