from __future__ import annotations

from tests.unit.policy.plans import NOON, request

from jwtgate.policy.outcome import Trail
from jwtgate.policy.rooms.identify import ANONYMOUS


def test_a_trail_begins_at_the_door_with_nobody() -> None:
    trail = Trail(request(bearer="hush"), NOON)
    assert (trail.room, trail.slot, trail.route, trail.principal) == ("match", "", None, ANONYMOUS)
    assert trail.proven == {}
    assert Trail(request(), NOON).proven is not trail.proven


def test_a_trail_is_shown_without_the_credential() -> None:
    assert "hush" not in repr(Trail(request(bearer="hush"), NOON))
