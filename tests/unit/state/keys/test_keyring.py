from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet as TheirKeySet

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.sources import KeyText, SigningKeys
from jwtgate.state.keys import manual_rotation
from jwtgate.state.keys.key_records import KeyRecords
from jwtgate.state.keys.keyring import Given, Keyring, Signer, is_given, sealer_of
from jwtgate.state.keys.rotation import FORGET_SECONDS, SPREAD_SECONDS, Periods
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import Change, MemoryStore, Record, Store, StoreConflict, StoreFailed
from jwtgate.verifier import sign

NOON = 1_800_000_000
PERIODS = Periods(cache_seconds=300, token_seconds=1000)
LEAD = 300 + SPREAD_SECONDS
REST = 1000 + SPREAD_SECONDS
WEEK = 7 * 86_400
MAIN = SigningKeys("main")
MAIN_RSA = SigningKeys("main", "RS256")


class Clock:
    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def ring(store: Store, clock: Clock | None = None, *, sealer: Sealer | None = None) -> Keyring:
    return Keyring.open(store, wall=clock or Clock(), periods=PERIODS, sealer=sealer)


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
    assert keyring.next_change() == NOON + LEAD + REST
    clock.now = NOON + LEAD + REST
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


# Rotation.


class Crash(BaseException):
    """The process ends here."""


class Fragile(MemoryStore):
    """A store whose writer may be killed just before or just after the write."""

    def __init__(self) -> None:
        super().__init__()
        self.crashes: Callable[[], str] = lambda: ""

    def write_all(self, changes: Sequence[Change]) -> tuple[int, ...]:
        when = self.crashes()
        if when == "before":
            raise Crash
        written = super().write_all(changes)
        if when == "after":
            raise Crash
        return written


def test_a_rotation_is_published_first_and_takes_over_when_it_says() -> None:
    clock = Clock()
    keyring = ring(MemoryStore(), clock)
    keyring.ensure(MAIN)
    old = keyring.signer("main").key.kid
    planned = keyring.planned("main")
    assert len(keyring.published()) == 1
    timetable = keyring.rotate("main")
    assert (timetable.former, timetable.takes_over_at) == (old, NOON + LEAD)
    assert timetable == planned
    assert len(keyring.published()) == 2
    assert keyring.signer("main").key.kid == old
    clock.now = timetable.takes_over_at
    assert keyring.signer("main").key.kid != old
    clock.now = timetable.leaves_at
    assert [key.kid for key in keyring.published()] == [keyring.signer("main").key.kid]


def test_a_rotation_under_way_is_not_begun_again() -> None:
    keyring = ring(MemoryStore())
    keyring.ensure(MAIN)
    timetable = keyring.rotate("main")
    with pytest.raises(manual_rotation.RotationPending, match="being rotated already") as caught:
        keyring.rotate("main")
    assert caught.value.timetable == timetable
    assert len(keyring.published()) == 2


def test_a_rotation_by_another_process_is_seen_at_the_next_look() -> None:
    store, clock = MemoryStore(), Clock()
    keyring = ring(store, clock)
    keyring.ensure(MAIN)
    assert keyring.reload()
    assert not keyring.reload()
    manual_rotation.rotate(KeyRecords(store, None), "main", NOON)
    assert keyring.reload()
    assert not keyring.reload()
    assert len(keyring.published()) == 2
    assert keyring.next_change() == NOON + LEAD


def test_a_key_replaced_at_once_by_another_process_is_gone_at_the_next_look() -> None:
    store = MemoryStore()
    keyring = ring(store)
    keyring.ensure(MAIN)
    keyring.rotate("main")
    key = manual_rotation.replace_now(KeyRecords(store, None), "main", NOON)
    assert keyring.reload()
    assert keyring.signer("main").key.kid == key.kid
    assert [published.kid for published in keyring.published()] == [key.kid]


def test_rel_35_a_scheduled_rotation_goes_its_way_without_anybody() -> None:
    clock = Clock()
    keyring = ring(MemoryStore(), clock)
    keyring.ensure(replace(MAIN, rotate_seconds=WEEK))
    first = keyring.signer("main").key.kid
    assert keyring.next_change() == NOON + WEEK - LEAD
    clock.now = NOON + WEEK - LEAD - 1
    keyring.advance()
    assert not keyring.advance()
    clock.now += 1
    assert keyring.advance()
    assert (len(keyring.published()), keyring.signer("main").key.kid) == (2, first)
    assert keyring.next_change() == NOON + WEEK
    clock.now = NOON + WEEK
    assert keyring.signer("main").key.kid != first


def test_rel_83_keys_of_a_name_the_document_lost_stay_published_until_their_tokens_have_ended() -> None:
    store, clock = MemoryStore(), Clock()
    ring(store, clock).ensure(MAIN)
    keyring = ring(store, clock)
    keyring.ensure(SigningKeys("other"))
    assert len(keyring.published()) == 2
    assert list(keyring.signers()) == ["other"]
    assert keyring.advance()
    clock.now = NOON + REST - 1
    assert len(keyring.published()) == 2
    clock.now = NOON + REST
    assert len(keyring.published()) == 1
    clock.now = NOON + REST + FORGET_SECONDS
    keyring.advance()
    assert store.read("keyring/main") is None


def test_a_key_ring_that_only_looks_lets_go_of_nothing() -> None:
    store, clock = MemoryStore(), Clock()
    ring(store, clock).ensure(MAIN)
    keyring = ring(store, clock)
    keyring.reload()
    clock.now = NOON + 5000
    assert len(keyring.published()) == 1


def test_keys_that_are_not_to_be_published_are_not_while_the_document_names_them_nor_after() -> None:
    store = MemoryStore()
    keyring = ring(store)
    keyring.ensure(replace(MAIN, published=False))
    assert (keyring.published(), keyring.signer("main").alg) == ((), "ES256")
    assert ring(store).published() == ()


def test_rel_83_a_longer_life_of_tokens_is_written_down_before_a_token_can_have_it() -> None:
    store, clock = MemoryStore(), Clock()
    ring(store, clock).ensure(MAIN)
    Keyring.open(store, wall=clock, periods=Periods(300, 50_000)).ensure(MAIN)
    keyring = ring(store, clock)
    keyring.ensure(MAIN)
    assert keyring.rotate("main").leaves_at == NOON + LEAD + 50_000 + SPREAD_SECONDS


def test_rel_83_a_store_that_fails_later_changes_nothing_and_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(MemoryStore):
        fails = False

        def read(self, name: str) -> Record | None:
            if self.fails:
                raise StoreFailed("locked")
            return super().read(name)

    store = Failing()
    keyring = ring(store)
    keyring.ensure(MAIN)
    keyring.reload()
    Failing.fails = True
    assert not keyring.advance()
    assert not keyring.reload()
    assert len(caplog.messages) == 1
    assert "locked" in caplog.messages[0]
    assert keyring.signer("main").alg == "ES256"
    Failing.fails = False
    keyring.reload()
    Failing.fails = True
    keyring.advance()
    assert len(caplog.messages) == 2


def test_rel_83_keys_survive_a_store_that_was_emptied_under_a_gateway() -> None:
    store = MemoryStore()
    keyring = ring(store)
    keyring.ensure(MAIN)
    before = keyring.signer("main").key.kid
    store.delete("keyring/main", over=1)
    keyring.advance()
    again = ring(store)
    again.ensure(MAIN)
    assert again.signer("main").key.kid == before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["first", "rotate", "schedule", "alg", "withdraw", "forget", "let_go"])
def test_rel_83_a_crash_at_any_step_leaves_the_keys_before_or_after_it(step: str, when: str) -> None:
    store, clock = Fragile(), Clock()
    weekly = replace(MAIN, rotate_seconds=WEEK)
    ahead = {"schedule": WEEK, "forget": LEAD + REST + FORGET_SECONDS, "let_go": 5}

    def take_step() -> None:
        keyring = ring(store, clock)
        if step == "rotate":
            keyring.rotate("main")
        elif step == "let_go":
            keyring.advance()
        else:
            keyring.ensure({"schedule": weekly, "alg": MAIN_RSA}.get(step, MAIN))

    if step != "first":
        ring(store, clock).ensure(MAIN)
    if step == "withdraw":
        ring(store, clock).ensure(replace(MAIN, alg="Ed25519"))
    if step == "forget":
        ring(store, clock).rotate("main")
    before = {held.key.kid for held in ring(store, clock).keys("main")}
    clock.now += ahead.get(step, 0)
    store.crashes = lambda: when
    with pytest.raises(Crash):
        take_step()
    store.crashes = lambda: ""
    crashed = {held.key.kid for held in ring(store, clock).keys("main")}
    assert (crashed == before) == (when == "before" or step == "let_go")
    with suppress(manual_rotation.RotationPending):
        take_step()
    after = ring(store, clock)
    alive = [held for held in after.keys("main") if held.retiring_from is None]
    assert len(alive) == (step != "let_go")
    assert when == "before" or {held.key.kid for held in after.keys("main")} == crashed


# Keys somebody else makes.

FILE = SigningKeys("main", file="key.json")
URL = SigningKeys("main", url="https://keys.example/private")


def given(*keys: Key) -> Given:
    return Given(tuple(keys))


def made(kid: str, alg: str = "ES256") -> Key:
    return generate_key(alg, kid=kid).bound_to(alg)


def test_keys_of_somebody_else_sign_first_come_and_are_all_published() -> None:
    keyring = ring(MemoryStore())
    keyring.ensure(FILE)
    assert keyring.signers() == {}
    keyring.take(FILE, given(made("a"), made("b").public()))
    assert keyring.signer("main").key.kid == "a"
    assert [key.kid for key in keyring.published()] == ["a", "b"]
    assert not any(key.is_private for key in keyring.published())
    assert keyring.reload()
    assert not keyring.reload()


def test_keys_read_again_without_a_change_tell_of_none() -> None:
    keyring, a, b = ring(MemoryStore()), made("a"), made("b")
    keyring.take(FILE, given(a, b))
    keyring.reload()
    keyring.take(FILE, given(Key.from_jwk(a.to_private_jwk()), Key.from_jwk(b.to_private_jwk())))
    assert not keyring.reload()
    keyring.take(FILE, given(a))
    assert keyring.reload()


def test_a_certificate_belongs_to_its_key() -> None:
    keyring, a = ring(MemoryStore()), made("a")
    keyring.take(FILE, Given((a,), {a.thumbprint(): (b"leaf", b"root")}))
    assert keyring.signer("main").certificates == (b"leaf", b"root")


def test_rel_83_keys_of_somebody_else_that_are_gone_stay_published_over_a_restart() -> None:
    store, clock = MemoryStore(), Clock()
    ring(store, clock).take(FILE, given(made("a")))
    keyring = ring(store, clock)
    keyring.take(FILE, given(made("b")))
    clock.now += REST - 1
    again = ring(store, clock)
    again.ensure(FILE)
    assert [key.kid for key in again.published()] == ["a", "b"]
    clock.now += 1
    assert [key.kid for key in again.published()] == ["b"]


def test_sec_150_private_keys_of_somebody_else_are_kept_only_sealed_and_only_from_an_address() -> None:
    sealer = Sealer(b"m" * 32)
    for wanted, seals, kept in ((URL, True, True), (URL, False, False), (FILE, True, False)):
        store, key = MemoryStore(), made("a")
        ring(store, sealer=sealer if seals else None).take(wanted, given(key))
        again = ring(store, sealer=sealer if seals else None)
        again.ensure(wanted)
        assert list(again.signers()) == (["main"] if kept else [])
        record = store.read("keyring/main")
        assert record is not None
        assert str(key.to_private_jwk()["d"]).encode() not in record.value


def test_keys_of_somebody_else_that_cannot_be_read_now_are_taken_over_from_the_generation_before() -> None:
    store = MemoryStore()
    before = ring(store)
    before.take(URL, given(made("a")))
    before.ensure(SigningKeys("own"))
    for wanted, able in ((URL, ["main"]), (replace(URL, url="https://other.example/"), [])):
        keyring = ring(store)
        keyring.ensure(wanted)
        keyring.adopt(before)
        assert list(keyring.signers()) == able
    keyring.ensure(URL)
    keyring.adopt(before)
    keyring.take(URL, given(made("b")))
    assert keyring.signer("main").key.kid == "b"


def test_a_secret_of_somebody_else_signs_and_is_neither_kept_nor_published() -> None:
    store = MemoryStore()
    keyring = ring(store)
    legacy = SigningKeys("main", "HS256", secret=KeyText(text="s"))
    key = Key.secret(b"an Aeolian harp of 32 bytes or so", alg="HS256")
    keyring.ensure(legacy)
    keyring.take(legacy, given(key))
    assert (keyring.signer("main"), keyring.published()) == (Signer(key, "HS256"), ())
    assert store.names("keyring/") == ()


def test_rel_83_keys_of_our_own_making_stay_published_when_somebody_else_takes_over_and_back() -> None:
    store, clock = MemoryStore(), Clock()
    keyring = ring(store, clock)
    keyring.ensure(MAIN)
    ours = keyring.signer("main").key.kid
    theirs = ring(store, clock)
    theirs.ensure(FILE)
    theirs.take(FILE, given(made("a")))
    assert [key.kid for key in theirs.published()] == [ours, "a"]
    clock.now += 10
    back = ring(store, clock)
    back.ensure(MAIN)
    assert back.signer("main").key.kid not in (ours, "a")
    assert {ours, "a"} < {key.kid for key in back.published()}


def test_two_keys_under_one_kid_are_refused_and_change_nothing() -> None:
    keyring = ring(MemoryStore())
    keyring.take(FILE, given(made("a")))
    other = SigningKeys("other", file="other.json")
    with pytest.raises(ConfigError, match="signing keys 'other': The key set holds different keys"):
        keyring.take(other, given(made("a")))
    assert list(keyring.signers()) == ["main"]


def test_keys_of_somebody_else_are_not_rotated_here() -> None:
    keyring = ring(MemoryStore())
    keyring.take(FILE, given(made("a")))
    with pytest.raises(ConfigError, match="somebody else's"):
        keyring.rotate("main")


def test_keys_of_somebody_else_follow_no_schedule_and_advance_leaves_them_alone() -> None:
    clock = Clock()
    keyring = ring(MemoryStore(), clock)
    keyring.take(replace(FILE, rotate_seconds=60), given(made("a")))
    keyring.reload()
    clock.now += WEEK
    assert (keyring.next_change(), keyring.advance(), keyring.reload()) == (None, False, False)


@pytest.mark.parametrize("wanted", [FILE, URL, SigningKeys("s", "HS256", secret=KeyText(text="s"))])
def test_somebody_else_makes_keys_that_have_an_origin(wanted: SigningKeys) -> None:
    assert is_given(wanted)
    assert not is_given(MAIN)


# Sealing what was not sealed.


def test_sec_150_a_record_from_before_the_master_key_is_sealed_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, sealer = MemoryStore(), Sealer(b"m" * 32)
    plain = ring(store)
    plain.ensure(MAIN)
    keyring = ring(store, sealer=sealer)
    keyring.ensure(MAIN)
    assert kid(keyring.signer("main").key) == kid(plain.signer("main").key)
    assert caplog.messages == ["the signing keys 'main' were kept unsealed; from now on they are sealed"]
    record = store.read("keyring/main")
    assert record is not None
    assert b"jwk" not in record.value
    with pytest.raises(ConfigError, match="master key"):
        ring(store).ensure(MAIN)


def test_sec_150_what_was_sealed_leaves_nothing_behind_of_what_it_was(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        ring(store).ensure(MAIN)
        record = store.read("keyring/main")
        assert record is not None
        assert any(record.value in file.read_bytes() for file in tmp_path.iterdir())
        ring(store, sealer=Sealer(b"m" * 32)).ensure(MAIN)
        assert not any(record.value[:64] in file.read_bytes() for file in tmp_path.iterdir())


def test_sec_150_a_record_that_is_sealed_is_not_sealed_again() -> None:
    store, sealer = MemoryStore(), Sealer(b"m" * 32)
    for _ in range(2):
        ring(store, sealer=sealer).ensure(MAIN)
    record = store.read("keyring/main")
    assert record is not None
    assert record.version == 1


def test_a_record_nobody_can_read_is_no_trouble_for_other_names(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    ring(store, sealer=Sealer(b"m" * 32)).ensure(SigningKeys("other"))
    keyring = ring(store)
    keyring.ensure(MAIN)
    assert len(keyring.published()) == 1
    assert "'other' are sealed" in caplog.text


# A year of everything.


@cache
def imported(jwks: str) -> TheirKeySet:
    return TheirKeySet.import_key_set(json.loads(jwks))


@dataclass
class Held:
    """A key set somebody fetched, good until an instant by the max-age it came with."""

    until: float
    jwks: str


@dataclass
class Year:
    """A gateway, its operator and an upstream, living through a year of rotations, documents and crashes."""

    random: Random
    clock: Clock = field(default_factory=Clock)
    store: Fragile = field(default_factory=Fragile)
    gateway: Keyring | None = None
    periods: Periods = PERIODS
    told: tuple[float, Signer, str, Periods] | None = None
    cached: list[Held] = field(default_factory=list)
    tokens: list[tuple[str, float, str]] = field(default_factory=list)
    crashes: int = 0
    verified: set[tuple[str, str]] = field(default_factory=set)

    def may_crash(self, share: float) -> None:
        self.store.crashes = lambda: self.random.choice(("before", "after")) if self.random.random() < share else ""

    def live(self) -> None:
        end = self.clock.now + 365 * 86_400
        while self.clock.now < end:
            self.clock.now = self.next_instant()
            self.may_crash(0.2)
            try:
                self.happen()
            except Crash:
                self.gateway = self.told = None
                self.crashes += 1
            if self.told is not None:
                self.forward()

    def next_instant(self) -> float:
        """Some time from now, or next to an instant at which something changes."""
        now = self.clock.now
        change = self.gateway.next_change() if self.gateway is not None else None
        instants = [held.until for held in self.cached] + ([] if change is None else [change])
        near = [instant + self.random.choice((-1, 0, 1)) for instant in instants]
        soon = min((instant for instant in near if instant > now), default=now + 86_400)
        return soon if self.random.random() < 0.5 else now + self.random.choice((1, 3, 30, 1000, 86_400))

    def happen(self) -> None:
        chance = self.random.random()
        if chance < 0.1:
            with suppress(ConfigError):
                manual_rotation.rotate(KeyRecords(self.store, None), "main", int(self.clock.now))
        if chance > 0.9 or self.gateway is None:
            periods = Periods(self.random.choice((60, 300, 4000)), self.random.choice((60, 1000, 90_000)))
            alg = self.random.choice(("ES256", "ES256", "ES256", "Ed25519"))
            rotates = self.random.choice((None, WEEK, 30 * 86_400))
            keyring = Keyring.open(self.store, wall=self.clock, periods=periods)
            keyring.ensure(SigningKeys("main", alg, rotate_seconds=rotates))
            self.gateway, self.periods, self.told = keyring, periods, None
        self.gateway.reload()
        self.gateway.advance()
        # A worker hears of a change a little later.
        if self.told is None or self.clock.now - self.told[0] > SPREAD_SECONDS / 2 or self.random.random() < 0.5:
            jwks = json.dumps(self.gateway.to_jwks())
            self.told = (self.clock.now, self.gateway.signer("main"), jwks, self.periods)

    def forward(self) -> None:
        """Have the upstream verify a new token with every set it may hold, and each token alive with today's."""
        assert self.told is not None
        now, (_, signer, jwks, periods) = self.clock.now, self.told
        token = sign({"iat": int(now), "exp": int(now) + periods.token_seconds}, signer.key, alg=signer.alg)
        self.tokens = [held for held in self.tokens if held[1] > now][-20:]
        self.tokens.append((token, now + periods.token_seconds, signer.alg))
        self.cached = [held for held in self.cached if held.until >= now][-20:]
        self.cached.append(Held(now + periods.cache_seconds, jwks))
        for held in self.cached:
            self.verify(token, signer.alg, held.jwks)
        for text, _, alg in self.tokens:
            self.verify(text, alg, jwks)

    def verify(self, token: str, alg: str, jwks: str) -> None:
        if (token, jwks) not in self.verified:
            jwt.decode(token, imported(jwks), algorithms=[alg])
            self.verified.add((token, jwks))


@pytest.mark.parametrize("seed", range(2))
def test_rel_82_rel_83_in_a_year_of_rotations_and_crashes_no_token_is_ever_refused(seed: int) -> None:
    year = Year(Random(seed))
    year.live()
    assert year.crashes > 20
    assert len({key["kid"] for _, jwks in year.verified for key in json.loads(jwks)["keys"]}) > 50
