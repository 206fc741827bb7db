from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from jwtgate.jose.sealing import Sealer
from jwtgate.policy.revocations import Revocation, RevokedBy
from jwtgate.state.callers.revocations import RevocationList
from jwtgate.state.stores.registry import Kind, Registry, Resource
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import MemoryStore, Store, StoreFailed

NOON = 1_800_000_000
ANN = Revocation("r1", RevokedBy.SUBJECT, "ann", "main", NOON - 60, NOON + 60, "left")
BOB = Revocation("r2", RevokedBy.CONSUMER, "bob")
ENDING = Revocation("r3", RevokedBy.JTI, "j", expires_at=NOON + 1)


class Clock:
    def __init__(self) -> None:
        self.now = float(NOON)

    def __call__(self) -> float:
        return self.now


def registry(store: Store | None = None) -> Registry:
    return Registry(store or MemoryStore(), wall=lambda: NOON)


def listed(held: Registry, clock: Clock | None = None, most: int = 10) -> RevocationList:
    return RevocationList(held, wall=clock or Clock(), most=most)


def test_an_entry_is_in_force_once_it_was_added() -> None:
    revoked = listed(registry())
    assert revoked.entries() == ()
    revoked.add(ANN, who="op")
    revoked.add(BOB, who="op")
    assert revoked.entries() == (ANN, BOB)


def test_an_entry_replaces_the_one_of_its_id() -> None:
    revoked = listed(registry())
    later = Revocation("r1", RevokedBy.SUBJECT, "ann")
    revoked.add(ANN, who="op")
    revoked.add(later, who="op")
    assert revoked.entries() == (later,)


def test_sec_75_what_was_revoked_stays_so_after_a_restart(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "db")
    revoked = listed(registry(store))
    for entry in (ANN, BOB, ENDING):
        revoked.add(entry, who="op")
    assert revoked.remove("r2", who="op")
    store.close()
    store = SqliteStore(tmp_path / "db")
    assert listed(registry(store)).entries() == (ANN, ENDING)
    store.close()


def test_an_entry_is_removed_once() -> None:
    revoked = listed(registry())
    revoked.add(ANN, who="op")
    assert revoked.remove("r1", who="op")
    assert not revoked.remove("r1", who="op")
    assert revoked.entries() == ()


def test_sec_75_an_entry_ends_with_what_it_is_about() -> None:
    clock, held = Clock(), registry()
    revoked = listed(held, clock)
    revoked.add(ANN, who="op")
    revoked.add(ENDING, who="op")
    clock.now = NOON + 0.9
    assert revoked.entries() == (ANN, ENDING)
    assert revoked.expire() == 0
    clock.now = NOON + 1
    assert revoked.entries() == (ANN,)
    assert held.get(Kind.REVOCATION, "r3") is not None
    assert revoked.expire() == 1
    assert held.get(Kind.REVOCATION, "r3") is None
    assert held.get(Kind.REVOCATION, "r1") is not None


def test_an_entry_that_ended_while_nobody_looked_is_not_in_force_after_a_restart() -> None:
    clock, held = Clock(), registry()
    listed(held, clock).add(ENDING, who="op")
    clock.now = NOON + 1
    again = listed(held, clock)
    assert again.entries() == ()
    assert again.expire() == 1


def test_very_many_end_together() -> None:
    clock, held = Clock(), registry()
    revoked = listed(held, clock, most=3_000)
    for number in range(2_500):
        revoked.add(Revocation(str(number), RevokedBy.JTI, "j", expires_at=NOON + 1), who="op")
    clock.now = NOON + 1
    assert revoked.expire() == 2_500
    assert not list(held.all(Kind.REVOCATION))


def test_there_is_a_bound_and_it_is_told() -> None:
    held = registry()
    revoked = listed(held, most=2)
    revoked.add(ANN, who="op")
    revoked.add(BOB, who="op")
    with pytest.raises(StoreFailed, match="full: it holds 2 entries"):
        revoked.add(ENDING, who="op")
    assert revoked.entries() == (ANN, BOB)
    assert held.get(Kind.REVOCATION, "r3") is None
    revoked.add(ANN, who="op")


def test_entries_that_ended_make_room() -> None:
    clock = Clock()
    revoked = listed(registry(), clock, most=2)
    revoked.add(ENDING, who="op")
    revoked.add(BOB, who="op")
    clock.now = NOON + 1
    revoked.add(ANN, who="op")
    assert revoked.entries() == (BOB, ANN)


def test_what_the_store_did_not_keep_is_not_in_force() -> None:
    class Full(MemoryStore):
        def write_all(self, changes):
            raise StoreFailed("disk full")

    revoked = listed(registry(Full()))
    with pytest.raises(StoreFailed):
        revoked.add(ANN, who="op")
    assert revoked.entries() == ()


def test_what_the_store_still_keeps_is_still_in_force() -> None:
    class Filling(MemoryStore):
        full = False

        def write_all(self, changes):
            if self.full:
                raise StoreFailed("disk full")
            return super().write_all(changes)

    clock, store = Clock(), Filling()
    revoked = listed(registry(store), clock)
    revoked.add(ANN, who="op")
    store.full = True
    clock.now = NOON + 60
    for change in (lambda: revoked.remove("r1", who="op"), revoked.expire):
        with pytest.raises(StoreFailed):
            change()
    clock.now = NOON
    assert revoked.entries() == (ANN,)


def test_adding_and_removing_is_written_down_and_ending_is_not() -> None:
    clock, held = Clock(), registry()
    revoked = listed(held, clock)
    revoked.add(ENDING, who="ann")
    revoked.add(BOB, who="ann")
    revoked.remove("r2", who="bob")
    clock.now = NOON + 1
    revoked.expire()
    assert [(entry.who, entry.action, entry.kind, entry.name) for entry in held.audit()] == [
        ("ann", "put", "revocation", "r3"),
        ("ann", "put", "revocation", "r2"),
        ("bob", "delete", "revocation", "r2"),
    ]


def test_sec_150_the_list_is_sealed_with_the_master_key() -> None:
    store = MemoryStore()
    held = Registry(store, wall=lambda: NOON, sealer=Sealer(b"m" * 32))
    listed(held).add(Revocation("r1", RevokedBy.SUBJECT, "ann@example.com"), who="op")
    assert not any(b"ann@example.com" in record.value for _, record in store.records("resource/"))


WHOLE = {"by": "subject", "value": "x", "issuer": None, "issued_before": None, "expires_at": None, "note": ""}


def test_a_whole_entry_is_read() -> None:
    held = registry()
    held.put(Kind.REVOCATION, "r1", WHOLE, over=0, who="op")
    assert listed(held).entries() == (Revocation("r1", RevokedBy.SUBJECT, "x"),)


@pytest.mark.parametrize(
    "value", [{}, {**WHOLE, "by": "nonsense"}, {**WHOLE, "by": 1}, {**WHOLE, "expires_at": "soon"}]
)
def test_an_entry_that_cannot_be_read_is_not_passed_over(value: dict[str, object]) -> None:
    held = registry()
    held.put(Kind.REVOCATION, "r1", value, over=0, who="op")
    with pytest.raises(StoreFailed, match="cannot be read"):
        listed(held)


def test_the_entries_are_told_while_another_is_being_written() -> None:
    seen: list[tuple[Revocation, ...]] = []

    class Looking(Registry):
        def put(self, kind: Kind, name: str, value: Any, *, over: int | None, who: str) -> Resource:
            asking = Thread(target=lambda: seen.append(revoked.entries()), daemon=True)
            asking.start()
            asking.join(timeout=30)
            return super().put(kind, name, value, over=over, who=who)

    revoked = listed(Looking(MemoryStore(), wall=lambda: NOON))
    revoked.add(ANN, who="op")
    revoked.add(BOB, who="op")
    assert seen == [(), (ANN,)]
