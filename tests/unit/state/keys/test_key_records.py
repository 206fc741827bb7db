from __future__ import annotations

from dataclasses import replace

import pytest

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON, json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.sealing import Sealer, is_sealed
from jwtgate.state.keys.key_records import Kept, KeyRecords, copied, is_alike
from jwtgate.state.keys.rotation import USUAL_PERIODS, Periods, SigningKey
from jwtgate.state.stores.store import MemoryStore, StoreConflict

NOON = 1_800_000_000
KEY = generate_key("ES256", kid="k1").bound_to("ES256")
HELD = SigningKey(KEY, "ES256", NOON, NOON + 1, retiring_from=NOON + 2, retired_from=NOON + 3, periods=Periods(4, 5))
KEPT = Kept((HELD,), given=True, published=False, periods=Periods(6, 7))
SEALER = Sealer(b"m" * 32)


def written(members: JSON) -> KeyRecords:
    store = MemoryStore()
    store.write("keyring/main", json_bytes(members), over=0)
    return KeyRecords(store, None)


def first_form(**changed: JSON) -> dict[str, JSON]:
    """A key as the first releases wrote it."""
    instants: dict[str, JSON] = {"published_at": NOON, "active_from": NOON, "retiring_from": None, "retired_from": None}
    return {"jwk": dict(KEY.to_private_jwk()), "alg": "ES256", **instants, **changed}  # type: ignore[dict-item]


@pytest.mark.parametrize("sealer", [None, SEALER])
def test_what_is_written_is_read_again(sealer: Sealer | None) -> None:
    records = KeyRecords(MemoryStore(), sealer)
    assert (records.read("main"), records.version("main")) == (None, 0)
    made = records.write("main", KEPT, over=0)
    read = records.read("main")
    assert read is not None
    assert is_alike(read.kept, KEPT)
    assert (read.version, read.is_sealed) == (made.version, made.is_sealed) == (1, sealer is not None)
    assert (records.names(), records.version("main"), records.are_sealed) == (("main",), 1, sealer is not None)
    (held,) = read.kept.life
    assert held.key.is_private
    assert replace(held, key=KEY) == HELD


def test_a_public_half_stays_one() -> None:
    records = KeyRecords(MemoryStore(), None)
    records.write("main", Kept((replace(HELD, key=KEY.public()),)), over=0)
    read = records.read("main")
    assert read is not None
    assert not read.kept.life[0].key.is_private


def test_every_difference_is_one() -> None:
    again = Kept((replace(HELD, key=Key.from_jwk(KEY.to_private_jwk())),), True, published=False, periods=Periods(6, 7))
    assert is_alike(KEPT, again)
    others = [
        replace(KEPT, life=()),
        replace(KEPT, given=False),
        replace(KEPT, published=True),
        replace(KEPT, periods=Periods(6, 8)),
        replace(KEPT, life=(replace(HELD, key=KEY.public()),)),
        *(replace(KEPT, life=(replace(HELD, **{name: 9}),)) for name in ("published_at", "active_from")),  # type: ignore[arg-type]
        *(replace(KEPT, life=(replace(HELD, **{name: 9}),)) for name in ("retiring_from", "retired_from")),  # type: ignore[arg-type]
        replace(KEPT, life=(replace(HELD, periods=Periods(4, 6)),)),
    ]
    assert not any(is_alike(KEPT, other) for other in others)


def test_a_record_is_written_over_the_version_that_was_read_and_no_other() -> None:
    records = KeyRecords(MemoryStore(), None)
    records.write("main", KEPT, over=0)
    with pytest.raises(StoreConflict):
        records.write("main", KEPT, over=0)
    with pytest.raises(StoreConflict):
        records.delete("main", over=2)
    records.delete("main", over=1)
    assert records.read("main") is None


def test_what_is_done_to_a_copy_is_done_to_nobody() -> None:
    store = MemoryStore()
    store.write("other/main", b"", over=0)
    KeyRecords(store, SEALER).write("main", KEPT, over=0)
    copy = copied(store)
    records = KeyRecords(copy, SEALER)
    record = records.read("main")
    assert record is not None
    assert is_alike(record.kept, KEPT)
    assert copy.read("other/main") is None
    records.delete("main", over=records.version("main"))
    records.write("second", KEPT, over=0)
    assert KeyRecords(store, SEALER).names() == ("main",)


def test_a_record_of_the_first_releases_is_read() -> None:
    read = written({"keys": [first_form()]}).read("main")
    assert read is not None
    assert (read.kept.given, read.kept.published, read.kept.periods) == (False, True, USUAL_PERIODS)
    assert read.kept.life[0].periods == USUAL_PERIODS


def test_sec_150_what_was_written_in_plain_is_read_with_a_master_key_and_then_sealed() -> None:
    store = MemoryStore()
    KeyRecords(store, None).write("main", KEPT, over=0)
    records = KeyRecords(store, SEALER)
    read = records.read("main")
    assert read is not None
    assert (read.is_sealed, is_alike(read.kept, KEPT)) == (False, True)
    records.write("main", read.kept, over=1)
    record = store.read("keyring/main")
    assert record is not None
    assert is_sealed(record.value)


def test_sec_150_a_sealed_record_opens_for_its_master_key_and_its_name_alone() -> None:
    store = MemoryStore()
    KeyRecords(store, SEALER).write("main", KEPT, over=0)
    record = store.read("keyring/main")
    assert record is not None
    store.write("keyring/other", record.value, over=0)
    for name, sealer, sentence in (
        ("main", None, "'main' are sealed; the master key"),
        ("main", Sealer(b"x" * 32), "'main' cannot be read"),
        ("other", SEALER, "'other' cannot be read"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            KeyRecords(store, sealer).read(name)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"keys": 1},
        {"keys": [1]},
        {"keys": [first_form(alg=None)]},
        {"keys": [first_form(jwk={"kty": "EC"})]},
        {"keys": [first_form(periods=[1])]},
        {"keys": [], "given": False, "published": True, "periods": None},
    ],
)
def test_anything_else_is_no_key_ring(members: JSON) -> None:
    with pytest.raises(ConfigError, match="'main' cannot be read"):
        written(members).read("main")
