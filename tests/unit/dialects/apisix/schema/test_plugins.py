"""The plugins that are spoken, and their schemas."""

from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.apisix.schema.plugins import PLUGINS, is_reference
from jwtgate.dialects.apisix.schema.validation import first_mistake, fits
from jwtgate.jose.algorithms import ALGORITHMS

ALGS = PLUGINS["jwt-auth"].consumer_schema["properties"]["algorithm"]["enum"]  # type: ignore[index]


def test_plugins_stand_in_the_order_they_run_in() -> None:
    priorities = [each.priority for each in PLUGINS.values()]
    assert priorities == sorted(priorities, reverse=True)
    assert PLUGINS["jwt-auth"].priority == 2510


def test_who_is_calling_is_found_out_by_three_of_them() -> None:
    assert [name for name, each in PLUGINS.items() if each.is_auth] == ["multi-auth", "jwt-auth", "key-auth"]


def test_all_thirteen_algorithms_are_known_here() -> None:
    assert len(ALGS) == 13
    assert set(ALGS) <= set(ALGORITHMS)


@pytest.mark.parametrize("alg", ALGS)
def test_a_signature_needs_a_public_key_and_a_mac_none(alg: str) -> None:
    schema = PLUGINS["jwt-auth"].consumer_schema or {}
    assert fits(schema, {"key": "k", "algorithm": alg}) == alg.startswith("HS")
    assert fits(schema, {"key": "k", "algorithm": alg, "public_key": "p"})


@pytest.mark.parametrize(
    "conf",
    [
        {"realm": 'a"b'},
        {"realm": ""},
        {"realm": "x" * 129},
        {"key_claim_name": ""},
        {"anonymous_consumer": ""},
        {"claims_to_verify": ["exp", "exp"]},
        {"claims_to_verify": ["iat"]},
        {"hide_credentials": "yes"},
        {"store_in_ctx": 1},
        {"_meta": {"disable": 1}},
    ],
)
def test_what_a_route_may_not_say_is_a_mistake(conf: dict[str, Any]) -> None:
    assert first_mistake(PLUGINS["jwt-auth"].schema, conf) is not None


def test_members_nobody_knows_are_accepted() -> None:
    assert fits(PLUGINS["jwt-auth"].schema, {"bogus": 1, "realm": "test realm", "claims_to_verify": []})


@pytest.mark.parametrize(
    ("text", "refers"),
    [
        ("$ENV://A", True),
        ("$env://A", True),
        ("$secret://vault/1/a/b", True),
        ("$SECRET://vault/1/a/b", False),
        ("$ENV:/A", False),
        (1, False),
    ],
)
def test_a_reference_is_told_from_text(text: Any, refers: bool) -> None:
    assert is_reference(text) is refers
