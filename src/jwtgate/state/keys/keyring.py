"""Our signing keys: upcoming, active, retiring, retired, as a pure function of the time (SEC-156).

A key is published as long as others may cache our key set before it signs, and stays published until the last
token it signed has ended. The keys of one name are one record of the store, so that a change of them happens
wholly or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from jwtgate.errors import ConfigError, DependencyFault, KeyRefused
from jwtgate.jose.encoding import JSON, json_bytes, parse_json_object
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.sealing import NONCE_BYTES, Sealer, is_sealed
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.stores.store import Store, StoreConflict, StoreFailed

_RECORD_LIMIT_BYTES = 1024 * 1024
_INSTANTS = ("published_at", "active_from", "retiring_from", "retired_from")


@dataclass(frozen=True, slots=True)
class Signer:
    """What a name signs with now: a private key or a secret, its algorithm, and its certificates in DER, leaf first."""

    key: Key
    alg: str
    certificates: tuple[bytes, ...] = ()


class KeyState(Enum):
    """Where a signing key stands in its life."""

    UPCOMING = "upcoming"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of ours and the instants of its life, in seconds since 1970. None: not decided yet."""

    key: Key
    alg: str
    published_at: int
    active_from: int
    retiring_from: int | None = None
    retired_from: int | None = None

    def state(self, now: float) -> KeyState:
        """Where the key stands at this time."""
        if self.retired_from is not None and now >= self.retired_from:
            return KeyState.RETIRED
        if self.retiring_from is not None and now >= self.retiring_from:
            return KeyState.RETIRING
        return KeyState.ACTIVE if now >= self.active_from else KeyState.UPCOMING


@dataclass(frozen=True, slots=True)
class Periods:
    """Seconds others may cache our key set, and seconds a token of ours is good, leeway included."""

    cache_seconds: int = 300
    token_seconds: int = 3600


def with_first(key: Key, alg: str, *, now: int) -> tuple[SigningKey, ...]:
    """The keys of a name that had none: active at once, since nobody can hold a set without it."""
    return (SigningKey(key, alg, now, now),)


def with_successor(
    keys: Iterable[SigningKey], key: Key, alg: str, *, now: int, periods: Periods
) -> tuple[SigningKey, ...]:
    """The keys after `key` was made to follow the active one; a successor that had not begun is withdrawn."""
    takes_over = now + periods.cache_seconds
    ends = takes_over + periods.token_seconds
    kept = []
    for held in keys:
        state = held.state(now)
        if state is KeyState.ACTIVE:
            kept.append(replace(held, retiring_from=takes_over, retired_from=ends))
        elif state is KeyState.RETIRING:
            kept.append(held)
    return (*kept, SigningKey(key, alg, now, takes_over))


class Keyring:
    """The signing keys of every name, kept in a store and sealed there when there is a master secret."""

    def __init__(self, store: Store, *, wall: Callable[[], float], periods: Periods, sealer: Sealer | None) -> None:
        self._store = store
        self._wall = wall
        self._periods = periods
        self._sealer = sealer
        self._keys: dict[str, tuple[SigningKey, ...]] = {}

    @classmethod
    def open(
        cls,
        store: Store,
        *,
        wall: Callable[[], float],
        periods: Periods = Periods(),
        sealer: Sealer | None = None,
    ) -> Keyring:
        """The key ring in this store. Keys are read by `ensure`, name by name."""
        return cls(store, wall=wall, periods=periods, sealer=sealer)

    def ensure(self, wanted: SigningKeys) -> None:
        """Have keys of this name: made on first use, and a successor when the algorithm is another one now.

        `ConfigError` when the store cannot be used, or holds keys sealed with another secret.
        """
        try:
            try:
                self._ensure(wanted)
            except StoreConflict:
                # Another process made the keys in the same moment; what it wrote is as good as ours.
                self._ensure(wanted)
        except StoreFailed as failure:
            raise ConfigError(f"The store of the signing keys {wanted.name!r} failed: {failure}.") from failure

    def signing_key(self, name: str) -> tuple[Key, str]:
        """The private key to sign with now and its algorithm. `DependencyFault("signer_unavailable")`."""
        now = self._wall()
        # An upcoming key stands before no active one unless the clock was set back; it has been published then.
        for held in self._keys.get(name, ()):
            if held.state(now) in (KeyState.ACTIVE, KeyState.UPCOMING):
                return held.key, held.alg
        raise DependencyFault("signer_unavailable", key=name)

    def signer(self, name: str) -> Signer:
        """What this name signs with now. `DependencyFault("signer_unavailable")`."""
        return Signer(*self.signing_key(name))

    def published(self) -> tuple[Key, ...]:
        """The public half of every key pair that is not retired, in the order of their names."""
        now = self._wall()
        return tuple(
            held.key.public()
            for name in sorted(self._keys)
            for held in self._keys[name]
            if held.state(now) is not KeyState.RETIRED and not held.key.is_symmetric
        )

    def to_jwks(self) -> dict[str, object]:
        """The JWK Set of the published keys."""
        return KeySet(self.published()).to_jwks()

    def next_change(self) -> int | None:
        """When some key changes its state next, in seconds since 1970; None when nothing is planned."""
        now = self._wall()
        instants = (
            instant
            for keys in self._keys.values()
            for held in keys
            for instant in (held.active_from, held.retiring_from, held.retired_from)
            if instant is not None and instant > now
        )
        return min(instants, default=None)

    def keys(self, name: str) -> tuple[SigningKey, ...]:
        """Every key of this name that is remembered, oldest first."""
        return self._keys.get(name, ())

    def load(self, name: str) -> tuple[SigningKey, ...]:
        """What the store holds under this name, oldest first; nothing is made. `ConfigError` as `ensure`."""
        try:
            record = self._store.read(_record_name(name))
        except StoreFailed as failure:
            raise ConfigError(f"The store of the signing keys {name!r} failed: {failure}.") from failure
        return self._parse(name, record.value) if record else ()

    def _ensure(self, wanted: SigningKeys) -> None:
        record = self._store.read(_record_name(wanted.name))
        held = self._parse(wanted.name, record.value) if record else ()
        keys = self._with_algorithm(held, wanted.alg)
        if keys is not held:
            self._write(wanted.name, keys, over=record.version if record else 0)
        self._keys[wanted.name] = keys

    def _with_algorithm(self, held: tuple[SigningKey, ...], alg: str) -> tuple[SigningKey, ...]:
        now = int(self._wall())
        alive = [key for key in held if key.state(now) in (KeyState.UPCOMING, KeyState.ACTIVE)]
        if not alive:
            return with_first(_new_key(alg), alg, now=now)
        if alive[-1].alg == alg:
            return held
        return with_successor(held, _new_key(alg), alg, now=now, periods=self._periods)

    def _write(self, name: str, keys: tuple[SigningKey, ...], *, over: int) -> None:
        record = _record_name(name)
        data = json_bytes({"keys": [_members(key) for key in keys]})
        if self._sealer is not None:
            data = self._sealer.seal(data, record, nonce=os.urandom(NONCE_BYTES))
        self._store.write(record, data, over=over)

    def _parse(self, name: str, data: bytes) -> tuple[SigningKey, ...]:
        try:
            if self._sealer is not None:
                data = self._sealer.unseal(data, _record_name(name))
            elif is_sealed(data):
                raise ConfigError(
                    f"The signing keys {name!r} are sealed; the master key they were sealed with is needed."
                )
            return _parse_keys(data)
        except (ValueError, KeyRefused) as error:
            raise ConfigError(f"The signing keys {name!r} cannot be read: {error}.") from None


def sealer_of(master_key: str) -> Sealer:
    """What seals under this master key. `ConfigError` when it is too short."""
    try:
        return Sealer(master_key.encode())
    except KeyRefused as refusal:
        raise ConfigError("The master key that seals the signing keys needs 32 bytes or more.") from refusal


def _record_name(name: str) -> str:
    return f"keyring/{name}"


def _new_key(alg: str) -> Key:
    return generate_key(alg).bound_to(alg)


def _members(held: SigningKey) -> dict[str, object]:
    instants = {name: getattr(held, name) for name in _INSTANTS}
    return {"jwk": held.key.to_private_jwk(), "alg": held.alg, **instants}


def _parse_keys(data: bytes) -> tuple[SigningKey, ...]:
    """The keys of a record that `_members` wrote; `ValueError` or `KeyRefused` for anything else."""
    members = parse_json_object(data, limit_bytes=_RECORD_LIMIT_BYTES)
    match members:
        case {"keys": [*keys]}:
            return tuple(_signing_key(key) for key in keys)
    raise ValueError("not a key ring")


def _signing_key(members: JSON) -> SigningKey:
    match members:
        case {
            "jwk": dict() as jwk,
            "alg": str() as alg,
            "published_at": int() as published_at,
            "active_from": int() as active_from,
            "retiring_from": int() | None as retiring_from,
            "retired_from": int() | None as retired_from,
        }:
            return SigningKey(Key.from_jwk(jwk), alg, published_at, active_from, retiring_from, retired_from)
    raise ValueError("not a key ring")
