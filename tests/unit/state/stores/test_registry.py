from __future__ import annotations

import pytest

from jwtgate.jose.sealing import Sealer
from jwtgate.state.stores import registry as registry_module
from jwtgate.state.stores.registry import AuditEntry, DocumentVersion, Kind, Registry, Resource
from jwtgate.state.stores.store import Append, Change, MemoryStore, StoreConflict, StoreFailed, Write

NOON = 1_800_000_000
ORDERS = {"path": "/orders/*", "auth": "required"}
STOCK = {"path": "/stock/*", "auth": "none"}


def registry(store: MemoryStore | None = None, sealer: Sealer | None = None) -> Registry:
    return Registry(store or MemoryStore(), wall=lambda: NOON + 0.5, sealer=sealer)


def test_a_resource_is_read_as_it_was_put() -> None:
    held = registry()
    put = held.put(Kind.CONSUMER, "orders", ORDERS, over=0, who="ann")
    assert put == Resource(Kind.CONSUMER, "orders", ORDERS, 1, NOON, "ann")
    assert held.get(Kind.CONSUMER, "orders") == put
    assert held.get(Kind.REVOCATION, "orders") is None
    assert held.put(Kind.CONSUMER, "orders", STOCK, over=1, who="bob") == Resource(
        Kind.CONSUMER, "orders", STOCK, 2, NOON, "bob"
    )


@pytest.mark.parametrize("over", [0, 2])
def test_a_resource_is_changed_only_over_the_version_that_was_read(over: int) -> None:
    held = registry()
    first = held.put(Kind.CONSUMER, "orders", ORDERS, over=0, who="ann")
    with pytest.raises(StoreConflict):
        held.put(Kind.CONSUMER, "orders", STOCK, over=over, who="bob")
    with pytest.raises(StoreConflict):
        held.delete(Kind.CONSUMER, "orders", over=over, who="bob")
    assert held.get(Kind.CONSUMER, "orders") == first
    assert held.changes == 1


def test_who_names_no_version_writes_over_any() -> None:
    held = registry()
    assert held.put(Kind.CONSUMER, "orders", ORDERS, over=None, who="ann").version == 1
    assert held.put(Kind.CONSUMER, "orders", STOCK, over=None, who="ann").version == 2


class Hurried(MemoryStore):
    """Somebody else writes the record just before the first writes here."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def write_all(self, changes: list[Change]) -> tuple[int, ...]:  # type: ignore[override]
        first = changes[0]
        if self.times and isinstance(first, Write):
            self.times -= 1
            super().write_all([Write(first.name, b"{}", first.over)])
        return super().write_all(changes)


def test_who_names_no_version_tries_again_when_somebody_was_quicker() -> None:
    assert registry(Hurried(3)).put(Kind.CONSUMER, "orders", ORDERS, over=None, who="ann").version == 4


def test_and_does_not_try_for_ever() -> None:
    with pytest.raises(StoreConflict):
        registry(Hurried(1_000)).put(Kind.CONSUMER, "orders", ORDERS, over=None, who="ann")


def test_a_resource_is_deleted_once() -> None:
    held = registry()
    held.put(Kind.CONSUMER, "orders", ORDERS, over=0, who="ann")
    assert held.delete(Kind.CONSUMER, "orders", over=1, who="ann")
    assert held.get(Kind.CONSUMER, "orders") is None
    assert not held.delete(Kind.CONSUMER, "orders", over=None, who="ann")
    assert held.changes == 2


def test_a_version_is_not_met_again_after_a_deletion() -> None:
    held = registry()
    held.put(Kind.CONSUMER, "orders", ORDERS, over=0, who="ann")
    held.delete(Kind.CONSUMER, "orders", over=1, who="ann")
    assert held.put(Kind.CONSUMER, "orders", STOCK, over=0, who="bob").version == 2


def test_resources_stand_in_the_order_of_their_names() -> None:
    held = registry()
    for name in ("b", "a", "c/d", "ab"):
        held.put(Kind.CONSUMER, name, {"name": name}, over=0, who="ann")
    held.put(Kind.REVOCATION, "x", {}, over=0, who="ann")
    assert [each.name for each in held.all(Kind.CONSUMER)] == ["a", "ab", "b", "c/d"]


def test_every_resource_is_found_however_many_pages_they_fill() -> None:
    held = registry()
    names = [f"n{number:04}" for number in range(2_100)]
    for name in names:
        held.put(Kind.CONSUMER, name, {}, over=0, who="ann")
    assert [each.name for each in held.all(Kind.CONSUMER)] == names
    assert list(held.all(Kind.REVOCATION)) == []


def test_what_ended_by_itself_is_nobodys_doing() -> None:
    held = registry()
    one = held.put(Kind.REVOCATION, "r1", {}, over=0, who="ann")
    held.forget(Kind.REVOCATION, {"r1": one.version})
    assert held.get(Kind.REVOCATION, "r1") is None
    assert held.changes == 1


def test_the_document_of_each_version_is_kept() -> None:
    held = registry()
    assert held.document() is None
    assert held.apply_document({"a": 1}, over=0, who="ann") == DocumentVersion(1, {"a": 1}, NOON, "ann")
    held.apply_document({"a": 2}, over=1, who="bob")
    assert held.document() == DocumentVersion(2, {"a": 2}, NOON, "bob")
    assert held.document_at(1) == DocumentVersion(1, {"a": 1}, NOON, "ann")
    assert held.document_at(3) is None
    assert [each.version for each in held.documents(after=1)] == [2]


def test_a_document_is_applied_only_over_the_version_that_was_read() -> None:
    held = registry()
    held.apply_document({"a": 1}, over=0, who="ann")
    for over in (0, 2):
        with pytest.raises(StoreConflict):
            held.apply_document({"a": 2}, over=over, who="bob")
    assert held.apply_document({"a": 3}, over=None, who="bob").version == 2


def test_old_documents_are_let_go_of() -> None:
    held = registry()
    for number in range(registry_module.MOST_DOCUMENTS + 2):
        held.apply_document({"a": number}, over=None, who="ann")
    assert held.document_at(2) is None
    assert held.documents(limit=1)[0].value == {"a": 2}


def test_the_audit_log_says_who_did_what() -> None:
    held = registry()
    held.put(Kind.CONSUMER, "orders/eu", ORDERS, over=0, who="ann")
    held.delete(Kind.CONSUMER, "orders/eu", over=None, who="bob")
    held.apply_document({}, over=0, who="ann")
    held.note("rotate", "signing_key/main", who="cid")
    assert held.audit() == (
        AuditEntry(1, NOON, "ann", "put", "consumer", "orders/eu", 0),
        AuditEntry(2, NOON, "bob", "delete", "consumer", "orders/eu", 1),
        AuditEntry(3, NOON, "ann", "apply", "document", "", 0),
        AuditEntry(4, NOON, "cid", "rotate", "signing_key", "main", 0),
    )
    assert [entry.number for entry in held.audit(after=1, limit=2)] == [2, 3]
    assert held.changes == 4


def test_a_change_that_fails_leaves_no_entry() -> None:
    class Full(MemoryStore):
        def write_all(self, changes: list[Change]) -> tuple[int, ...]:  # type: ignore[override]
            if any(isinstance(change, Append) for change in changes):
                raise StoreFailed("disk full")
            return super().write_all(changes)

    held = registry(Full())
    with pytest.raises(StoreFailed):
        held.put(Kind.CONSUMER, "orders", ORDERS, over=0, who="ann")
    assert held.get(Kind.CONSUMER, "orders") is None


def test_sec_150_values_are_sealed_with_the_master_key() -> None:
    store, sealer = MemoryStore(), Sealer(b"m" * 32)
    held = registry(store, sealer)
    put = held.put(Kind.CONSUMER, "ann", {"secret": "hush"}, over=0, who="bob")
    applied = held.apply_document({"secret": "hush"}, over=0, who="bob")
    kept = [record.value for _, record in store.records("resource/")]
    kept += [entry.value for log in ("document", "audit") for entry in store.entries(log)]
    assert len(kept) == 4
    assert not any(b"hush" in value for value in kept)
    assert held.get(Kind.CONSUMER, "ann") == put
    assert held.document() == applied


def test_sec_150_without_the_master_key_nothing_is_read() -> None:
    store = MemoryStore()
    registry(store, Sealer(b"m" * 32)).put(Kind.CONSUMER, "ann", {}, over=0, who="bob")
    with pytest.raises(StoreFailed, match="master key"):
        registry(store).get(Kind.CONSUMER, "ann")
    with pytest.raises(StoreFailed, match="another secret"):
        registry(store, Sealer(b"o" * 32)).get(Kind.CONSUMER, "ann")


def test_what_was_kept_before_there_was_a_master_key_is_read_and_sealed_when_it_is_written() -> None:
    store = MemoryStore()
    registry(store).put(Kind.CONSUMER, "ann", {"secret": "hush"}, over=0, who="bob")
    held = registry(store, Sealer(b"m" * 32))
    kept = held.get(Kind.CONSUMER, "ann")
    assert kept is not None
    held.put(Kind.CONSUMER, "ann", kept.value, over=1, who="bob")
    ((_, record),) = store.records("resource/")
    assert b"hush" not in record.value


def test_sec_150_a_sealed_value_does_not_pass_for_another() -> None:
    store = MemoryStore()
    held = registry(store, Sealer(b"m" * 32))
    held.put(Kind.CONSUMER, "ann", {}, over=0, who="bob")
    ((_, record),) = store.records("resource/consumer/")
    store.write("resource/consumer/eve", record.value, over=0)
    with pytest.raises(StoreFailed):
        held.get(Kind.CONSUMER, "eve")


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"{}", b'"x"'])
def test_a_record_that_is_damaged_is_not_taken_for_an_empty_one(value: bytes) -> None:
    store = MemoryStore()
    store.write("resource/consumer/orders", value, over=0)
    with pytest.raises(StoreFailed, match="cannot be read"):
        registry(store).get(Kind.CONSUMER, "orders")


def test_values_are_not_shown_by_accident() -> None:
    held = registry()
    shown = repr(held.put(Kind.CONSUMER, "ann", {"secret": "hush"}, over=0, who="bob"))
    assert "hush" not in shown + repr(held.apply_document({"secret": "hush"}, over=0, who="bob"))
