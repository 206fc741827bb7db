from __future__ import annotations

from tests.unit.policy.plans import proven

from jwtgate.policy.rooms.identify import ANONYMOUS, identify


def test_nobody_proven_is_anonymous() -> None:
    assert identify({}) is ANONYMOUS
    assert ANONYMOUS.is_anonymous
    assert ANONYMOUS.good_until is None


def test_a_principal_is_good_as_long_as_the_first_of_its_tokens() -> None:
    tokens = {"a": proven(good_until=9), "b": proven(good_until=None), "c": proven(good_until=7)}
    principal = identify(tokens)
    assert principal.tokens == tokens
    assert principal.good_until == 7
    assert not principal.is_anonymous
    assert identify({"b": tokens["b"]}).good_until is None


def test_a_principal_does_not_change_with_what_it_was_made_from() -> None:
    tokens = {"a": proven()}
    principal = identify(tokens)
    tokens.clear()
    assert list(principal.tokens) == ["a"]
