"""A plan with the tables worked out from it, and what its end leaves behind."""

from __future__ import annotations

import time

import pytest
from tests.unit.gateway.parts import (
    ISSUED,
    SIGNER,
    SLOW_SIGNER,
    SLOWLY_ISSUED,
    Gate,
    a_generation,
    a_plan,
    a_route,
    an_order,
    wire,
)

from jwtgate.errors import DependencyFault
from jwtgate.gateway.generation import HEALTHZ, LIVEZ, METRICS, OWN_KEYS, OWN_METADATA, READYZ
from jwtgate.gateway.heads.fields import FORWARD, REMOVE
from jwtgate.gateway.memory import FOR_EVER, Remembered
from jwtgate.policy.facts import IssuedToken, NeedIssuedToken, NeedKeys, NeedNonces, NeedSigned
from jwtgate.state.issued_tokens import IssuedTokens
from jwtgate.state.keys.keyring import Signer
from jwtgate.state.signed_tokens import SignedTokens

NOW = int(time.time())
STATUS = {"/livez": LIVEZ, "/readyz": READYZ, "/healthz": HEALTHZ, "/metrics": METRICS}


def test_a_plan_brings_a_balancer_for_each_upstream_and_the_places_of_each_route() -> None:
    generation = a_generation(number=7)
    assert generation.number == 7
    assert set(generation.balancers) == {"echo"}
    assert set(generation.places) == {"orders", "open"}
    assert generation.kinds[b"X-Real-IP"] == REMOVE
    assert generation.trusted_kinds[b"X-Real-IP"] == FORWARD


def test_our_own_addresses_are_where_the_document_says() -> None:
    usual = {"/.well-known/jwks.json": OWN_KEYS, "/.well-known/openid-configuration": OWN_METADATA}
    assert a_generation().own_addresses == {**STATUS, **usual}
    moved = a_generation(a_plan(own={"keys": "/our/keys", "metadata": None}))
    assert moved.own_addresses == {**STATUS, "/our/keys": OWN_KEYS}


def test_who_signs_nothing_has_no_keys_to_show() -> None:
    silent = a_plan(signing=None, routes=a_route(issue=None))
    assert a_generation(silent).own_addresses == STATUS


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("2001:db8::1", False),
        ("", False),
    ],
)
def test_sec_114_trust_is_an_explicit_list_of_addresses(peer: str, trusted: bool) -> None:
    plan = a_plan(trusted_proxies=["10.1.0.0/16", "::1", "fe80::/64"])
    assert a_generation(plan).is_trusted(peer) is trusted
    assert a_generation().is_trusted(peer) is False


def test_sec_67_a_change_of_keys_forgets_what_was_decided_with_them() -> None:
    generation = a_generation()
    generation.memory.remember((1,), Remembered(b"", FOR_EVER, ""))
    generation.forget_outcomes()
    assert (generation.epoch, len(generation.memory)) == (1, 0)


def need() -> NeedIssuedToken:
    return NeedIssuedToken(a_plan().routes[0].issue[0], {"sub": "alice"}, None)


def test_a_quick_signature_is_made_at_once_and_a_slow_one_is_waited_for() -> None:
    assert isinstance(a_generation(issued=ISSUED).answer_now(need(), NOW), IssuedToken)
    assert a_generation(issued=SLOWLY_ISSUED).answer_now(need(), NOW) is None


def test_a_key_set_is_waited_for() -> None:
    assert a_generation().answer_now(NeedKeys("main", "k2"), NOW) is None


def test_sec_143_a_key_of_ours_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(DependencyFault) as caught:
        a_generation(issued=IssuedTokens({})).answer_now(need(), NOW)
    assert caught.value.reason == "signer_unavailable"


def test_an_old_generation_keeps_no_connection_but_lets_what_goes_on_end() -> None:
    gate = Gate()
    idle, _ = gate.idle(), gate.idle()
    gate.send(an_order())
    busy = gate.upstream
    gate.generation.upstreams.close()
    gate.settle()
    assert (wire(idle).closed, wire(busy).is_closing()) == (True, False)
    gate.answer(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
    assert wire(busy).closed
    assert gate.outcomes == [(204, "")]


def test_a_text_for_an_expression_is_signed_at_once_unless_that_is_slow() -> None:
    generation, need = a_generation(), NeedSigned("default", {}, {"sub": "alice"})
    with pytest.raises(DependencyFault):
        generation.answer_now(need, NOW)
    generation.signed_tokens = SignedTokens({"default": Signer(SIGNER, "ES256")})
    text = generation.answer_now(need, NOW)
    assert isinstance(text, str)
    assert text.count(".") == 2
    generation.signed_tokens = SignedTokens({"default": Signer(SLOW_SIGNER, "RS256")})
    assert generation.answer_now(need, NOW) is None


def test_nonces_are_at_hand_and_of_this_gateway_alone() -> None:
    need = NeedNonces(60)
    generation = a_generation()
    assert generation.answer_now(need, NOW) == generation.answer_now(need, NOW)
    assert generation.answer_now(need, NOW) != a_generation().answer_now(need, NOW)
