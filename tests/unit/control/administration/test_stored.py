"""Versions of what operators added, and which of them changed what."""

from jwtgate.control.administration.stored import Stored, stored_in
from jwtgate.state.stores.registry import DocumentVersion

ROUTE, OTHER = {"path": "/a"}, {"path": "/b"}


def test_before_the_first_version_nothing_is_added() -> None:
    assert stored_in(None) == Stored()
    assert (Stored().version, Stored().added) == (0, {})


def test_an_entry_keeps_the_version_that_changed_it_last() -> None:
    first = Stored().after({"routes": {"a": ROUTE, "b": ROUTE}}, at=10)
    stored = stored_in(DocumentVersion(1, first, 10, "alice"))
    second = stored.after({"routes": {"a": ROUTE, "b": OTHER, "c": ROUTE}}, at=20)
    assert second["changed"] == {
        "routes/a": {"version": 1, "at": 10},
        "routes/b": {"version": 2, "at": 20},
        "routes/c": {"version": 2, "at": 20},
    }
    kept = stored_in(DocumentVersion(2, second, 20, "bob"))
    assert kept.added == {"routes": {"a": ROUTE, "b": OTHER, "c": ROUTE}}
    assert (kept.version, kept.by) == (2, "bob")


def test_an_entry_that_is_gone_has_no_version() -> None:
    first = Stored().after({"routes": {"a": ROUTE}}, at=10)
    assert stored_in(DocumentVersion(1, first, 10, "alice")).after({}, at=20)["changed"] == {}
