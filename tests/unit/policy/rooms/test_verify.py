from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.plans import (
    HELD,
    ISS,
    ISSUER,
    KEYS,
    NOTHING,
    OTHER_KEY,
    SLOT,
    Known,
    a_token,
    finish,
    reason,
    refusal,
)

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import VerifiedToken
from jwtgate.policy.facts import Facts, NeedKeys, Steps
from jwtgate.policy.requirements import Issuer, Slot
from jwtgate.policy.rooms.verify import verify

OTHER_ISS = "https://other.example"
OTHER = replace(ISSUER, name="other", iss=OTHER_ISS)
Walk = Steps[tuple[Issuer, VerifiedToken]]
BOTH = replace(SLOT, issuers={ISS: ISSUER, OTHER_ISS: OTHER})


def walk(token: str, *, slot: Slot = SLOT, facts: Facts = HELD, limit_bytes: int = 16_384) -> Walk:
    return verify(slot, token, facts, client="192.0.2.7", limit_bytes=limit_bytes)


def with_issuer(**changes: Any) -> Slot:
    return replace(SLOT, issuers={ISS: replace(ISSUER, **changes)})


def test_a_good_token_is_verified_without_asking() -> None:
    issuer, token = finish(walk(a_token()))
    assert issuer is ISSUER
    assert token.claims["sub"] == "alice"


def test_keys_that_are_not_held_are_asked_for_with_the_kid_and_the_client() -> None:
    steps = walk(a_token(), facts=NOTHING)
    assert next(steps) == NeedKeys("main", "k1", "192.0.2.7")
    issuer, token = finish(steps, [KEYS])
    assert (issuer, token.kid) == (ISSUER, "k1")


def test_what_cannot_be_found_out_surfaces_here() -> None:
    steps = walk(a_token(), facts=NOTHING)
    next(steps)
    assert reason(lambda: steps.throw(DependencyFault("issuer_unreachable"))) == "issuer_unreachable"


def test_a_wrong_signature_is_refused() -> None:
    assert reason(lambda: finish(walk(a_token(key=OTHER_KEY)))) == "signature_wrong"


@pytest.mark.parametrize("iss", ["https://idp.example/", "https://IDP.example", "https://idp", "", None, 7, [ISS]])
def test_sec_43_the_issuer_is_found_by_its_exact_name(iss: object) -> None:
    error = refusal(lambda: next(walk(a_token(iss=iss), facts=NOTHING)))
    assert (error.reason, error.detail) == ("issuer_unknown", {"slot": "access"})


def test_sec_43_a_key_of_one_issuer_verifies_no_token_of_another() -> None:
    facts = Known({"main": KEYS, "other": KeySet([OTHER_KEY.public()])})
    assert finish(walk(a_token(iss=OTHER_ISS, key=OTHER_KEY), slot=BOTH, facts=facts))[0] is OTHER
    assert reason(lambda: finish(walk(a_token(iss=OTHER_ISS), slot=BOTH, facts=facts))) == "signature_wrong"


def test_sec_52_a_slot_without_issuers_refuses_every_token() -> None:
    assert reason(lambda: next(walk(a_token(), slot=replace(SLOT, issuers={})))) == "issuer_unknown"


def test_sec_20_the_issuer_says_which_algorithms_there_are() -> None:
    slot = with_issuer(algorithms=frozenset({"RS256", "PS256"}))
    assert reason(lambda: next(walk(a_token(), slot=slot, facts=NOTHING))) == "alg_not_allowed"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_sec_16_a_type_that_is_named_is_accepted_however_it_is_written(typ: str) -> None:
    assert finish(walk(a_token(typ=typ), slot=with_issuer(types=frozenset({"at+jwt"}))))


@pytest.mark.parametrize(("typ", "optional"), [("JWT", False), ("JWT", True), (None, False), ("text/at+jwt", False)])
def test_sec_16_any_other_type_is_refused_before_a_key_is_asked_for(typ: str | None, optional: bool) -> None:
    slot = with_issuer(types=frozenset({"at+jwt"}), type_optional=optional)
    assert reason(lambda: next(walk(a_token(typ=typ), slot=slot, facts=NOTHING))) == "type_wrong"


def test_sec_16_a_type_may_be_left_out_where_the_issuer_says_so() -> None:
    assert finish(walk(a_token(typ=None), slot=with_issuer(types=frozenset({"at+jwt"}), type_optional=True)))
    assert finish(walk(a_token(typ=None)))


@pytest.mark.parametrize("member", ["jku", "x5u"])
def test_sec_14_addresses_in_the_header_are_ignored_or_refused(member: str) -> None:
    token = a_token(header={member: "https://evil.example/keys"})
    assert finish(walk(token))[0] is ISSUER
    refusing = with_issuer(refuse_header_addresses=True)
    assert reason(lambda: next(walk(token, slot=refusing, facts=NOTHING))) == "header_address_refused"
    assert finish(walk(a_token(), slot=refusing))


def test_sec_6_the_limit_on_the_size_of_a_token_is_the_plans() -> None:
    token = a_token()
    assert finish(walk(token, limit_bytes=len(token)))
    assert reason(lambda: next(walk(token, limit_bytes=len(token) - 1))) == "token_too_large"


@pytest.mark.parametrize("credential", ["", "abc", "a.b.c", " a.b.c", "a.b.c.d.e"])
def test_what_is_no_token_is_refused(credential: str) -> None:
    assert reason(lambda: next(walk(credential))) in ("token_malformed", "token_encrypted")


def test_sec_11_an_unsigned_token_is_refused() -> None:
    header, claims = (base64url_encode(part) for part in (b'{"alg":"none"}', b'{"iss":"https://idp.example"}'))
    assert reason(lambda: next(walk(f"{header}.{claims}."))) == "token_malformed"
    assert reason(lambda: next(walk(f"{header}.{claims}.AA"))) == "alg_not_allowed"
