from __future__ import annotations

from typing import Any

import pytest

from jwtgate.integrations.kamailio.outcome import Finding
from jwtgate.integrations.kamailio.reading.checks import (
    find_alg,
    find_claims,
    find_repeated,
    find_times,
    find_times_leniently,
    same,
)


def bits(findings: Any) -> list[int]:
    return [finding.bit for finding in findings]


@pytest.mark.parametrize(
    ("claims", "strict", "lenient"),
    [
        ({}, [], []),
        ({"exp": 101, "nbf": 100}, [], []),
        ({"exp": 100}, [4], [4]),
        ({"exp": 1, "nbf": 999}, [4, 8], [4, 8]),
        ({"exp": -1, "nbf": -1}, [4], []),
        ({"exp": 99.5}, [4], []),
        ({"exp": 100.5, "nbf": 100.5}, [8], []),
        ({"exp": "200", "nbf": True}, [4, 8], []),
        ({"exp": None}, [4], []),
    ],
)
def test_times(claims: dict[str, Any], strict: list[int], lenient: list[int]) -> None:
    assert bits(find_times(claims, now=100, leeway=0)) == strict
    assert bits(find_times_leniently(claims, now=100, leeway=0)) == lenient


def test_leeway_is_for_both_ends() -> None:
    assert bits(find_times({"exp": 91, "nbf": 110}, now=100, leeway=10)) == []
    assert bits(find_times({"exp": 90, "nbf": 111}, now=100, leeway=10)) == [4, 8]


def test_another_algorithm_is_found() -> None:
    assert bits(find_alg({"alg": "RS256"}, "RS256")) == []
    assert bits(find_alg({"alg": "HS256"}, "RS256")) == [2]


def test_what_the_header_repeats_must_be_the_same() -> None:
    assert bits(find_repeated({"iss": "a", "sub": "b", "aud": ["c"]}, {"iss": "a", "sub": "x", "aud": "c"})) == [32, 64]
    assert bits(find_repeated({"iss": "a"}, {})) == []


def test_claims_are_missing_or_differ() -> None:
    found = list(find_claims({"a": 1, "b": "x"}, {"a": "1", "b": "x", "c": 1}))
    assert found == [Finding(256, "claim-mismatch", "a"), Finding(128, "claim-missing", "c")]


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (1, 1.0), (1, True), ([1], [1.0]), ({"a": 1}, {"a": True}), (None, "null")]
)
def test_values_of_two_types_differ(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert same(one, one)


def test_members_have_no_order() -> None:
    assert same({"a": 1, "b": [2]}, {"b": [2], "a": 1})
