"""The signing keys of a name as one record of the store, so that a change of them happens wholly or not at all.

A record is sealed where there is a master key (SEC-150). One that was written before there was a master key can still
be read, and is sealed the next time it is written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.encoding import JSON, json_bytes, parse_json_object
from jwtgate.jose.key import Key
from jwtgate.jose.sealing import NONCE_BYTES, Sealer, is_sealed
from jwtgate.state.keys.rotation import USUAL_PERIODS, Life, Periods, SigningKey
from jwtgate.state.stores.store import MemoryStore, Store

_PREFIX = "keyring/"
_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one name. `given`: somebody else makes its keys. `published`: they are shown in our JWK Set.

    `periods` are those of the document in force, for whoever rotates without reading it.
    """

    life: Life = ()
    given: bool = False
    published: bool = True
    periods: Periods = USUAL_PERIODS


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is kept, the version of its record, and whether that is sealed."""

    kept: Kept
    version: int
    is_sealed: bool


class KeyRecords:
    """The records of every name. Raises `StoreFailed` and `StoreConflict` as the store does."""

    def __init__(self, store: Store, sealer: Sealer | None) -> None:
        self._store = store
        self._sealer = sealer

    @property
    def are_sealed(self) -> bool:
        """Whether what is written is sealed."""
        return self._sealer is not None

    def names(self) -> tuple[str, ...]:
        """Every name there are keys of."""
        return tuple(name.removeprefix(_PREFIX) for name in self._store.names(_PREFIX))

    def version(self, name: str) -> int:
        """The version of the record of this name, 0 where there is none."""
        record = self._store.read(_PREFIX + name)
        return record.version if record else 0

    def read(self, name: str) -> KeyRecord | None:
        """What is kept under this name. `ConfigError` when it cannot be read, or only with another master key."""
        record = self._store.read(_PREFIX + name)
        if record is None:
            return None
        try:
            return KeyRecord(self._parse(name, record.value), record.version, is_sealed(record.value))
        except (ValueError, KeyRefused) as error:
            raise ConfigError(f"The signing keys {name!r} cannot be read: {error}.") from None

    def write(self, name: str, kept: Kept, *, over: int) -> KeyRecord:
        """The record after this was written over that version, 0 where there is none."""
        data = _plain(kept)
        if self._sealer is not None:
            data = self._sealer.seal(data, _PREFIX + name, nonce=os.urandom(NONCE_BYTES))
        self._store.write(_PREFIX + name, data, over=over)
        return KeyRecord(kept, over + 1, self.are_sealed)

    def scrub(self) -> None:
        """Have nothing stay behind of earlier records."""
        self._store.scrub()

    def delete(self, name: str, *, over: int) -> None:
        """Delete the record of this version."""
        self._store.delete(_PREFIX + name, over=over)

    def _parse(self, name: str, data: bytes) -> Kept:
        if not is_sealed(data):
            return _kept(parse_json_object(data, limit_bytes=_LIMIT_BYTES))
        if self._sealer is None:
            raise ConfigError(f"The signing keys {name!r} are sealed; the master key they were sealed with is needed.")
        return _kept(parse_json_object(self._sealer.unseal(data, _PREFIX + name), limit_bytes=_LIMIT_BYTES))


def copied(store: Store) -> Store:
    """The records of this store in one in memory, where changes are nobody's. `StoreFailed`."""
    copy = MemoryStore()
    for name in store.names(_PREFIX):
        record = store.read(name)
        if record is not None:
            copy.write(name, record.value, over=0)
    return copy


def is_alike(kept: Kept, other: Kept) -> bool:
    """Whether writing one over the other would change nothing."""
    return kept == other or _plain(kept) == _plain(other)


def _plain(kept: Kept) -> bytes:
    return json_bytes(
        {
            "keys": [_members(held) for held in kept.life],
            "given": kept.given,
            "published": kept.published,
            "periods": _pair(kept.periods),
        }
    )


def _members(held: SigningKey) -> dict[str, object]:
    key = held.key
    return {
        "jwk": key.to_private_jwk() if key.is_private or key.is_symmetric else key.to_jwk(),
        "alg": held.alg,
        "published_at": held.published_at,
        "active_from": held.active_from,
        "retiring_from": held.retiring_from,
        "retired_from": held.retired_from,
        "periods": _pair(held.periods),
    }


def _pair(periods: Periods) -> list[int]:
    return [periods.cache_seconds, periods.token_seconds]


def _kept(members: dict[str, JSON]) -> Kept:
    match members:
        case {"keys": [*keys], "given": bool() as given, "published": bool() as published, "periods": periods}:
            return Kept(tuple(map(_signing_key, keys)), given, published=published, periods=_periods(periods))
        case {"keys": [*keys]}:  # as the first releases wrote it
            return Kept(tuple(map(_signing_key, keys)))
    raise ValueError("not a key ring")


def _signing_key(members: JSON) -> SigningKey:
    if not isinstance(members, dict):
        raise ValueError("not a key ring")  # noqa: TRY004 - the record is at fault, not the code
    match members:
        case {
            "jwk": dict() as jwk,
            "alg": str() as alg,
            "published_at": int() as published_at,
            "active_from": int() as active_from,
            "retiring_from": int() | None as retiring_from,
            "retired_from": int() | None as retired_from,
        }:
            periods = _periods(members["periods"]) if "periods" in members else USUAL_PERIODS
            return SigningKey(Key.from_jwk(jwk), alg, published_at, active_from, retiring_from, retired_from, periods)
    raise ValueError("not a key ring")


def _periods(members: JSON) -> Periods:
    match members:
        case [int() as cache_seconds, int() as token_seconds]:
            return Periods(cache_seconds, token_seconds)
    raise ValueError("not a key ring")
