from __future__ import annotations

import pytest

from jwtgate.policy.sources import KeySource
from jwtgate.state.keys.refresh_schedule import MOST_UNKNOWN_KIDS, UNKNOWN_KID_SECONDS, RefreshSchedule

SOURCE = KeySource("main", "https://idp.example", frozenset({"ES256"}), url="https://idp.example/jwks")
HOUR = 3600.0


def schedule(jitter: float = 0.5, *, now: float = 0.0) -> RefreshSchedule:
    return RefreshSchedule(SOURCE, lambda: jitter, now=now)


def fetched(now: float = 0.0) -> RefreshSchedule:
    made = schedule(now=now)
    made.succeeded(now)
    return made


def test_a_new_source_is_due_at_once() -> None:
    assert schedule(now=7.0).due == 7.0


@pytest.mark.parametrize("jitter", [0.0, 0.3, 1.0])
def test_rel_30_a_set_is_refreshed_before_it_has_had_its_time(jitter: float) -> None:
    made = schedule(jitter)
    made.succeeded(1000.0)
    assert 0.75 * 300 <= made.due - 1000 <= 0.9 * 300


def test_rel_30_failures_back_off_from_one_second_to_five_minutes() -> None:
    made = RefreshSchedule(SOURCE, lambda: 1.0, now=0.0)
    made.succeeded(0.0)
    waits = []
    now = 0.0
    for _ in range(12):
        made.failed(now)
        waits.append(made.due - now)
        now = made.due
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_rel_30_the_back_off_is_jittered() -> None:
    made = schedule(0.0)
    made.succeeded(0.0)
    made.failed(100.0)
    assert made.due == 100.5


def test_the_back_off_is_never_longer_than_the_usual_interval() -> None:
    quick = KeySource("main", "https://idp.example", frozenset({"ES256"}), url="u", refresh_seconds=5)
    made = RefreshSchedule(quick, lambda: 1.0, now=0.0)
    made.succeeded(0.0)
    for _ in range(40):
        made.failed(10.0)
    assert made.due == 15.0


def test_a_success_ends_the_back_off() -> None:
    made = schedule(1.0)
    made.succeeded(0.0)
    made.failed(10.0)
    made.failed(11.0)
    made.succeeded(20.0)
    assert made.failures == 0
    made.failed(30.0)
    assert made.due == 31.0


def test_rel_32_without_keys_the_next_try_is_never_far_off() -> None:
    made = schedule(1.0)
    for now in range(0, 1000, 5):
        made.failed(float(now))
        assert made.due <= now + 4


def test_sec_66_a_set_is_usable_until_max_stale_and_not_a_moment_longer() -> None:
    made = schedule()
    assert not made.is_usable(0.0)
    made.succeeded(100.0)
    assert made.is_usable(100 + 24 * HOUR - 1)
    assert not made.is_usable(100 + 24 * HOUR)


def test_the_last_moment_of_a_set_is_due() -> None:
    made = schedule(1.0)
    made.succeeded(0.0)
    for _ in range(20):
        made.failed(24 * HOUR - 10)
    assert made.due == 24 * HOUR


def test_rel_57_past_max_stale_the_next_try_is_never_far_off() -> None:
    made = schedule(1.0)
    made.succeeded(0.0)
    for _ in range(20):
        made.failed(24 * HOUR - 10)
    made.failed(24 * HOUR)
    assert made.due <= 24 * HOUR + 4


def test_a_restored_set_keeps_its_age_and_is_fetched_at_once() -> None:
    made = schedule(now=50.0)
    made.restored(50.0, HOUR)
    assert made.age_seconds(50.0) == HOUR
    assert made.due == 50.0
    assert made.is_usable(50 + 23 * HOUR - 1)
    assert not made.is_usable(50 + 23 * HOUR)


def test_a_set_that_never_was_has_no_age() -> None:
    assert schedule().age_seconds(9.0) is None


def test_sec_65_forced_fetches_keep_thirty_seconds_between_them() -> None:
    made = fetched()
    assert made.may_force("k9", "192.0.2.1", now=1.0)
    made.forced("192.0.2.1", 1.0)
    assert not made.may_force("k10", "192.0.2.2", now=30.9)
    assert made.may_force("k10", "192.0.2.2", now=31.0)


def test_sec_65_one_client_may_use_a_quarter_of_the_budget() -> None:
    made = fetched()
    caused = {"192.0.2.1": 0, "192.0.2.2": 0}
    for now in range(1200):
        for client in caused:
            if made.may_force("k9", client, now=float(now)):
                made.forced(client, float(now))
                caused[client] += 1
    assert caused == {"192.0.2.1": 10, "192.0.2.2": 10}  # of the 40 intervals in 1200 seconds


def test_clients_without_an_address_share_the_whole_budget() -> None:
    made = fetched()
    made.forced("", 0.0)
    assert made.may_force("k9", "", now=30.0)


def test_sec_65_the_periodic_refresh_does_not_depend_on_the_budget() -> None:
    made = fetched()
    due = made.due
    for now in range(0, 200, 30):
        made.forced("192.0.2.1", float(now))
    assert made.due == due


def test_rel_61_the_next_fetch_in_turn_comes_early_for_a_kid_nobody_may_look_for() -> None:
    made = fetched()
    made.forced("192.0.2.1", 1.0)
    made.succeeded(1.0)
    assert made.hasten("k9", 5.0)
    assert made.due == 34.0
    assert not made.hasten("k10", 20.0)
    assert made.due == 34.0
    late = fetched()
    assert late.hasten("k9", 50.0)
    assert late.due == 50.0


def test_nothing_is_hastened_for_a_kid_that_is_missing_or_while_fetches_fail() -> None:
    made = fetched()
    made.remember_unknown("k9", 1.0)
    assert not made.hasten("k9", 5.0)
    made.failed(6.0)
    due = made.due
    assert not made.hasten("k8", 6.0)
    assert not schedule().hasten("k8", 6.0)
    assert made.due == due


def test_without_usable_keys_nothing_is_forced_since_a_fetch_is_near_anyway() -> None:
    assert not schedule().may_force("k9", "", now=0.0)


def test_sec_65_an_unknown_kid_is_remembered_for_five_minutes() -> None:
    made = fetched()
    made.remember_unknown("k9", 10.0)
    assert made.is_unknown("k9", 10 + UNKNOWN_KID_SECONDS - 1)
    assert not made.is_unknown("k9", 10 + UNKNOWN_KID_SECONDS)
    assert not made.is_unknown("k8", 10.0)
    assert not made.may_force("k9", "", now=100.0)
    assert made.may_force("k8", "", now=100.0)


def test_a_token_without_a_kid_is_remembered_like_any_other() -> None:
    made = fetched()
    made.remember_unknown(None, 0.0)
    assert made.is_unknown(None, 1.0)
    assert not made.is_unknown("", 1.0)


def test_sec_65_unknown_kids_are_bounded_and_the_oldest_goes() -> None:
    made = fetched()
    for number in range(MOST_UNKNOWN_KIDS + 1):
        made.remember_unknown(f"k{number}", 0.0)
    assert not made.is_unknown("k0", 1.0)
    assert made.is_unknown("k1", 1.0)
    assert made.is_unknown(f"k{MOST_UNKNOWN_KIDS}", 1.0)


def test_a_kid_remembered_again_is_as_good_as_new() -> None:
    made = fetched()
    made.remember_unknown("k0", 0.0)
    for number in range(1, MOST_UNKNOWN_KIDS):
        made.remember_unknown(f"k{number}", 0.0)
    made.remember_unknown("k0", 5.0)
    made.remember_unknown("k-new", 5.0)
    assert made.is_unknown("k0", 6.0)
    assert not made.is_unknown("k1", 6.0)


def test_asking_again_is_pointless_while_a_kid_is_known_to_be_missing() -> None:
    made = fetched()
    assert made.quiet_seconds("k9", 0.0) == 0.0
    made.remember_unknown("k9", 0.0)
    assert made.quiet_seconds("k9", 100.0) == 200.0


def test_asking_is_pointless_while_the_budget_is_spent() -> None:
    made = fetched()
    made.forced("192.0.2.1", 0.0)
    assert made.quiet_seconds("k9", 10.0) == 20.0
    assert made.quiet_seconds("k9", 30.0) == 0.0


def test_while_fetches_fail_asking_is_never_pointless() -> None:
    made = fetched()
    made.forced("192.0.2.1", 0.0)
    made.failed(1.0)
    assert made.quiet_seconds("k9", 2.0) == 0.0


def test_another_generation_goes_on_where_this_one_stands() -> None:
    old, new = fetched(), schedule(now=100.0)
    old.forced("192.0.2.1", 90.0)
    old.remember_unknown("k9", 90.0)
    old.failed(91.0)
    new.take_over(old)
    assert (new.due, new.failures, new.age_seconds(100.0)) == (old.due, 1, 100.0)
    assert new.is_unknown("k9", 100.0)
    assert not new.may_force("k8", "192.0.2.2", now=100.0)
    new.remember_unknown("k8", 100.0)
    assert not old.is_unknown("k8", 100.0)


def test_rel_56_a_day_of_failures_costs_few_fetches_and_the_set_stays_usable() -> None:
    made = schedule(0.5)
    made.succeeded(0.0)
    now, tries = made.due, 0
    while now < 24 * HOUR:
        assert made.is_usable(now)
        made.failed(now)
        tries += 1
        now = made.due
    assert now == 24 * HOUR
    assert tries < 24 * HOUR / 225 + 12
