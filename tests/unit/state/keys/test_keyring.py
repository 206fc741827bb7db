from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet as TheirKeySet

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.keys import manual_rotation
from jwtgate.state.keys.key_records import KeyRecords
from jwtgate.state.keys.keyring import Given, Keyring, Signer, is_given, sealer_of
from jwtgate.state.keys.rotation import FORGET_SECONDS, SPREAD_SECONDS, Periods, SigningKey
from jwtgate.state.stores.store import MemoryStore, Record, Store, StoreConflict, StoreFailed
from jwtgate.verifier import sign

NOON = 1_800_000_000
PERIODS = Periods(cache_seconds=300, token_seconds=1000)
LEAD = 300 + SPREAD_SECONDS
MAIN = SigningKeys("main")
MAIN_RSA = SigningKeys("main", "RS256")


class Clock:
    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def ring(store: Store, clock: Clock | None = None, *, sealer: Sealer | None = None) -> Keyring:
    return Keyring.open(store, wall=clock or Clock(), periods=PERIODS, sealer=sealer)


def states(keys: tuple[SigningKey, ...], now: float) -> list[str]:
    return [key.state(now).value for key in keys]


def kid(key: Key) -> str:
    assert key.kid is not None
    return key.kid


def test_a_secret_of_ours_signs_and_is_never_published() -> None:
    keyring = ring(MemoryStore())
    keyring.ensure(SigningKeys("legacy", "HS256"))
    assert keyring.signer("legacy").alg == "HS256"
    assert keyring.to_jwks() == {"keys": []}


def test_a_key_is_made_on_first_use_and_kept() -> None:
    store = MemoryStore()
    first = ring(store)
    first.ensure(MAIN)
    signer = first.signer("main")
    assert (signer.key.is_private, signer.key.alg, signer.alg, signer.certificates) == (True, "ES256", "ES256", ())
    second = ring(store)
    second.ensure(MAIN)
    assert second.signer("main").key.kid == signer.key.kid


def test_sec_155_only_public_halves_are_published() -> None:
    keyring = ring(MemoryStore())
    keyring.ensure(MAIN)
    keyring.ensure(SigningKeys("other", "Ed25519"))
    assert not any(key.is_private for key in keyring.published())
    entries = keyring.to_jwks()["keys"]
    assert isinstance(entries, list)
    assert sorted(entry["alg"] for entry in entries) == ["ES256", "Ed25519"]
    assert not any("d" in entry for entry in entries)


def test_another_algorithm_in_the_document_makes_a_successor() -> None:
    store, clock = MemoryStore(), Clock()
    ring(store, clock).ensure(MAIN)
    keyring = ring(store, clock)
    keyring.ensure(MAIN_RSA)
    assert keyring.signer("main").alg == "ES256"
    assert len(keyring.published()) == 2
    assert keyring.next_change() == NOON + LEAD
    clock.now = NOON + LEAD
    assert keyring.signer("main").alg == "RS256"
    assert keyring.next_change() == NOON + LEAD + 1000
    clock.now = NOON + LEAD + 1000
    assert len(keyring.published()) == 1
    assert keyring.next_change() is None


def test_asking_twice_for_another_algorithm_makes_one_successor() -> None:
    store = MemoryStore()
    ring(store).ensure(MAIN)
    first, second = ring(store), ring(store)
    first.ensure(MAIN_RSA)
    second.ensure(MAIN_RSA)
    assert [key.key.kid for key in first.keys("main")] == [key.key.kid for key in second.keys("main")]


def test_a_name_that_was_never_asked_for_cannot_sign() -> None:
    with pytest.raises(DependencyFault) as caught:
        ring(MemoryStore()).signer("main")
    assert caught.value.reason == "signer_unavailable"


def test_rel_37_a_wall_clock_set_back_does_not_stop_signing() -> None:
    clock = Clock()
    keyring = ring(MemoryStore(), clock)
    keyring.ensure(MAIN)
    clock.now = NOON - 3600
    assert keyring.signer("main").alg == "ES256"


def test_two_processes_that_begin_together_agree_on_one_key() -> None:
    class Hurried(MemoryStore):
        def write(self, name: str, value: bytes, *, over: int) -> None:
            if over == 0 and self.read(name) is None:
                ring(shared).ensure(MAIN)
            super().write(name, value, over=over)

    shared = MemoryStore()
    hurried = Hurried()
    hurried._records = shared._records
    keyring = ring(hurried)
    keyring.ensure(MAIN)
    other = ring(shared)
    other.ensure(MAIN)
    assert keyring.signer("main").key.kid == other.signer("main").key.kid


def test_rel_83_a_write_that_fails_leaves_the_keys_as_they_were() -> None:
    class Full(MemoryStore):
        def write(self, name: str, value: bytes, *, over: int) -> None:
            raise StoreFailed("disk full")

    keyring = ring(Full())
    with pytest.raises(ConfigError, match="disk full"):
        keyring.ensure(MAIN)
    with pytest.raises(DependencyFault):
        keyring.signer("main")


def test_a_store_that_cannot_be_read_is_a_configuration_error() -> None:
    class Broken(MemoryStore):
        def read(self, name: str) -> Record | None:
            raise StoreFailed("locked")

    with pytest.raises(ConfigError, match="locked"):
        ring(Broken()).ensure(MAIN)


def test_a_conflict_that_repeats_is_not_fought_for_ever() -> None:
    class Contested(MemoryStore):
        def write(self, name: str, value: bytes, *, over: int) -> None:
            raise StoreConflict(name)

    with pytest.raises(ConfigError):
        ring(Contested()).ensure(MAIN)


def test_sec_150_private_keys_are_sealed_with_the_master_secret() -> None:
    store = MemoryStore()
    sealer = Sealer(b"m" * 32)
    keyring = ring(store, sealer=sealer)
    keyring.ensure(MAIN)
    record = store.read("keyring/main")
    assert record is not None
    assert b"jwk" not in record.value
    again = ring(store, sealer=sealer)
    again.ensure(MAIN)
    assert kid(again.signer("main").key) == kid(keyring.signer("main").key)
    with pytest.raises(ConfigError, match="'main' cannot be read"):
        ring(store, sealer=Sealer(b"x" * 32)).ensure(MAIN)
    with pytest.raises(ConfigError, match="the master key they were sealed with is needed"):
        ring(store).ensure(MAIN)


def test_sec_150_a_master_key_that_is_too_short_seals_nothing() -> None:
    assert sealer_of("m" * 32)
    with pytest.raises(ConfigError, match="32 bytes"):
        sealer_of("m" * 31)


def test_each_record_is_sealed_anew() -> None:
    sealer = Sealer(b"m" * 32)
    values = set()
    for _ in range(3):
        store = MemoryStore()
        ring(store, sealer=sealer).ensure(MAIN)
        record = store.read("keyring/main")
        assert record is not None
        values.add(record.value[:13])
    assert len(values) == 3


@pytest.mark.parametrize(
    "value", [b"", b"[]", b"{}", b'{"keys":[1]}', b'{"keys":[{"jwk":{}}]}', b'{"keys":[{"jwk":{},"alg":"ES256"}]}']
)
def test_a_record_that_is_no_key_ring_is_refused(value: bytes) -> None:
    store = MemoryStore()
    store.write("keyring/main", value, over=0)
    with pytest.raises(ConfigError, match="'main' cannot be read"):
        ring(store).ensure(MAIN)
