"""What is asked of a proof."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jwtgate.config.sections.callers.dpop import DpopSection
from jwtgate.jose.algorithms import is_mac


def test_whoever_says_nothing_asks_for_all_that_is_safe() -> None:
    asked = DpopSection.model_validate({})
    assert {"ES256", "RS256", "Ed25519"} <= set(asked.algorithms)
    assert not any(map(is_mac, asked.algorithms))
    assert asked.nonce_seconds is None
    assert (asked.most_age_seconds, asked.replay_not_refused_for_legacy_clients) == (60, False)


def test_algorithms_keep_their_order() -> None:
    assert DpopSection.model_validate({"algorithms": ["RS256", "ES256"]}).algorithms == ("RS256", "ES256")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"algorithms": []}, "must not be empty"),
        ({"algorithms": ["HS256"]}, "a MAC has none"),
        ({"algorithms": ["none"]}, "must be one of"),
        ({"algorithms": ["ES256", "ES256"]}, "names an algorithm twice"),
        ({"most_age_seconds": 0}, "greater than or equal to 1"),
        ({"most_age_seconds": 301}, "less than or equal to 300"),
        ({"most_age_seconds": "10"}, "valid integer"),
        ({"nonce_seconds": 9}, "greater than or equal to 10"),
        ({"nonce": True}, "not permitted"),
    ],
)
def test_anything_else_is_a_mistake(keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        DpopSection.model_validate(keys)
