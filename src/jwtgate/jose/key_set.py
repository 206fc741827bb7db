"""A JWK Set (RFC 7517 section 5): how strictly it is read, and which keys a header points to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jwtgate.errors import KeyRefused, TokenRefused
from jwtgate.jose.algorithms import ALGORITHMS, mixes_families
from jwtgate.jose.encoding import JSON, parse_json_object
from jwtgate.jose.key import Key

MOST_KEYS = 100
MOST_SET_BYTES = 1_048_576
_MOST_MEMBERS = 3_000  # a hundred keys with certificates and a few names of their own


@dataclass(frozen=True, slots=True)
class Skipped:
    """One entry of a remote set that was left out: its place, its `kid` if that is sound, and the reason."""

    index: int
    kid: str | None
    reason: str


class KeySet:
    """Keys that belong together, immutable. Look-ups are dictionary reads.

    Two different keys that one `kid` and one algorithm would both point to are refused with
    `key_set_contradicts`; the same key twice counts once (SEC-31). `left_out`: how many others could not be used.
    """

    __slots__ = ("_by_alg", "_by_kid", "_keys", "left_out")

    def __init__(self, keys: Iterable[Key], *, left_out: int = 0) -> None:
        distinct = {(key.thumbprint(), key.kid, key.alg, key.use, key.key_ops, key.is_private): key for key in keys}
        self._keys = tuple(distinct.values())
        self._by_alg = MappingProxyType(
            {alg: _unique(key for key in self._keys if key.fits(alg)) for alg in ALGORITHMS}
        )
        self._by_kid = MappingProxyType(_by_kid(self._keys))
        self.left_out = left_out

    @classmethod
    def parse_remote(cls, data: bytes) -> tuple[KeySet, tuple[Skipped, ...]]:
        """The usable public keys of a fetched set, and what was left out of it.

        One bad entry never costs the others (SEC-32). `KeyRefused`: `key_set_malformed`,
        `key_set_contradicts`, `key_set_empty` when nothing usable is left.
        """
        keys, skipped = parse_remote_keys(data)
        return cls(keys), skipped

    @classmethod
    def parse_local(cls, value: bytes | Mapping[str, object]) -> KeySet:
        """The keys of a set we were given by our own people: every entry must be good.

        `KeyRefused` as `Key.from_jwk`, and `key_set_malformed`, `key_set_contradicts`, `key_set_empty`, and
        `key_set_mixed` for secrets beside pairs (SEC-30).
        """
        keys = [Key.from_jwk(_object(entry)) for entry in _entries(value)]
        if not keys:
            raise KeyRefused("key_set_empty")
        if len({key.is_symmetric for key in keys}) > 1:
            raise KeyRefused("key_set_mixed")
        return cls(keys)

    def candidates(self, alg: str, kid: str | None, *, most_tries: int = 1) -> tuple[Key, ...]:
        """The keys a header with this `alg` and `kid` may mean.

        A `kid` that is unknown means none. Without `kid` it is every key that fits `alg`, if these are at
        most `most_tries`; else `TokenRefused("key_ambiguous")` (SEC-33).
        """
        if kid is not None:
            return self._by_kid.get((kid, alg), ())
        fitting = self._by_alg.get(alg, ())
        if len(fitting) > most_tries:
            raise TokenRefused("key_ambiguous")
        return fitting

    def named(self, alg: str, kid: str | None) -> tuple[Key, ...]:
        """The first key with this `kid`, or without one, that fits `alg`; none where there is none."""
        if kid:
            return self._by_kid.get((kid, alg), ())
        return tuple(key for key in self._keys if not key.kid and key.verifies(alg))[:1]

    def bound(self, algorithms: Collection[str]) -> KeySet:
        """The same keys, each bound to the one of `algorithms` it fits (SEC-20).

        `KeyRefused("key_unfit")` for a key that fits none of them, or, without an `alg` of its own, several:
        an RSA key under RS256 and PS256 must say which it is for.
        """
        _check_families(algorithms)
        return KeySet(_bind(key, algorithms) for key in self._keys)

    def bound_or_skipped(self, algorithms: Collection[str]) -> tuple[KeySet, tuple[Skipped, ...]]:
        """As `bound`, but a key that cannot be bound is left out; `key_set_empty` when none is left."""
        _check_families(algorithms)
        keys, skipped = [], []
        for index, key in enumerate(self._keys):
            try:
                keys.append(_bind(key, algorithms))
            except KeyRefused as refusal:
                skipped.append(Skipped(index, key.kid, refusal.reason))
        if not keys:
            raise KeyRefused("key_set_empty", skipped=len(skipped))
        return KeySet(keys), tuple(skipped)

    def fitting_or_skipped(self, algorithms: Collection[str]) -> tuple[KeySet, tuple[Skipped, ...]]:
        """As `bound_or_skipped`, but a key that names no algorithm serves each of these that it fits."""
        _check_families(algorithms)
        keys = [key for key in self._keys if any(map(key.fits, algorithms))]
        skipped = [Skipped(index, key.kid, "key_unfit") for index, key in enumerate(self._keys) if key not in keys]
        if not keys:
            raise KeyRefused("key_set_empty", skipped=len(skipped))
        return KeySet(keys), tuple(skipped)

    @property
    def is_one_unnamed_key(self) -> bool:
        """Whether this is a single key without a `kid`."""
        return len(self._keys) == 1 and self._keys[0].kid is None

    @property
    def is_blank(self) -> bool:
        """Whether there was nothing in it, not even a key that cannot be used."""
        return not self._keys and not self.left_out

    def to_jwks(self) -> dict[str, object]:
        """The JWK Set of the public halves; `KeyRefused("key_not_public")` for a symmetric key (SEC-29)."""
        return {"keys": [key.to_jwk() for key in self._keys]}

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeySet of {len(self._keys)}>"


def remote_key(entry: object) -> Key:
    """The public key of an entry of a fetched set. `KeyRefused` for one that is not public, or serves nothing."""
    jwk = _object(entry)
    if jwk.get("kty") == "oct" or any(name in jwk for name in ("d", "k", "priv")):
        raise KeyRefused("key_not_public")
    key = Key.from_jwk(jwk)
    if not key.algorithms:
        raise KeyRefused("key_unfit")
    return key


def certified_key(entry: object) -> Key:
    """As `remote_key`, but of an entry with certificates the key in the first of them, whatever else it says."""
    jwk = _object(entry)
    if not jwk.get("x5c"):
        return remote_key(jwk)
    return remote_key({name: value for name, value in jwk.items() if name not in ("n", "e", "x", "y")})


def parse_remote_keys(
    data: bytes, read: Callable[[object], Key] = remote_key
) -> tuple[tuple[Key, ...], tuple[Skipped, ...]]:
    """The usable public keys of a fetched set, each entry read so, and what was left out of it.

    `KeyRefused`: `key_set_malformed`, `key_set_empty` when nothing usable is left.
    """
    keys, skipped = [], []
    for index, entry in enumerate(_entries(data)):
        try:
            keys.append(read(entry))
        except KeyRefused as refusal:
            skipped.append(Skipped(index, _sound_kid(entry), refusal.reason))
    if not keys:
        raise KeyRefused("key_set_empty", skipped=len(skipped))
    return tuple(keys), tuple(skipped)


def first_of_each_kid(keys: Iterable[Key]) -> tuple[Key, ...]:
    """The keys, each without the algorithms that an earlier, different one under the same `kid` serves.

    One that is left some of several is bound to each of these.
    """
    held: dict[tuple[str, str], str] = {}
    kept: list[Key] = []
    for key in keys:
        kid, thumbprint = key.kid, key.thumbprint()
        if kid is None:
            kept.append(key)
            continue
        free = [alg for alg in sorted(key.algorithms) if held.setdefault((kid, alg), thumbprint) == thumbprint]
        kept += [key] if len(free) == len(key.algorithms) else [key.bound_to(alg) for alg in free]
    return tuple(kept)


def parse_own_keys(value: Mapping[str, object]) -> tuple[Key, ...]:
    """The keys of a JWK Set, or of one JWK, that we sign with: private halves included, secrets beside pairs.

    Every entry must be good. `KeyRefused` as `Key.from_jwk`, and `key_set_malformed`, `key_set_empty`.
    """
    entries = _entries(value) if "keys" in value else [dict(value)]
    if not entries:
        raise KeyRefused("key_set_empty")
    return tuple(Key.from_jwk(_object(entry)) for entry in entries)


def _by_kid(keys: Iterable[Key]) -> dict[tuple[str, str], tuple[Key, ...]]:
    named: dict[tuple[str, str], tuple[Key, ...]] = {}
    for key in keys:
        if key.kid is None:
            continue
        for alg in key.algorithms:
            found = named.setdefault((key.kid, alg), (key,))[0]
            if found.thumbprint() != key.thumbprint():
                raise KeyRefused("key_set_contradicts", kid=key.kid)
    return named


def _unique(keys: Iterable[Key]) -> tuple[Key, ...]:
    """One key for each thumbprint: a key under two names is still one key to try."""
    first: dict[str, Key] = {}
    for key in keys:
        first.setdefault(key.thumbprint(), key)
    return tuple(first.values())


def _entries(value: bytes | Mapping[str, object]) -> list[object]:
    if isinstance(value, bytes):
        try:
            value = parse_json_object(value, limit_bytes=MOST_SET_BYTES, most_members=_MOST_MEMBERS)
        except ValueError:
            raise KeyRefused("key_set_malformed") from None
    if "keys" not in value:
        raise KeyRefused("key_set_malformed", missing="keys")
    entries = value["keys"]
    if not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise KeyRefused("key_set_malformed")
    return entries


def _object(entry: object) -> dict[str, JSON]:
    if not isinstance(entry, dict):
        raise KeyRefused("key_malformed")
    return entry


def _sound_kid(entry: object) -> str | None:
    kid = entry.get("kid") if isinstance(entry, dict) else None
    return kid if isinstance(kid, str) and len(kid) <= 256 else None


def _check_families(algorithms: Collection[str]) -> None:
    if mixes_families(algorithms):
        raise KeyRefused("key_set_mixed")


def _bind(key: Key, algorithms: Collection[str]) -> Key:
    fitting = [alg for alg in algorithms if key.fits(alg)]
    if len(fitting) != 1:
        raise KeyRefused("key_unfit", kid=key.kid)
    return key.bound_to(fitting[0])
