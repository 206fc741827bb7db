"""A table that never outgrows its bounds, whatever is put into it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import pytest

from jwtgate.state.bounded_table import BoundedTable, rough_bytes


@dataclass(frozen=True)
class Pair:
    left: str
    right: tuple[int, ...]


def test_what_is_held_is_found_and_nothing_else() -> None:
    table = BoundedTable[str, int](10, most_bytes=10_000)
    table.put("a", 1)
    assert (table.get("a"), table.get("b"), "a" in table, "b" in table, len(table)) == (1, None, True, False, 1)
    table.clear()
    assert (table.get("a"), len(table), table.evicted) == (None, 0, 0)


def test_rel_18_there_are_never_more_entries_than_allowed() -> None:
    table = BoundedTable[int, str](3, most_bytes=10_000)
    for number in range(5):
        table.put(number, "x")
    assert [number in table for number in range(5)] == [False, False, True, True, True]
    assert table.evicted == 2


def test_rel_18_there_are_never_more_bytes_than_allowed() -> None:
    table = BoundedTable[int, str](1_000, most_bytes=10_000)
    for number in range(1_000):
        table.put(number, "x" * 880)
    assert (len(table), table.evicted) == (10, 990)


def test_rel_18_what_is_too_large_is_not_held_and_pushes_nothing_out() -> None:
    table = BoundedTable[int, str](10, most_bytes=1_000)
    table.put(1, "x")
    table.put(2, "x" * 1_000)
    assert (1 in table, 2 in table, table.evicted) == (True, False, 1)


def test_another_value_takes_the_place_and_the_room_of_the_former() -> None:
    table = BoundedTable[int, str](10, most_bytes=1_000)
    for _ in range(50):
        table.put(1, "x" * 500)
    assert (len(table), table.evicted) == (1, 0)
    table.put(1, "x" * 2_000)
    assert table.get(1) is None
    table.put(2, "x" * 800)
    assert table.get(2) is not None


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("abc", 63),
        (b"abc", 63),
        (None, 60),
        (True, 60),
        (1.5, 60),
        (("a", "b"), 182),
        (frozenset({"a"}), 121),
        (MappingProxyType({"a": "b"}), 182),
        (Pair("a", (1, 2)), 60 + 61 + 180),
        (object(), 4_000),
        (range(3), 12_000),
        (range(0), 4_000),
    ],
)
def test_sizes_are_those_of_all_parts(value: object, size: int) -> None:
    assert rough_bytes(value) == size
