"""A rotation somebody asks for: as a plan, as it should be, or at once because a key is known to others."""

from __future__ import annotations

from dataclasses import replace

from jwtgate.errors import ConfigError
from jwtgate.jose.key import Key, generate_key
from jwtgate.state.keys.key_records import KeyRecord, KeyRecords
from jwtgate.state.keys.rotation import (
    Life,
    Timetable,
    goes_on,
    last_of,
    pending_rotation,
    plan_rotation,
    with_first,
    with_successor,
)
from jwtgate.state.stores.store import StoreConflict, StoreFailed


class RotationPending(ConfigError):
    """A rotation of these keys is under way already, with this timetable. Nothing was changed."""

    def __init__(self, name: str, timetable: Timetable) -> None:
        super().__init__(f"The signing keys {name!r} are being rotated already. Nothing was changed.")
        self.timetable = timetable


def planned(records: KeyRecords, name: str, now: int) -> Timetable:
    """What `rotate` would do now. `ConfigError` as `rotate`."""
    return plan_rotation(_rotatable(records, name, now).kept.life, now)


def rotate(records: KeyRecords, name: str, now: int) -> Timetable:
    """Publish a successor of the key that signs now; the instants of all that follows.

    `RotationPending`, and `ConfigError` when there are no keys of this name, they are somebody else's, or the store
    fails.
    """
    record = _rotatable(records, name, now)
    life = record.kept.life
    key, alg = _new_key(life)
    _write(records, name, with_successor(life, key, alg, now=now, periods=record.kept.periods), record)
    return plan_rotation(life, now)


def replace_now(records: KeyRecords, name: str, now: int) -> Key:
    """The new key that signs from now on. All others of this name are gone, and what they signed is refused.

    `ConfigError` as `rotate`; a rotation under way is overtaken.
    """
    record = _record(records, name)
    key, alg = _new_key(record.kept.life)
    _write(records, name, with_first(key, alg, now=now, periods=record.kept.periods), record)
    return key


def _rotatable(records: KeyRecords, name: str, now: int) -> KeyRecord:
    record = _record(records, name)
    pending = pending_rotation(record.kept.life, now)
    if pending is not None:
        raise RotationPending(name, pending)
    return record


def _record(records: KeyRecords, name: str) -> KeyRecord:
    try:
        record = records.read(name)
    except StoreFailed as failure:
        raise ConfigError(f"The store of the signing keys failed: {failure}.") from failure
    if record is None or not goes_on(record.kept.life):
        raise ConfigError(f"There are no signing keys named {name!r} in use.")
    if record.kept.given:
        raise ConfigError(f"The signing keys {name!r} are somebody else's; they are rotated where they come from.")
    if records.are_sealed and not record.is_sealed:
        # Sealed with a wrong master key they would be lost, and here nobody has shown yet that it is the right one.
        raise ConfigError(f"The signing keys {name!r} are not sealed yet; a gateway with the master key does that.")
    return record


def _write(records: KeyRecords, name: str, life: Life, record: KeyRecord) -> None:
    try:
        records.write(name, replace(record.kept, life=life), over=record.version)
    except StoreConflict:
        raise ConfigError(f"The signing keys {name!r} were changed in the same moment. Try again.") from None
    except StoreFailed as failure:
        raise ConfigError(f"The store of the signing keys failed: {failure}.") from failure


def _new_key(life: Life) -> tuple[Key, str]:
    alg = last_of(life).alg
    return generate_key(alg).bound_to(alg), alg
