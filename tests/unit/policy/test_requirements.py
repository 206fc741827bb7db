from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.policy.plans import BEARER, SLOT

from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.requirements import ConsumerMapping, ConsumerName, Introspection, Place, Slot, Source


def test_what_an_issuer_says_of_a_token_need_not_name_its_end() -> None:
    assert Introspection().times.exp_required is False


def test_a_slot_introspects_nothing_by_itself() -> None:
    slot = Slot("access", required=True, sources=(), issuers={})
    assert (slot.introspector, slot.by_credential, slot.consumer) == (None, None, None)


def test_a_mapping_tries_somebody_elses_name_before_ours_and_is_required() -> None:
    mapping = ConsumerMapping((("sub",),))
    assert (mapping.by, mapping.required) == ((ConsumerName.EXTERNAL_ID, ConsumerName.NAME), True)


@pytest.mark.parametrize("name", [place.value for place in Place])
def test_a_place_is_found_by_the_word_of_the_document(name: str) -> None:
    assert Place(name).value == name


def test_a_slot_looks_at_what_is_known_where_a_value_takes_part_in_it() -> None:
    value = Value(Origin.METHOD)
    assert not SLOT.looks_at_known
    assert replace(SLOT, claims_equal=value).looks_at_known
    assert replace(SLOT, sources=(BEARER, Source(Place.VALUE, value=value))).looks_at_known
