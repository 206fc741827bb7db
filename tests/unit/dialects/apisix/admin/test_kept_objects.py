from __future__ import annotations

from jwtgate.dialects.apisix.admin.kept_objects import (
    ended,
    entries,
    entry,
    with_end,
    with_object,
    without_mark,
    without_object,
)


def test_a_replaced_object_keeps_when_it_was_made() -> None:
    made = with_object({}, "routes", "1", {"uri": "/a"}, index=5, ends=None)
    changed = with_object(made, "routes", "1", {"uri": "/b"}, index=9, ends=None)
    found = entry(changed, "routes", "1")
    assert found is not None
    assert (found.key, found.value, found.created, found.modified) == ("/apisix/routes/1", {"uri": "/b"}, 5, 9)
    assert made["routes"] == {"1": {"uri": "/a"}}


def test_an_object_of_a_file_has_no_history() -> None:
    found = entries({"routes": {"1": {"uri": "/a"}}}, "routes")
    assert [(each.created, each.modified) for each in found] == [(1, 1)]
    assert entry({}, "routes", "1") is None


def test_a_deleted_object_leaves_nothing() -> None:
    made = with_object({}, "routes", "1", {}, index=5, ends=7)
    assert without_object(made, "routes", "1") == {"routes": {}, "marks": {}}


def test_what_was_to_live_for_a_time_ends_then() -> None:
    made = with_end(with_object({}, "routes", "1", {}, index=5, ends=7), "consumers/jack", 9)
    assert (ended(made, 6), ended(made, 7), ended(made, 9)) == ([], ["routes/1"], ["routes/1", "consumers/jack"])
    assert ended(with_object(made, "routes", "1", {}, index=6, ends=None), 8) == []
    assert ended(with_end(made, "consumers/jack", None), 9) == ["routes/1"]


def test_nothing_is_changed_where_nothing_ends() -> None:
    objects = {"routes": {"1": {}}}
    assert without_mark(objects, "consumers/jack") is objects
    assert with_end(objects, "consumers/jack", None) is objects
