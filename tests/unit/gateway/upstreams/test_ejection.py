"""Times out that grow, and what has a target left out."""

from __future__ import annotations

import pytest
from tests.unit.gateway.upstreams.fakes import TARGETS, Clock, a_roster

from jwtgate.gateway.upstreams.ejection import MOST_SECONDS, Absence, Watch
from jwtgate.gateway.upstreams.roster import Roster
from jwtgate.policy.traffic.upstreams import Ejection


def test_a_time_out_doubles_while_nothing_is_better_and_ends_growing() -> None:
    absence, lasted, now = Absence(10.0), [], 100.0
    for _ in range(7):
        absence.begin(now)
        lasted.append(absence.until - now)
        now = absence.until
    assert lasted == [10.0, 20.0, 40.0, 80.0, 160.0, MOST_SECONDS, MOST_SECONDS]


def test_a_time_out_is_short_again_when_all_was_well_for_as_long() -> None:
    absence = Absence(10.0)
    absence.begin(100.0)
    absence.begin(105.0)
    assert absence.until == 110.0
    absence.begin(119.0)
    assert absence.until == 139.0
    assert not absence.is_forgotten(158.9)
    assert absence.is_forgotten(159.0)
    absence.begin(159.0)
    assert absence.until == 169.0
    absence.end()
    assert (absence.until, absence.times) == (0.0, 0)


def test_the_bound_may_be_another() -> None:
    absence = Absence(10.0, 15.0)
    absence.begin(0.0)
    absence.begin(10.0)
    assert absence.until == 25.0


def test_a_time_out_longer_than_the_bound_is_meant() -> None:
    absence = Absence(1000.0)
    absence.begin(0.0)
    absence.begin(1000.0)
    assert absence.until == 2000.0


def test_a_time_out_is_taken_over() -> None:
    before, after = Absence(10.0), Absence(10.0)
    before.begin(100.0)
    after.take_over(before)
    assert (after.until, after.times) == (110.0, 1)
    after.begin(111.0)
    assert after.until == 131.0


def watched(clock: Clock) -> tuple[Roster, Watch]:
    roster = a_roster(clock, ejection=Ejection(failures_in_a_row=3, for_seconds=10.0))
    watch = roster.watch(TARGETS[0])
    assert watch is not None
    return roster, watch


def test_rel_13_failures_in_a_row_have_a_target_left_out() -> None:
    clock = Clock()
    roster, watch = watched(clock)
    for status in (500, 503, 404, 200, 502):
        watch.answered(status)
    watch.failed()
    ejected = roster.standings[TARGETS[0]].ejected
    assert ejected.until == 0.0
    watch.answered(504)
    assert ejected.until == clock.now + 10
    assert roster.standings[TARGETS[0]].failures == 5


@pytest.mark.parametrize(("pause", "again"), [(10.0, 20.0), (25.0, 0.0)])
def test_rel_13_who_comes_back_has_one_chance_until_it_has_been_well(pause: float, again: float) -> None:
    clock = Clock()
    roster, watch = watched(clock)
    for _ in range(3):
        watch.failed()
    clock.now += pause
    watch.failed()
    ejected = roster.standings[TARGETS[0]].ejected
    assert ejected.until == (clock.now + again if again else 1010.0)
