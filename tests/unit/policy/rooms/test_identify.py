from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import (
    ACME,
    HELD,
    ISSUER,
    NOTHING,
    ROUTE,
    SLOT,
    Held,
    finish,
    principal,
    proven,
    reason,
    refusal,
    verified,
)

from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Credential
from jwtgate.policy.facts import Introspected, NeedConsumer
from jwtgate.policy.requirements import ConsumerMapping, ConsumerName, Grants
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal, Proven, identify
from jwtgate.policy.rooms.identify import proven as as_proven
from jwtgate.policy.rooms.verify import Verified

CALLERS = Held({}, consumers=[ACME])
BY_SUB = ConsumerMapping((("sub",),))
CHANNEL = replace(SLOT, name="channel")


def identified(
    tokens: dict[str, Proven], *, mapping: ConsumerMapping | None = None, facts: Held = CALLERS, **route: object
) -> Principal:
    slots = (replace(SLOT, consumer=mapping), CHANNEL)
    steps = identify(replace(ROUTE, slots=slots, **route), tokens, facts)  # type: ignore[arg-type]
    try:
        next(steps)
        while True:
            steps.send(None)  # what is not at hand is nowhere
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def test_nobody_proven_is_anonymous() -> None:
    assert identified({}) is ANONYMOUS
    assert ANONYMOUS.good_until is None


def test_a_principal_is_good_as_long_as_the_first_of_its_tokens() -> None:
    tokens = {"a": proven(good_until=9), "b": proven(good_until=None), "c": proven(good_until=7)}
    principal = identified(tokens)
    assert principal.tokens == tokens
    assert principal.good_until == 7
    assert identified({"b": tokens["b"]}).good_until is None


def test_the_first_issuer_to_be_asked_again_ends_what_is_known_of_a_principal() -> None:
    tokens = {"a": replace(proven(), asked_until=9), "b": proven(), "c": replace(proven(), asked_until=7)}
    assert identified(tokens).asked_until == 7
    assert identified({"b": proven()}).asked_until is None


def test_a_principal_does_not_change_with_what_it_was_made_from() -> None:
    tokens = {"access": proven()}
    principal = identified(tokens)
    tokens.clear()
    assert list(principal.tokens) == ["access"]


@pytest.mark.parametrize(
    ("by", "value"), [(ConsumerName.NAME, "acme"), (ConsumerName.EXTERNAL_ID, "ext-1"), (ConsumerName.ID, "c-1")]
)
def test_a_claim_names_the_consumer(by: ConsumerName, value: str) -> None:
    mapping = ConsumerMapping((("sub",),), by=(by,))
    assert identified({"access": proven(sub=value)}, mapping=mapping).consumer is ACME
    assert reason(lambda: identified({"access": proven(sub=value + "x")}, mapping=mapping)) == "consumer_unknown"


def test_several_claims_are_tried_in_order_also_nested_ones() -> None:
    mapping = ConsumerMapping((("azp",), ("app", "owner", 0)))
    assert identified({"access": proven(azp="nobody", app={"owner": ["acme"]})}, mapping=mapping).consumer is ACME


@pytest.mark.parametrize("value", ["", "x" * 257, 7, True, None, ["acme"]])
def test_sec_45_a_claim_that_is_no_short_text_names_nobody(value: object) -> None:
    mapping = ConsumerMapping((("app",),))
    facts = Held({}, consumers=[replace(ACME, name="7")])
    assert reason(lambda: identified({"access": proven(app=value)}, mapping=mapping, facts=facts)) == "consumer_unknown"


def test_a_whole_number_counts_as_text_where_the_document_says_so() -> None:
    facts = Held({}, consumers=[replace(ACME, name="7")])
    mapping = ConsumerMapping((("app",),), numbers=True)
    assert identified({"access": proven(app=7)}, mapping=mapping, facts=facts).consumer is not None
    assert reason(lambda: identified({"access": proven(app=True)}, mapping=mapping, facts=facts)) == "consumer_unknown"


def test_an_optional_mapping_lets_an_unknown_caller_go_on_as_nobody() -> None:
    principal = identified({"access": proven()}, mapping=replace(BY_SUB, required=False))
    assert principal.consumer is None
    assert list(principal.tokens) == ["access"]


def test_a_consumer_that_is_not_at_hand_is_asked_for() -> None:
    route = replace(ROUTE, slots=(replace(SLOT, consumer=BY_SUB),))
    steps = identify(route, {"access": proven(sub="acme")}, NOTHING)
    assert next(steps) == NeedConsumer(BY_SUB.by, "acme")
    assert finish(steps, [ACME]).consumer is ACME
    steps = identify(route, {"access": proven(sub="acme")}, NOTHING)
    next(steps)
    assert reason(lambda: steps.send(None)) == "consumer_unknown"


def test_the_first_slot_that_names_a_consumer_decides() -> None:
    other = replace(ACME, name="other", external_id=None)
    made_by = replace(proven(), consumer=other, credential="other-key", credential_labels={"tier": "silver"})
    principal = identified({"access": proven(sub="acme"), "channel": made_by}, mapping=BY_SUB)
    assert (principal.consumer, principal.credential, principal.credential_labels) == (ACME, None, {})
    principal = identified({"channel": made_by}, mapping=BY_SUB)
    assert (principal.consumer, principal.credential) == (other, "other-key")
    assert principal.credential_labels == {"tier": "silver"}


def test_a_caller_without_any_token_may_count_as_a_consumer_of_its_own() -> None:
    assert identified({}, anonymous="acme").consumer is ACME
    assert identified({}, anonymous=ACME.id).consumer is ACME
    assert identified({"access": proven()}, anonymous="acme").consumer is None
    error = refusal(lambda: identified({}, anonymous="gone"))
    assert (error.reason, error.status) == ("consumer_unknown", 401)


def test_each_token_grants_what_its_issuer_says_in_the_order_of_the_slots() -> None:
    first = replace(ISSUER, grants=Grants(permissions=("scope",)))
    second = replace(ISSUER, grants=Grants(roles=("roles",), of_role={"admin": ("b", "c")}))
    tokens = {"channel": proven(issuer=second, roles=["admin"]), "access": proven(issuer=first, scope="a b")}
    assert identified(tokens).permissions == ("a", "b", "c")
    assert identified({"access": proven(scope="a")}).permissions == ()


def test_sec_157_what_an_issuer_said_of_a_token_ends_with_its_answer() -> None:
    token = verified()
    leeway = ISSUER.times.leeway_seconds
    plain = as_proven(Verified(ISSUER, token), "text", 1000)
    assert (plain.good_until, plain.lives_until, plain.text) == (1000, 1000 - leeway, "text")
    answer = Introspected(True, {}, until=800, vouched_until=900)
    asked = as_proven(Verified(ISSUER, token, answer=answer), "text", 1000)
    assert (asked.good_until, asked.lives_until) == (1000, 1000 - leeway)
    assert (asked.asked_until, asked.vouched_until) == (800, 900)
    assert (plain.asked_until, plain.vouched_until) == (None, None)
    assert as_proven(Verified(ISSUER, token), "text", None).good_until is None


def test_a_token_made_with_a_credential_brings_its_consumer_along() -> None:
    credential = Credential("acme-key", "k-1", ACME, frozenset({"ES256"}), KeySet(()), labels={"tier": "gold"})
    brought = as_proven(Verified(ISSUER, verified(), credential), "text", None)
    assert (brought.consumer, brought.credential, brought.credential_labels) == (ACME, "acme-key", {"tier": "gold"})
    assert "text" not in repr(brought).replace("text=", "")
    assert HELD.key_set("main") is not None


def test_what_was_to_grant_something_and_cannot_is_told_slot_by_slot() -> None:
    issuer = replace(ISSUER, grants=Grants(permissions=("scope",)))
    who = principal(a=proven(issuer=issuer, scope=True), b=proven(scope=7), c=proven(issuer=issuer, scope="x"))
    assert who.unreadable_grants == (("a", "permissions", True),)
