from __future__ import annotations

import pytest

from jwtgate.policy.requirements import ConsumerMapping, ConsumerName, Introspection, Place, Slot


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
