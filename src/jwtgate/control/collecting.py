"""The garbage collector, kept from walking over what is held for long: whoever waits would be held up (REL-21).

A plan that is let go of needs no collector to go.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MOST_SETTLED = 200_000
"""So many objects are walked over in some forty milliseconds."""


def collect_seldom() -> None:
    """Look for garbage less often than is usual, above all among what is held for long: a worker makes hardly any, and
    what it remembers comes and goes by the thousand.
    """
    gc.set_threshold(10_000, 10, 100)


@contextmanager
def without_collecting() -> Iterator[None]:
    """No looking for garbage meanwhile, nor later among what was made: very many objects, nearly all of which stay."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def settle_memory() -> None:
    """Take what is held for long out of the collector's sight, once what is garbage already has gone."""
    gc.collect()
    gc.freeze()


def settle_all_memory() -> None:
    """The same with all that was taken out of its sight before, where it is not too much: for the little garbage that
    was in use when that was done.
    """
    if gc.get_freeze_count() <= MOST_SETTLED:
        gc.unfreeze()
    settle_memory()
