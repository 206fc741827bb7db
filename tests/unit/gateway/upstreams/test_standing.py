"""How one target is, and what it takes of the requests."""

from __future__ import annotations

import pytest
from tests.unit.gateway.upstreams.fakes import TARGETS, UPSTREAM

from jwtgate.gateway.upstreams.standing import REST_SECONDS, Standing, State


def a_standing() -> Standing:
    return Standing(TARGETS[0], UPSTREAM)


def check(standing: Standing, *answers: bool) -> list[bool]:
    found = []
    for well in answers:
        standing.checked(well, healthy_after=2, unhealthy_after=3)
        found.append(standing.is_down)
    return found


def test_rel_13_checks_have_to_agree_before_anything_changes() -> None:
    standing = a_standing()
    assert check(standing, False, False, True, False, False, False) == [False] * 5 + [True]
    assert standing.state(0.0) is State.DOWN
    assert not standing.is_reachable(0.0)
    assert check(standing, True, False, True, True) == [True, True, True, False]
    assert standing.state(0.0) is State.UP


def test_rel_13_a_good_check_ends_a_rest() -> None:
    standing = a_standing()
    standing.unreachable(100.0)
    check(standing, True)
    assert standing.is_usable(100.0)


def test_a_target_nobody_could_connect_to_rests_until_somebody_could() -> None:
    standing = a_standing()
    standing.unreachable(100.0)
    assert (standing.state(100.0), standing.is_usable(100.0), standing.failures) == (State.RESTING, False, 1)
    after = 100.0 + REST_SECONDS
    assert (standing.state(after), standing.is_usable(after)) == (State.RESTING, True)
    standing.on_trial = True
    assert not standing.is_usable(after)
    standing.connected()
    assert (standing.state(after), standing.is_usable(after)) == (State.UP, True)


def test_one_that_is_ejected_can_be_reached() -> None:
    standing = a_standing()
    standing.ejected.begin(100.0)
    standing.ejected.until = 110.0
    assert standing.state(100.0) is State.EJECTED
    assert (standing.is_usable(100.0), standing.is_reachable(100.0)) == (False, True)
    assert standing.state(110.0) is State.UP


def test_a_change_is_told_once_and_counted() -> None:
    standing = a_standing()
    assert standing.changed(1.0) is None
    standing.unreachable(1.0)
    assert [standing.changed(1.0), standing.changed(2.0)] == [State.RESTING, None]
    standing.connected()
    assert standing.changed(3.0) is State.UP
    assert standing.times_out == 1


@pytest.mark.parametrize(("now", "share"), [(3.0, 0.1), (8.0, 0.5), (13.0, 1.0), (99.0, 1.0)])
def test_one_that_is_back_takes_a_growing_share(now: float, share: float) -> None:
    standing = a_standing()
    assert standing.share(0.0, 10.0) == 1.0
    standing.unreachable(1.0)
    standing.changed(1.0)
    standing.connected()
    standing.changed(3.0)
    assert standing.share(now, 10.0) == share
    assert standing.share(now, 0.0) == 1.0


def test_one_that_is_new_takes_a_growing_share() -> None:
    standing = a_standing()
    standing.is_new(100.0)
    assert standing.share(105.0, 10.0) == 0.5


def test_what_was_known_is_known_to_the_next() -> None:
    before, after = a_standing(), a_standing()
    check(before, False, False, False)
    before.unreachable(5.0)
    before.changed(5.0)
    after.take_over(before)
    assert (after.is_down, after.told, after.failures, after.times_out) == (True, State.DOWN, 1, 1)
    assert after.rest.until == before.rest.until
    assert check(after, True, True) == [True, False]
