"""Slots as the plan has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jwtgate.config.compile.slots import slot_values
from jwtgate.policy.plan import Plan
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.requirements import ClaimRule, Comparison, ConsumerMapping, Dpop, Place, ScopeNeed, Slot, Source

Compile = Callable[[dict[str, Any]], Plan]
THIRD = {"audience": "any", "introspection": {"endpoint": "https://a.example", "auth": "none"}}


def slot(plan: Plan) -> Slot:
    return next(route.slots[0] for route in plan.routes if route.name == "orders")


def test_what_nobody_asks_for_is_compiled_away(plan: Compile) -> None:
    compiled = slot(plan({}))
    assert (compiled.any_iss, compiled.by_credential, compiled.introspector, compiled.introspected) == (None,) * 4
    assert (compiled.first_source_wins, compiled.equal_tokens_count_once) == (False, False)
    assert compiled.sources == (Source(Place.AUTHORIZATION),)


def test_prefixes_are_tried_the_longest_first(plan: Compile) -> None:
    source = {"header": "X-T", "prefix": ["", "Bearer ", "JWT "], "blanks_after_prefix": True}
    (found,) = slot(plan({"routes/orders/from": source})).sources
    assert found == Source(Place.FIELD, "x-t", ("Bearer ", "JWT ", ""), blanks_after_prefix=True)


def test_words_of_an_entry_are_asked_together_and_entries_are_alternatives(plan: Compile) -> None:
    scope = {"all": ["x"], "any": ["a b", "c", "b a"]}
    assert slot(plan({"routes/orders/scope": scope})).scope == ScopeNeed(
        all_of=frozenset({"x"}), any_of=(frozenset({"a", "b"}), frozenset({"c"}))
    )
    assert slot(plan({"routes/orders/scope": {"any": []}})).scope is None


def test_what_is_asked_of_introspected_tokens_stands_for_all_that_is_asked_of_others(plan: Compile) -> None:
    rules, other = [{"claim": "t", "equals": "a"}], [{"claim": "t", "equals": "b"}]
    changes = {
        "issuers/third": THIRD,
        "routes/orders/issuers": ["main", "third"],
        "routes/orders/scope": "jwt",
        "routes/orders/claims": rules,
        "routes/orders/consumer": {"claim": "sub"},
        "routes/orders/audience": "x",
    }
    assert slot(plan(changes)).introspected is None
    whole = slot(plan({**changes, "routes/orders/introspected": {"scope": "op", "claims": other}}))
    assert whole.introspected is not None
    assert whole.introspected.scope == ScopeNeed(all_of=frozenset({"op"}))
    assert whole.introspected.rules == (ClaimRule(("t",), Comparison.EQUALS, ("b",)),)
    assert (whole.introspected.consumer, whole.introspected.audiences) == (None, {"x"})
    assert (whole.scope, whole.consumer) == (ScopeNeed(all_of=frozenset({"jwt"})), ConsumerMapping((("sub",),)))
    nothing = slot(plan({**changes, "routes/orders/introspected": {}})).introspected
    assert nothing is not None
    assert (nothing.scope, nothing.rules, nothing.consumer) == (None, (), None)


def test_one_of_several_slots_may_be_enough(plan: Compile) -> None:
    for word, enough in (("all_slots", False), ("one_slot", True)):
        routes = plan({"routes/orders/enough": word}).routes
        assert next(route for route in routes if route.name == "orders").one_slot_is_enough is enough


def test_a_proof_is_asked_for_beside_authorization_and_nothing_is_remembered(plan: Compile) -> None:
    asked = {
        "algorithms": ["RS256", "ES256"],
        "most_age_seconds": 10,
        "nonce_seconds": 30,
        "replay_not_refused_for_legacy_clients": True,
        "ec_keys_may_be_called_ecdsa_for_legacy_clients": True,
    }
    compiled = plan({"routes/orders/dpop": asked})
    assert slot(compiled).sources == (Source(Place.DPOP),)
    assert slot(compiled).dpop == Dpop(("RS256", "ES256"), 10, replayed=True, ec_called_ecdsa=True, nonce_seconds=30)
    route = next(route for route in compiled.routes if route.name == "orders")
    assert not route.remembered
    assert {b"authorization", b"dpop"} <= route.removed_fields
    assert b"dpop" not in next(iter(plan({}).routes)).removed_fields


def test_a_scheme_is_compared_without_its_case_and_a_value_is_found(plan: Compile) -> None:
    sources = [{"scheme": "BeArer"}, {"value": {"header": "X-T"}}]
    compiled = slot(plan({"routes/orders/from": sources}))
    scheme, value = compiled.sources
    assert scheme == Source(Place.AUTHORIZATION, scheme=b"bearer")
    assert (value.place, value.value) == (Place.VALUE, Value(Origin.FIELD, field=b"x-t"))
    assert list(slot_values(compiled)) == [value.value]
    assert compiled.looks_at_known


def test_what_is_expected_is_a_value_of_the_slot(plan: Compile) -> None:
    changes = {
        "routes/orders/claims_equal": {"constant": {"sub": "a"}},
        "routes/orders/empty_counts_as_absent_for_legacy_clients": True,
    }
    compiled = slot(plan(changes))
    assert compiled.claims_equal == Value(Origin.CONSTANT, {"sub": "a"})
    assert (compiled.empty_is_absent, list(slot_values(compiled))) == (True, [compiled.claims_equal])
    plain = slot(plan({}))
    assert (plain.claims_equal, plain.empty_is_absent, list(slot_values(plain))) == (None, False, [])


def test_what_depends_on_the_request_is_not_remembered(plan: Compile) -> None:
    def remembered(**changes: object) -> bool:
        made = plan({"routes/orders/issue": ..., **{f"routes/orders/{name}": value for name, value in changes.items()}})
        return next(route.remembered for route in made.routes if route.name == "orders")

    assert remembered()
    assert remembered(claims_equal={"constant": {"sub": "a"}}, methods_permitted=["GET"])
    assert not remembered(claims_equal={"header": "X-T"})
    assert not remembered(**{"from": {"value": {"header": "X-T"}}})


def test_a_value_that_names_no_slot_means_the_first(plan: Compile) -> None:
    slots = {
        "a": {"issuers": ["main"]},
        "b": {"issuers": ["main"], "from": {"cookie": "t"}, "claims_equal": {"claim": "x"}},
    }
    taken = {f"routes/orders/{name}": ... for name in ("issuers", "issue", "headers")}
    made = plan({**taken, "routes/orders/slots": slots})
    second = next(route.slots[1] for route in made.routes if route.name == "orders")
    assert second.claims_equal == Value(Origin.CLAIM, slot="a", path=("x",))
