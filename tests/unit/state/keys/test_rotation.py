from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from jwtgate.jose.key import Key, generate_key
from jwtgate.state.keys.rotation import (
    FORGET_SECONDS,
    SPREAD_SECONDS,
    Life,
    Periods,
    Rule,
    Timetable,
    advanced,
    pending_rotation,
    plan_rotation,
    scheduled_at,
    signing_at,
    stopped,
    with_first,
    with_given,
    with_successor,
)

NOON = 1_800_000_000
PERIODS = Periods(cache_seconds=300, token_seconds=1000)
LEAD = 300 + SPREAD_SECONDS
REST = 1000 + SPREAD_SECONDS
RULE = Rule("ES256", None, PERIODS)
WEEK = 7 * 86_400


def key(kid: str | None = None, alg: str = "ES256") -> Key:
    return generate_key(alg, kid=kid).bound_to(alg)


def first(kid: str = "k1", *, now: int = NOON) -> Life:
    return with_first(key(kid), "ES256", now=now, periods=PERIODS)


def rotated(life: Life, kid: str, *, now: int = NOON, alg: str = "ES256") -> Life:
    return with_successor(life, key(kid, alg), alg, now=now, periods=PERIODS)


def makes(kid: str) -> Callable[[str], Key]:
    return lambda alg: key(kid, alg)


def makes_none(_: str) -> Key:
    raise AssertionError("no key is needed")


def states(life: Life, now: float) -> dict[str | None, str]:
    return {held.key.kid: held.state(now).value for held in life}


def signs(life: Life, now: float) -> str | None:
    held = signing_at(life, now)
    return held.key.kid if held is not None else None


# Following one another.


def test_the_first_key_is_active_at_once() -> None:
    assert states(first(), NOON) == {"k1": "active"}


def test_sec_156_a_successor_is_published_for_the_cache_time_before_it_signs() -> None:
    life = rotated(first(), "k2", now=NOON + 5000)
    assert states(life, NOON + 5000) == {"k1": "active", "k2": "upcoming"}
    assert states(life, NOON + 5000 + LEAD - 1) == {"k1": "active", "k2": "upcoming"}
    assert states(life, NOON + 5000 + LEAD) == {"k1": "retiring", "k2": "active"}


def test_sec_155_the_cache_time_we_allow_is_shorter_than_the_time_a_key_is_published_before_use() -> None:
    assert PERIODS.lead_seconds > PERIODS.cache_seconds


def test_sec_156_a_key_stays_published_until_the_last_token_it_signed_has_ended() -> None:
    life = rotated(first(), "k2")
    assert states(life, NOON + LEAD + REST - 1) == {"k1": "retiring", "k2": "active"}
    assert states(life, NOON + LEAD + REST) == {"k1": "retired", "k2": "active"}


def test_a_key_that_is_still_retiring_stays_when_the_next_one_retires() -> None:
    life = rotated(rotated(first(), "k2"), "k3", now=NOON + 600)
    assert states(life, NOON + 600 + LEAD) == {"k1": "retiring", "k2": "retiring", "k3": "active"}
    assert states(life, NOON + LEAD + REST) == {"k1": "retired", "k2": "retiring", "k3": "active"}


def test_rel_37_a_clock_set_back_before_the_first_key_still_finds_it() -> None:
    assert signs(first(), NOON - 3600) == "k1"
    assert signs((), NOON) is None


def test_the_plan_of_a_rotation_is_what_the_rotation_then_does() -> None:
    life = first()
    timetable = plan_rotation(life, NOON)
    assert timetable == Timetable("k1", NOON, NOON + LEAD, NOON + LEAD + REST)
    assert pending_rotation(life, NOON) is None
    assert pending_rotation(rotated(life, "k2"), NOON) == timetable


def test_a_rotation_is_pending_until_the_new_key_signs() -> None:
    life = rotated(first(), "k2")
    assert pending_rotation(life, NOON + LEAD - 1) is not None
    assert pending_rotation(life, NOON + LEAD) is None


# Steps that are due.


def test_nothing_is_due_while_nothing_changes() -> None:
    life = first()
    assert advanced(life, RULE, now=NOON + WEEK, make=makes_none) == life


def test_a_name_without_keys_gets_one() -> None:
    assert states(advanced((), RULE, now=NOON, make=makes("k1")), NOON) == {"k1": "active"}


def test_rel_35_each_key_signs_for_as_long_as_the_schedule_says() -> None:
    rule, life = Rule("ES256", WEEK, PERIODS), first()
    due = NOON + WEEK - LEAD
    assert scheduled_at(life, rule) == due
    assert advanced(life, rule, now=due - 1, make=makes_none) == life
    life = advanced(life, rule, now=due, make=makes("k2"))
    assert signs(life, NOON + WEEK - 1) == "k1"
    assert signs(life, NOON + WEEK) == "k2"
    assert scheduled_at(life, rule) == due + WEEK
    assert advanced(life, rule, now=due + WEEK - 1, make=makes_none)[-1].key.kid == "k2"


def test_rel_35_a_schedule_that_was_missed_still_publishes_before_it_signs() -> None:
    late = NOON + 3 * WEEK
    life = advanced(first(), Rule("ES256", WEEK, PERIODS), now=late, make=makes("k2"))
    assert signs(life, late + LEAD - 1) == "k1"
    assert signs(life, late + LEAD) == "k2"


def test_a_schedule_shorter_than_the_cache_time_does_not_pile_up_keys() -> None:
    rule = Rule("ES256", 60, PERIODS)
    life = advanced(first(), rule, now=NOON, make=makes("k2"))
    assert advanced(life, rule, now=NOON + LEAD - 1, make=makes_none) == life


def test_no_schedule_asks_for_nothing() -> None:
    assert scheduled_at(first(), RULE) is None
    assert scheduled_at((), Rule("ES256", WEEK, PERIODS)) is None


def test_another_algorithm_makes_a_successor_and_asking_again_does_not() -> None:
    rsa = replace(RULE, alg="Ed25519")
    life = advanced(first(), rsa, now=NOON, make=makes("k2"))
    assert [held.alg for held in life] == ["ES256", "Ed25519"]
    assert advanced(life, rsa, now=NOON + 1, make=makes_none) == life


def test_an_algorithm_taken_back_withdraws_the_successor() -> None:
    life = advanced(first(), replace(RULE, alg="Ed25519"), now=NOON, make=makes("k2"))
    life = advanced(life, RULE, now=NOON + 1, make=makes_none)
    assert states(life, NOON + 1) == {"k1": "active"}
    assert states(life, NOON + WEEK) == {"k1": "active"}


def test_a_successor_that_has_not_begun_is_withdrawn_for_one_of_another_algorithm() -> None:
    life = advanced(first(), replace(RULE, alg="Ed25519"), now=NOON, make=makes("k2"))
    life = advanced(life, replace(RULE, alg="ES384"), now=NOON + 100, make=makes("k3"))
    assert states(life, NOON + 100 + LEAD - 1) == {"k1": "active", "k3": "upcoming"}
    assert states(life, NOON + 100 + LEAD) == {"k1": "retiring", "k3": "active"}


def test_rel_83_a_successor_about_to_sign_is_not_withdrawn_any_more() -> None:
    life = advanced(first(), replace(RULE, alg="Ed25519"), now=NOON, make=makes("k2"))
    late = NOON + LEAD - SPREAD_SECONDS
    assert advanced(life, RULE, now=late, make=makes_none) == life
    after = advanced(life, RULE, now=NOON + LEAD, make=makes("k3"))
    assert states(after, NOON + LEAD) == {"k1": "retiring", "k2": "active", "k3": "upcoming"}


def test_a_retired_key_is_forgotten_in_the_end() -> None:
    life = rotated(first(), "k2")
    gone = NOON + LEAD + REST + FORGET_SECONDS
    assert len(advanced(life, RULE, now=gone - 1, make=makes_none)) == 2
    assert states(advanced(life, RULE, now=gone, make=makes_none), gone) == {"k2": "active"}


def test_rel_37_a_clock_that_was_wrong_for_an_hour_finds_a_retired_key_again() -> None:
    now = NOON + LEAD + 500
    life = advanced(rotated(first(), "k2"), RULE, now=now + 3600, make=makes_none)
    assert states(life, now) == {"k1": "retiring", "k2": "active"}


# Periods of the documents a key lived under.


def test_rel_83_a_longer_token_life_keeps_a_key_and_a_later_shorter_one_does_not_let_go_of_it() -> None:
    longer, shorter = Periods(300, 5000), Periods(300, 10)
    life = advanced(first(), replace(RULE, periods=longer), now=NOON, make=makes_none)
    life = advanced(life, replace(RULE, periods=shorter), now=NOON + 1, make=makes_none)
    life = with_successor(life, key("k2"), "ES256", now=NOON + 2, periods=shorter)
    assert plan_rotation(life, NOON).leaves_at - plan_rotation(life, NOON).takes_over_at == 10 + SPREAD_SECONDS
    assert states(life, NOON + 2 + LEAD + 5000 + SPREAD_SECONDS - 1)["k1"] == "retiring"
    assert states(life, NOON + 2 + LEAD + 5000 + SPREAD_SECONDS)["k1"] == "retired"


def test_rel_83_a_longer_token_life_counts_for_a_key_that_is_about_to_stop() -> None:
    life = advanced(rotated(first(), "k2"), replace(RULE, periods=Periods(300, 9000)), now=NOON + 1, make=makes_none)
    assert states(life, NOON + LEAD + 9000 + SPREAD_SECONDS - 1)["k1"] == "retiring"


def test_a_longer_token_life_says_nothing_about_a_key_that_stopped_before() -> None:
    life = rotated(first(), "k2")
    after = advanced(life, replace(RULE, periods=Periods(300, 9000)), now=NOON + LEAD, make=makes_none)
    assert after[0] == life[0]


def test_rel_35_a_cache_time_that_was_longer_before_is_still_waited_for() -> None:
    life = advanced(first(), replace(RULE, periods=Periods(7200, 10)), now=NOON, make=makes_none)
    life = advanced(life, RULE, now=NOON + 1, make=makes_none)
    assert plan_rotation(life, NOON + 2).takes_over_at == NOON + 2 + 7200 + SPREAD_SECONDS
    life = with_successor(life, key("k2"), "ES256", now=NOON + 2, periods=PERIODS)
    assert plan_rotation(life, NOON + 9000).takes_over_at == NOON + 9000 + LEAD


# Names that are not in the document any longer.


def test_rel_83_a_key_nothing_signs_with_stays_until_its_tokens_have_ended() -> None:
    life = stopped(rotated(first(), "k2"), NOON + 5)
    assert states(life, NOON + 5) == {"k1": "retiring"}
    assert states(life, NOON + LEAD + REST - 1) == {"k1": "retiring"}
    assert stopped(life, NOON + LEAD + REST + FORGET_SECONDS) == ()


def test_stopping_twice_changes_nothing() -> None:
    life = stopped(first(), NOON + 5)
    assert stopped(life, NOON + 50) == life


def test_rel_37_a_key_that_signed_is_kept_though_the_clock_was_set_back_before_it() -> None:
    assert states(stopped(first(), NOON - 3600), NOON) == {"k1": "retiring"}


def test_a_name_that_comes_back_goes_on_with_its_key_while_that_is_published() -> None:
    life = stopped(first(), NOON + 5)
    assert states(advanced(life, RULE, now=NOON + 900, make=makes_none), NOON + WEEK) == {"k1": "active"}
    later = advanced(life, RULE, now=NOON + 5 + REST, make=makes("k2"))
    assert states(later, NOON + 5 + REST) == {"k1": "retired", "k2": "active"}


def test_a_name_that_comes_back_with_another_algorithm_gets_a_new_key() -> None:
    life = advanced(stopped(first(), NOON + 5), replace(RULE, alg="Ed25519"), now=NOON + 6, make=makes("k2"))
    assert states(life, NOON + 6) == {"k1": "retiring", "k2": "active"}


# Keys somebody else makes.


def test_the_first_key_given_signs_at_once() -> None:
    assert states(with_given((), [key("a"), key("b")], RULE, now=NOON), NOON) == {"a": "active"}


def test_rel_35_a_new_key_waits_while_the_former_one_is_still_given() -> None:
    a, b = key("a"), key("b")
    life = with_given(with_given((), [a], RULE, now=NOON), [b, a], RULE, now=NOON + 10)
    assert (signs(life, NOON + 10 + LEAD - 1), signs(life, NOON + 10 + LEAD)) == ("a", "b")
    again = with_given(life, [b, a], RULE, now=NOON + 100)
    assert [(held.active_from, held.retiring_from) for held in again] == [
        (NOON, NOON + 10 + LEAD),
        (NOON + 10 + LEAD, None),
    ]
    done = with_given(again, [b], RULE, now=NOON + 10 + LEAD)
    assert states(done, NOON + 10 + LEAD) == {"a": "retiring", "b": "active"}


def test_rel_83_a_former_key_that_is_given_no_more_is_published_until_its_tokens_have_ended() -> None:
    life = with_given(with_given((), [key("a")], RULE, now=NOON), [key("b")], RULE, now=NOON + 10)
    assert states(life, NOON + 10) == {"a": "retiring", "b": "active"}
    assert states(life, NOON + 10 + REST) == {"a": "retired", "b": "active"}


def test_a_former_key_that_goes_while_the_new_one_waits_hands_over_at_once() -> None:
    a, b = key("a"), key("b")
    life = with_given(with_given((), [a], RULE, now=NOON), [b, a], RULE, now=NOON + 10)
    life = with_given(life, [b], RULE, now=NOON + 20)
    assert states(life, NOON + 20) == {"a": "retiring", "b": "active"}


def test_a_former_key_given_in_public_only_cannot_go_on() -> None:
    a, b = key("a"), key("b")
    life = with_given(with_given((), [a], RULE, now=NOON), [b, a.public()], RULE, now=NOON + 10)
    assert signs(life, NOON + 10) == "b"


def test_a_set_that_is_put_back_goes_on_with_the_key_it_had() -> None:
    a, b = key("a"), key("b")
    waiting = with_given(with_given((), [a], RULE, now=NOON), [b, a], RULE, now=NOON + 10)
    assert states(with_given(waiting, [a], RULE, now=NOON + 20), NOON + WEEK) == {"a": "active"}
    replaced = with_given(with_given((), [a], RULE, now=NOON), [b], RULE, now=NOON + 10)
    assert states(with_given(replaced, [a], RULE, now=NOON + 20), NOON + 20) == {"a": "active", "b": "retiring"}


def test_a_key_replaced_under_its_own_kid_is_forgotten() -> None:
    life = with_given(with_given((), [key("a")], RULE, now=NOON), [key("a")], RULE, now=NOON + 10)
    assert states(life, NOON + 10) == {"a": "active"}
    assert len(life) == 1


def test_a_key_under_another_algorithm_is_another_key() -> None:
    made = generate_key("RS256", kid="r")
    bare = Key.from_jwk({name: value for name, value in made.to_private_jwk().items() if name != "alg"})
    pkcs1 = with_given((), [bare.bound_to("RS256")], replace(RULE, alg="RS256"), now=NOON)
    both = with_given(pkcs1, [bare.bound_to("PS256")], replace(RULE, alg="PS256"), now=NOON + 10)
    assert [(held.alg, held.state(NOON + 10).value) for held in both] == [("RS256", "retiring"), ("PS256", "active")]


def test_a_key_given_again_long_after_it_retired_begins_anew() -> None:
    a, b = key("a"), key("b")
    life = with_given(with_given((), [a], RULE, now=NOON), [b], RULE, now=NOON + 10)
    late = NOON + 2000
    life = with_given(life, [a, b], RULE, now=late)
    assert (signs(life, late), signs(life, late + LEAD)) == ("b", "a")
