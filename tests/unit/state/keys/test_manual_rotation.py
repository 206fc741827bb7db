from __future__ import annotations

from collections.abc import Sequence

import pytest

from jwtgate.errors import ConfigError
from jwtgate.jose.key import generate_key
from jwtgate.jose.sealing import Sealer
from jwtgate.state.keys.key_records import Kept, KeyRecords
from jwtgate.state.keys.manual_rotation import RotationPending, planned, replace_now, rotate
from jwtgate.state.keys.rotation import Life, Periods, stopped, with_first
from jwtgate.state.stores.store import Change, MemoryStore, Record, StoreConflict, StoreFailed

NOON = 1_800_000_000
PERIODS = Periods(300, 1000)


def life(alg: str = "ES256") -> Life:
    return with_first(generate_key(alg).bound_to(alg), alg, now=NOON, periods=PERIODS)


def held(store: MemoryStore, sealer: Sealer | None = None) -> Life:
    record = KeyRecords(store, sealer).read("main")
    assert record is not None
    return record.kept.life


def stored(kept: Kept, sealer: Sealer | None = None) -> tuple[MemoryStore, KeyRecords]:
    store = MemoryStore()
    records = KeyRecords(store, sealer)
    records.write("main", kept, over=0)
    return store, records


def test_a_rotation_does_what_was_planned() -> None:
    store, records = stored(Kept(life(), periods=Periods(60, 60)))
    plan = planned(records, "main", NOON + 5)
    assert len(held(store)) == 1
    assert rotate(records, "main", NOON + 5) == plan
    former, new = held(store)
    assert (former.key.kid, former.retiring_from, former.retired_from) == (
        plan.former,
        plan.takes_over_at,
        plan.leaves_at,
    )
    assert (new.published_at, new.active_from) == (plan.published_at, plan.takes_over_at)


def test_the_new_key_is_of_the_same_kind_and_begins_with_the_periods_of_today() -> None:
    store, records = stored(Kept(life("Ed25519"), published=False, periods=Periods(60, 60)))
    rotate(records, "main", NOON)
    record = records.read("main")
    assert record is not None
    assert [(key.alg, key.periods) for key in held(store)] == [("Ed25519", PERIODS), ("Ed25519", Periods(60, 60))]
    assert (record.kept.published, record.kept.periods) == (False, Periods(60, 60))


def test_a_rotation_under_way_is_neither_begun_nor_planned_again() -> None:
    store, records = stored(Kept(life()))
    timetable = rotate(records, "main", NOON)
    for act in (rotate, planned):
        with pytest.raises(RotationPending) as caught:
            act(records, "main", NOON + 1)
        assert caught.value.timetable == timetable
    assert len(held(store)) == 2
    assert rotate(records, "main", timetable.takes_over_at).former != timetable.former


def test_a_key_that_others_know_is_replaced_at_once_also_during_a_rotation() -> None:
    store, records = stored(Kept(life()))
    rotate(records, "main", NOON)
    key = replace_now(records, "main", NOON + 5)
    (only,) = held(store)
    assert (only.key.kid, only.active_from, only.retiring_from) == (key.kid, NOON + 5, None)


def test_keys_that_are_not_there_not_in_use_or_not_ours_are_not_rotated() -> None:
    none = KeyRecords(MemoryStore(), None)
    _, unused = stored(Kept(stopped(life(), NOON)))
    _, given = stored(Kept(life(), given=True))
    for records, sentence in (
        (none, "no signing keys named 'main' in use"),
        (unused, "no signing keys named 'main' in use"),
        (given, "'main' are somebody else's"),
    ):
        for act in (planned, rotate, replace_now):
            with pytest.raises(ConfigError, match=sentence):
                act(records, "main", NOON)


def test_sec_150_a_sealed_record_stays_sealed_and_one_that_is_not_is_left_to_the_gateway() -> None:
    sealer = Sealer(b"m" * 32)
    store, records = stored(Kept(life()), sealer)
    rotate(records, "main", NOON)
    assert len(held(store, sealer)) == 2
    plain, _ = stored(Kept(life()))
    with pytest.raises(ConfigError, match="not sealed yet"):
        rotate(KeyRecords(plain, sealer), "main", NOON)
    assert len(held(plain)) == 1


@pytest.mark.parametrize(
    ("failure", "sentence"), [(StoreConflict("main"), "changed in the same moment"), (StoreFailed("full"), "full")]
)
def test_rel_83_a_write_that_fails_is_said_and_changes_nothing(failure: StoreFailed, sentence: str) -> None:
    class Failing(MemoryStore):
        fails = False

        def write_all(self, changes: Sequence[Change]) -> tuple[int, ...]:
            if self.fails:
                raise failure
            return super().write_all(changes)

    store = Failing()
    records = KeyRecords(store, None)
    records.write("main", Kept(life()), over=0)
    Failing.fails = True
    for act in (rotate, replace_now):
        with pytest.raises(ConfigError, match=sentence):
            act(records, "main", NOON)
    assert len(held(store)) == 1


def test_a_store_that_cannot_be_read_is_said() -> None:
    class Broken(MemoryStore):
        def read(self, name: str) -> Record | None:
            raise StoreFailed("locked")

    with pytest.raises(ConfigError, match="locked"):
        planned(KeyRecords(Broken(), None), "main", NOON)
