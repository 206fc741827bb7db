"""Our signing keys, by name: what signs now, what is published, and every change of them, kept in a store.

When which key does what is settled in `rotation.py`. A change is one write over the version it was made from, so a
crash leaves the keys before it or after it. Several key rings may share one store, such as those of two generations
and of the command line; each sees in `reload` and `advance` what the others wrote.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from jwtgate.errors import ConfigError, DependencyFault, KeyRefused
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.keys import manual_rotation
from jwtgate.state.keys.key_records import Kept, KeyRecord, KeyRecords, is_alike
from jwtgate.state.keys.rotation import (
    USUAL_PERIODS,
    KeyState,
    Life,
    Periods,
    Rule,
    SigningKey,
    Timetable,
    advanced,
    scheduled_at,
    signing_at,
    stopped,
    with_given,
)
from jwtgate.state.stores.store import Store, StoreConflict, StoreFailed

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signer:
    """What a name signs with now: a private key or a secret, its algorithm, and its certificates in DER, leaf first."""

    key: Key
    alg: str
    certificates: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """Keys somebody else makes: the first signs, all are published. `certificates` by the thumbprint of their key."""

    keys: tuple[Key, ...]
    certificates: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Name:
    """What is held of a name: its record, and what is not kept there.

    `wanted` None: the document does not name it any longer. `life` is that of the record, with the private keys.
    """

    record: KeyRecord | None
    wanted: SigningKeys | None
    life: Life
    secret: Signer | None = None
    others: tuple[Key, ...] = ()

    def published(self, now: float) -> tuple[Key, ...]:
        shown = self.wanted.published if self.wanted else self.record is not None and self.record.kept.published
        pairs = (held.key for held in self.life if held.state(now) is not KeyState.RETIRED)
        return tuple(key.public() for key in (*pairs, *self.others) if shown and not key.is_symmetric)

    def shown(self) -> object:
        """What differs when anybody has to be told of a change."""
        able = [(held.key.thumbprint(), held.key.signs(held.alg), held.certificates) for held in self.life]
        secret = self.secret and (self.secret.key.thumbprint(), self.secret.key.kid, self.secret.alg)
        return self.record and self.record.version, able, secret, [(key.thumbprint(), key.kid) for key in self.others]


def is_given(wanted: SigningKeys) -> bool:
    """Whether somebody else makes the keys of this name."""
    return any(place is not None for place in (wanted.file, wanted.url, wanted.secret, wanted.jwks, wanted.pem))


class Keyring:
    """The signing keys of every name, kept in a store and sealed there when there is a master secret."""

    def __init__(self, records: KeyRecords, *, wall: Callable[[], float], periods: Periods) -> None:
        self._records = records
        self._wall = wall
        self._periods = periods
        # Several threads come here: the dictionary is never changed, but exchanged under the lock.
        self._names: Mapping[str, _Name] = {}
        self._exchanging = threading.Lock()
        self._has_changed = False
        self._store_fails = False

    @classmethod
    def open(
        cls,
        store: Store,
        *,
        wall: Callable[[], float],
        periods: Periods = USUAL_PERIODS,
        sealer: Sealer | None = None,
    ) -> Keyring:
        """The key ring in this store. `ensure` tells it which names the document has.

        Keys of other names stay published as long as tokens may be alive that they signed. `ConfigError`.
        """
        keyring = cls(KeyRecords(store, sealer), wall=wall, periods=periods)
        with _explained():
            for name in keyring._records.names():
                keyring._load(name)
        return keyring

    def ensure(self, wanted: SigningKeys) -> None:
        """Have keys of this name: made on first use, with every step that is due taken.

        Of keys that somebody else makes it holds what was kept; `take` brings them. `ConfigError` when the store
        cannot be used, or holds keys sealed with another secret.
        """
        with _explained():
            if is_given(wanted):
                record = self._records.read(wanted.name)
                self._hold(wanted.name, _Name(record, wanted, record.kept.life if record else ()))
                return
            _twice(lambda: self._step(wanted))

    def adopt(self, previous: Keyring) -> None:
        """Hold the keys of others that another key ring has from the same places, until they are read again."""
        for name, held in self._names.items():
            other = previous._names.get(name)
            if held.wanted is not None and is_given(held.wanted) and other is not None and other.wanted == held.wanted:
                self._hold(name, other)

    def take(self, wanted: SigningKeys, given: Given) -> None:
        """Sign with these keys of somebody else's. `ConfigError` when they cannot be shown beside all others."""
        with _explained():
            _twice(lambda: self._take(wanted, given))

    def rotate(self, name: str) -> Timetable:
        """Publish a successor of the key that signs now; when it takes over and all else. Errors as there."""
        timetable = manual_rotation.rotate(self._records, name, self._now())
        self._load(name)
        return timetable

    def planned(self, name: str) -> Timetable:
        """What `rotate` would answer now. Errors as there."""
        return manual_rotation.planned(self._records, name, self._now())

    def signer(self, name: str) -> Signer:
        """What this name signs with now. `DependencyFault("signer_unavailable")`."""
        held = self._names.get(name)
        if held is not None and held.secret is not None:
            return held.secret
        signing = signing_at(held.life, self._wall()) if held is not None else None
        if signing is None or not signing.key.signs(signing.alg):
            raise DependencyFault("signer_unavailable", key=name)
        return Signer(signing.key, signing.alg, signing.certificates)

    def signers(self) -> dict[str, Signer]:
        """What the names of the document sign with now; those that cannot sign at the moment are left out."""
        found = {}
        for name in [name for name, held in self._names.items() if held.wanted is not None]:
            try:
                found[name] = self.signer(name)
            except DependencyFault:
                continue
        return found

    def published(self) -> tuple[Key, ...]:
        """The public half of every key pair that is not retired, in the order of their names."""
        now = self._wall()
        return tuple(key for _, held in sorted(self._names.items()) for key in held.published(now))

    def to_jwks(self) -> dict[str, object]:
        """The JWK Set of the published keys."""
        return KeySet(self.published()).to_jwks()

    def next_change(self) -> int | None:
        """When something happens next of which time alone is the cause, in seconds since 1970; None: nothing will."""
        now = self._wall()
        instants = [
            instant
            for held in self._names.values()
            for key in held.life
            for instant in (key.active_from, key.retiring_from, key.retired_from)
        ]
        instants += [scheduled_at(held.life, self._rule(held.wanted)) for held in self._names.values() if held.wanted]
        return min((instant for instant in instants if instant is not None and instant > now), default=None)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name there are keys of."""
        return tuple(self._names)

    def keys(self, name: str) -> tuple[SigningKey, ...]:
        """Every key of this name that is remembered, oldest first."""
        held = self._names.get(name)
        return held.life if held is not None else ()

    def reload(self) -> bool:
        """Take up what others wrote. Whether the keys have changed since this or `advance` was called last.

        Blocks as the store does. A store that fails is looked at again the next time.
        """
        return self._try(self._reload)

    def advance(self) -> bool:
        """Take every step that is due; only for the key ring of the document in force. Answers as `reload`."""
        return self._try(self._advance)

    def _try(self, act: Callable[[], None]) -> bool:
        try:
            _twice(act)
        except (StoreFailed, ConfigError) as failure:
            if not self._store_fails:
                _log.warning("the signing keys stay as they are while the store fails: %s", failure)
            self._store_fails = True
        else:
            self._store_fails = False
        with self._exchanging:
            changed, self._has_changed = self._has_changed, False
        return changed

    def _reload(self) -> None:
        for name, held in self._names.items():
            given = held.wanted is not None and is_given(held.wanted)
            if not given and held.record is not None and self._records.version(name) != held.record.version:
                self._load(name)

    def _advance(self) -> None:
        for name, held in self._names.items():
            if held.wanted is None:
                self._let_go(name)
            elif not is_given(held.wanted):
                self._step(held.wanted)

    def _load(self, name: str) -> None:
        """Take up the record of this name as it is."""
        held = self._names.get(name)
        try:
            record = self._records.read(name)
        except ConfigError as error:
            if held is not None:
                raise
            _log.warning("%s", *error.problems)  # whoever wants this name says so in `ensure`
            return
        if record is not None:
            self._hold(name, _Name(record, held.wanted if held else None, record.kept.life))

    def _step(self, wanted: SigningKeys) -> None:
        record, life = self._at_present(wanted.name)
        if record is not None and record.kept.given:
            life = _in_public(stopped(life, self._now()))
        life = advanced(life, self._rule(wanted), now=self._now(), make=_new_key)
        kept = Kept(life, published=wanted.published, periods=self._periods)
        self._hold(wanted.name, _Name(self._write(wanted.name, kept, record), wanted, life))

    def _let_go(self, name: str) -> None:
        """Have nothing sign under a name the document lacks, and forget it when its tokens have ended."""
        record, life = self._at_present(name)
        life = stopped(life, self._now())
        if record is None or not life:
            if record is not None:
                self._records.delete(name, over=record.version)
            self._hold(name, None)
            return
        self._hold(name, _Name(self._write(name, replace(record.kept, life=life), record), None, life))

    def _take(self, wanted: SigningKeys, given: Given) -> None:
        record, life = self._at_present(wanted.name)
        first, now = given.keys[0], self._now()
        secret = Signer(first, wanted.alg) if first.is_symmetric else None
        if secret is not None:
            life = _in_public(stopped(life, now))
        else:
            life = _certified(with_given(life, given.keys, self._rule(wanted), now=now), given)
        lived = {held.key.thumbprint() for held in life}
        others = tuple(key for key in given.keys if not key.is_symmetric and key.thumbprint() not in lived)
        name = _Name(record, wanted, life, secret=secret, others=others)
        self._check_beside_others(wanted.name, name)
        # Private keys of others are kept only for those that cannot be read again at any time, and only sealed.
        stored = life if wanted.url is not None and self._records.are_sealed else _in_public(life)
        kept = Kept(stored, given=True, published=wanted.published, periods=self._periods)
        written = self._write(wanted.name, kept, record) if life or record is not None else None
        self._hold(wanted.name, replace(name, record=written))

    def _check_beside_others(self, name: str, new: _Name) -> None:
        now = self._wall()
        beside = [key for other, held in self._names.items() if other != name for key in held.published(now)]
        try:
            KeySet((*beside, *new.published(now)))
        except KeyRefused as refusal:
            raise ConfigError(f"signing keys {name!r}: {refusal.sentence}") from refusal

    def _at_present(self, name: str) -> tuple[KeyRecord | None, Life]:
        """The record as it is now, and the life to go on from."""
        held = self._names.get(name)
        if held is not None and held.record is not None and self._records.version(name) == held.record.version:
            return held.record, held.record.kept.life
        record = self._records.read(name)
        if record is None:  # somebody emptied the store; tokens of these keys are alive all the same
            return None, held.life if held is not None else ()
        return record, record.kept.life

    def _write(self, name: str, kept: Kept, record: KeyRecord | None) -> KeyRecord:
        """The record after `kept` took the place of this one; written only if that makes a difference."""
        unsealed = record is not None and self._records.are_sealed and not record.is_sealed
        if record is not None and not unsealed and is_alike(kept, record.kept):
            return record
        written = self._records.write(name, kept, over=record.version if record else 0)
        if unsealed:
            self._records.scrub()
            _log.warning("the signing keys %r were kept unsealed; from now on they are sealed", name)
        return written

    def _hold(self, name: str, new: _Name | None) -> None:
        with self._exchanging:
            held = self._names.get(name)
            self._has_changed |= held is None or new is None or held.shown() != new.shown()
            others = {other: kept for other, kept in self._names.items() if other != name}
            self._names = others if new is None else {**others, name: new}

    def _rule(self, wanted: SigningKeys) -> Rule:
        return Rule(wanted.alg, None if is_given(wanted) else wanted.rotate_seconds, self._periods)

    def _now(self) -> int:
        return int(self._wall())


def sealer_of(master_key: str) -> Sealer:
    """What seals under this master key. `ConfigError` when it is too short."""
    try:
        return Sealer(master_key.encode())
    except KeyRefused as refusal:
        raise ConfigError("The master key that seals the signing keys needs 32 bytes or more.") from refusal


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except StoreFailed as failure:
        raise ConfigError(f"The store of the signing keys failed: {failure}.") from failure


def _twice(act: Callable[[], None]) -> None:
    """Once more after a conflict: what the other one wrote is as good as ours, so it is built upon."""
    try:
        act()
    except StoreConflict:
        act()


def _new_key(alg: str) -> Key:
    return generate_key(alg).bound_to(alg)


def _in_public(life: Life) -> Life:
    return tuple(replace(held, key=held.key if held.key.is_symmetric else held.key.public()) for held in life)


def _certified(life: Life, given: Given) -> Life:
    return tuple(replace(held, certificates=given.certificates.get(held.key.thumbprint(), ())) for held in life)
