from __future__ import annotations

import asyncio

import pytest

from jwtgate.errors import DependencyFault
from jwtgate.jose.key import generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import Need, NeedKeys, Steps
from jwtgate.state.answers import MOST_UNKNOWN, Snapshot, drive, drive_blocking

FIRST, SECOND = NeedKeys("main", "k1"), NeedKeys("main", "k2")


def walk() -> Steps[list[object]]:
    return [(yield FIRST), (yield SECOND)]


def forgiving_walk() -> Steps[object]:
    try:
        yield FIRST
    except DependencyFault as fault:
        return (fault.reason, (yield SECOND))
    return None


def nothing() -> Steps[str]:
    yield from ()
    return "done"


def answer(need: Need) -> object:
    assert isinstance(need, NeedKeys)
    return f"answer to {need.kid}"


def fault_for_first(need: Need) -> object:
    if need == FIRST:
        raise DependencyFault("issuer_unreachable")
    return answer(need)


def broken(_: Need) -> object:
    raise ZeroDivisionError


async def answer_later(need: Need) -> object:
    await asyncio.sleep(0)
    return answer(need)


async def fault_later(need: Need) -> object:
    return fault_for_first(need)


async def broken_later(need: Need) -> object:
    return broken(need)


def test_each_need_is_answered_in_turn() -> None:
    wanted = ["answer to k1", "answer to k2"]
    assert drive_blocking(walk(), answer) == wanted
    assert asyncio.run(drive(walk(), answer_later)) == wanted


def test_a_walk_without_needs_asks_nothing() -> None:
    assert drive_blocking(nothing(), broken) == "done"
    assert asyncio.run(drive(nothing(), broken_later)) == "done"


def test_an_answer_that_cannot_be_had_surfaces_in_the_room_that_asked() -> None:
    wanted = ("issuer_unreachable", "answer to k2")
    assert drive_blocking(forgiving_walk(), fault_for_first) == wanted
    assert asyncio.run(drive(forgiving_walk(), fault_later)) == wanted


def test_a_fault_nobody_catches_leaves_the_walk() -> None:
    with pytest.raises(DependencyFault):
        drive_blocking(walk(), fault_for_first)
    with pytest.raises(DependencyFault):
        asyncio.run(drive(walk(), fault_later))


def test_a_bug_in_an_answer_is_not_passed_off_as_a_fault() -> None:
    with pytest.raises(ZeroDivisionError):
        drive_blocking(forgiving_walk(), broken)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(drive(forgiving_walk(), broken_later))


def test_a_snapshot_holds_what_it_was_told_last() -> None:
    first, second = KeySet([generate_key("ES256")]), KeySet([generate_key("ES256")])
    snapshot = Snapshot({"main": first})
    assert snapshot.key_set("main") is first
    assert snapshot.key_set("other") is None
    snapshot.set_keys("main", second)
    assert snapshot.key_set("main") is second
    snapshot.set_keys("main", None)
    snapshot.set_keys("main", None)
    assert snapshot.key_set("main") is None


def test_a_snapshot_does_not_share_the_mapping_it_was_made_from() -> None:
    given = {"main": KeySet([generate_key("ES256")])}
    snapshot = Snapshot(given)
    given.clear()
    assert snapshot.key_set("main") is not None


def test_rel_18_what_is_remembered_of_made_up_credentials_is_bounded() -> None:
    held = Snapshot()
    for number in range(MOST_UNKNOWN + 1):
        held.note_unknown(f"{number}")
    assert not held.is_unknown("0")
    assert held.is_unknown("1")
    assert held.is_unknown(f"{MOST_UNKNOWN}")
    held.forget_callers()
    assert not held.is_unknown("1")
