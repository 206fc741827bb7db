"""Garbage is looked for among what comes and goes only."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from jwtgate.control import collecting
from jwtgate.control.collecting import collect_seldom, settle_all_memory, settle_memory, without_collecting


class Knot:
    """Only a garbage collector can let go of it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def gone() -> Iterator[list[str]]:
    """Told of a knot that has gone. All is in the collector's sight afterwards."""
    yield []
    gc.unfreeze()


def test_rel_21_what_is_held_for_long_is_out_of_the_collectors_sight_until_all_is_looked_at(
    gone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "MOST_SETTLED", 10**9)
    knot = Knot()
    weakref.finalize(knot, gone.append, "gone")
    settle_memory()
    assert gc.get_freeze_count() > 0
    del knot
    gc.collect()
    assert gone == []
    settle_all_memory()
    assert gone == ["gone"]


def test_rel_21_what_was_made_without_collecting_is_never_walked_over(gone: list[str]) -> None:
    with without_collecting():
        assert not gc.isenabled()
        knot = Knot()
    assert gc.isenabled()
    weakref.finalize(knot, gone.append, "gone")
    del knot
    settle_memory()
    assert gone == []


def test_rel_21_too_much_to_look_at_is_left_alone(gone: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MOST_SETTLED", 1)
    knot = Knot()
    weakref.finalize(knot, gone.append, "gone")
    settle_memory()
    del knot
    settle_all_memory()
    assert gone == []


def test_rel_21_a_worker_looks_for_garbage_less_often_than_is_usual() -> None:
    usual = gc.get_threshold()
    try:
        collect_seldom()
        assert all(seldom >= often for seldom, often in zip(gc.get_threshold(), usual, strict=True))
        assert gc.get_threshold() != usual
    finally:
        gc.set_threshold(*usual)
