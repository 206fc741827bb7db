"""Patterns: whole texts, linear time, and the way to another process."""

from __future__ import annotations

import pickle

import pytest

from jwtgate.config.patterns import Pattern


def test_a_pattern_matches_whole_texts_only() -> None:
    pattern = Pattern("a+|b")
    assert pattern("aaa")
    assert not pattern("aaab")
    assert not pattern("xa")
    assert not pattern("a\n")


@pytest.mark.parametrize("text", ["(a", "a{1001}{1001}", r"(a)\1", "(?=a)", "a" * 1001, "\ud800"])
def test_sec_51_what_cannot_run_in_linear_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Pattern(text)


def test_sec_51_a_pattern_that_ruins_other_engines_is_harmless() -> None:
    assert not Pattern("(a+)+b")("a" * 100_000)


def test_a_lone_surrogate_never_matches() -> None:
    assert not Pattern(".*")("\ud800")


def test_a_pattern_travels_as_its_text() -> None:
    copy = pickle.loads(pickle.dumps(Pattern("a+")))
    assert copy == Pattern("a+")
    assert hash(copy) == hash(Pattern("a+"))
    assert copy != Pattern("b")
    assert copy("aa")
    assert repr(copy) == "Pattern('a+')"
