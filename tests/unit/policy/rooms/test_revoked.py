from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import ACME, NOON, NOTHING, ROUTE, Held, a_token, principal, proven, refusal

from jwtgate.errors import DependencyFault
from jwtgate.jose.signature import twin_of
from jwtgate.policy.revocations import Revocation, Revocations, RevokedBy, token_hash
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal
from jwtgate.policy.rooms.revoked import check_known, check_revoked

BOTH = principal(access=proven(jti="one"), channel=proven(jti="two"))


def table(by: RevokedBy, value: str) -> Revocations:
    return Revocations([Revocation("r", by, value)])


def test_sec_75_any_revoked_token_of_a_request_refuses_it() -> None:
    check_revoked(Revocations(), BOTH, now=NOON)
    check_revoked(table(RevokedBy.JTI, "three"), BOTH, now=NOON)
    error = refusal(lambda: check_revoked(table(RevokedBy.JTI, "two"), BOTH, now=NOON))
    assert (error.reason, error.status) == ("token_revoked", 401)
    assert error.detail == {"slot": "channel", "by": "jti", "entry": "r"}


def test_sec_75_a_revoked_consumer_is_refused_with_every_token() -> None:
    acme = replace(BOTH, consumer=ACME)
    assert refusal(lambda: check_revoked(table(RevokedBy.CONSUMER, "acme"), acme, now=NOON)).reason == "token_revoked"
    check_revoked(table(RevokedBy.CONSUMER, "other"), acme, now=NOON)
    check_revoked(table(RevokedBy.CONSUMER, "acme"), ANONYMOUS, now=NOON)


def test_sec_75_a_request_without_token_is_refused_when_its_consumer_is_revoked() -> None:
    nobody = replace(ANONYMOUS, consumer=ACME)
    error = refusal(lambda: check_revoked(table(RevokedBy.CONSUMER, "acme"), nobody, now=NOON))
    assert (error.reason, error.detail) == ("token_revoked", {"by": "consumer", "entry": "r"})
    check_revoked(table(RevokedBy.CONSUMER, "other"), nobody, now=NOON)
    check_revoked(table(RevokedBy.SUBJECT, "acme"), nobody, now=NOON)
    about_tokens = Revocation("r", RevokedBy.CONSUMER, "acme")
    for changes in ({"issuer": "main"}, {"issued_before": NOON}, {"expires_at": NOON}):
        check_revoked(Revocations([replace(about_tokens, **changes)]), nobody, now=NOON)


def test_sec_75_the_consumer_of_a_further_slot_is_looked_at_too() -> None:
    other = replace(ACME, name="other")
    both = principal(access=replace(proven(), consumer=ACME), channel=replace(proven(), consumer=other))
    for name, slot in (("acme", "access"), ("other", "channel")):
        error = refusal(
            lambda name=name: check_revoked(table(RevokedBy.CONSUMER, name), replace(both, consumer=ACME), now=NOON)
        )
        assert error.detail["slot"] == slot
    check_revoked(table(RevokedBy.CONSUMER, "third"), replace(both, consumer=ACME), now=NOON)


def test_sec_75_a_token_whose_signature_was_turned_round_is_the_same_token() -> None:
    text = a_token()
    twin = twin_of(text, "ES256")
    assert twin is not None
    for shown in (text, twin):
        caller = principal(access=replace(proven(), text=shown))
        assert refusal(lambda caller=caller: check_revoked(table(RevokedBy.TOKEN, token_hash(text)), caller, now=NOON))
    other = principal(access=replace(proven(), text=a_token(jti="other")))
    check_revoked(table(RevokedBy.TOKEN, token_hash(text)), other, now=NOON)


def test_sec_75_a_token_is_revoked_by_what_its_issuer_said_of_it_too() -> None:
    described = principal(access=replace(proven(jti="inner"), judged={"jti": "answer"}))
    for name in ("inner", "answer"):
        error = refusal(lambda name=name: check_revoked(table(RevokedBy.JTI, name), described, now=NOON))
        assert error.reason == "token_revoked"
    check_revoked(table(RevokedBy.JTI, "other"), described, now=NOON)


@pytest.mark.parametrize("caller", [BOTH, replace(ANONYMOUS, consumer=ACME)])
def test_sec_76_a_caller_who_may_have_been_revoked_is_a_fault_where_that_matters(caller: Principal) -> None:
    away, sensitive = Held({}, store_away=True), replace(ROUTE, needs_store=True)
    with pytest.raises(DependencyFault) as fault:
        check_known(sensitive, caller, away)
    assert (fault.value.reason, fault.value.status) == ("revocations_unknown", 503)
    check_known(ROUTE, caller, away)
    check_known(sensitive, caller, NOTHING)
    check_known(sensitive, ANONYMOUS, away)
