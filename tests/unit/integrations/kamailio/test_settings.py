from __future__ import annotations

from typing import Any

import pytest

from jwtgate.errors import ConfigError
from jwtgate.integrations.kamailio.settings import Policy, Settings


def test_the_defaults_are_those_of_the_server() -> None:
    settings = Settings()
    assert (settings.key_mode, settings.compat, settings.hmac_key, settings.leeway_sec) == (0, False, "raw", 0)
    assert Settings(key_mode=7).key_mode == 7


@pytest.mark.parametrize(
    "options",
    [
        {"key_mode": "1"},
        {"key_mode": True},
        {"compat": 1},
        {"hmac_key": "strip"},
        {"leeway_sec": -1},
        {"leeway_sec": 301},
        {"leeway_sec": 1.5},
        {"clock": 5},
        {"variables": None},
        {"policies": {"a": "b"}},
        {"policies": []},
    ],
)
def test_k_01_what_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings(**options)
    assert next(iter(options)) in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings(key_mode="1", leeway_sec=999)  # type: ignore[arg-type]
    assert len(caught.value.problems) == 2


def test_a_policy_has_a_token_in_its_usual_place() -> None:
    policy = Policy("/key", "RS256")
    assert (policy.claims, policy.token, policy.needed) == (";", "$hdr(X-JWT)", None)
