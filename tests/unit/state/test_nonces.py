"""A nonce is good for its time and the one after it, and nobody without the secret makes one."""

from __future__ import annotations

from jwtgate.state.nonces import Nonces

NOON = 1_800_000_000
NONCES = Nonces(b"a secret of the tests, shared by all")


def test_a_nonce_lasts_its_time_and_is_taken_for_one_more() -> None:
    newest, before = NONCES.around(NOON, 60)
    assert NONCES.around(NOON + 59, 60) == (newest, before)
    following = NONCES.around(NOON + 60, 60)
    assert following[1] == newest
    assert newest not in NONCES.around(NOON + 120, 60)


def test_whoever_has_the_secret_gives_out_the_same_and_nobody_else_does() -> None:
    assert Nonces(b"a secret of the tests, shared by all").around(NOON, 60) == NONCES.around(NOON, 60)
    assert set(Nonces(b"another").around(NOON, 60)).isdisjoint(NONCES.around(NOON, 60))


def test_nonces_of_another_length_of_time_are_others() -> None:
    assert set(NONCES.around(NOON, 30)).isdisjoint(NONCES.around(NOON, 60))


def test_sec_77_a_nonce_has_128_bits_in_letters_a_field_may_hold() -> None:
    newest, _ = NONCES.around(NOON, 60)
    assert len(newest) == 22
    assert newest.replace("-", "a").replace("_", "a").isalnum()
