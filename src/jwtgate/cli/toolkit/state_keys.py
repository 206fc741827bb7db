"""The signing keys of a gateway, found in its state folder: shown, and rotated while it runs or not."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from jwtgate.cli.answer import Answer
from jwtgate.cli.timetable import moment, timetable
from jwtgate.cli.toolkit.key_files import choose
from jwtgate.cli.toolkit.key_report import in_form, key_set_in_form, listing, row
from jwtgate.control.state_folder import DATABASE
from jwtgate.errors import ConfigError
from jwtgate.jose.key_set import KeySet
from jwtgate.state.keys import manual_rotation
from jwtgate.state.keys.key_records import KeyRecords
from jwtgate.state.keys.keyring import sealer_of
from jwtgate.state.keys.rotation import Life, SigningKey, Timetable
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import StoreFailed

MASTER_KEY = "JWTGATE_MASTER_KEY"
"""The environment variable with the master key of a state folder whose keys are sealed."""


def listed(folder: Path, name: str | None) -> Answer:
    """The signing keys of this name, or of every name, one line each."""
    with _records(folder) as records:
        lives = {each: _life(records, each) for each in ([name] if name else records.names())}
    now = time.time()
    return listing(_row(each, held, now) for each, life in lives.items() for held in life)


def shown(folder: Path, name: str, *, kid: str | None, form: str) -> Answer:
    """The public halves of the signing keys of this name."""
    with _records(folder) as records:
        keys = [held.key.public() for held in _life(records, name)]
    if form == "jwks" and kid is None:
        return key_set_in_form(keys, private=False)
    return in_form(choose(KeySet(keys), kid, folder), form, private=False)


def planned(folder: Path, name: str) -> Answer:
    """When everything would happen if the keys were rotated now, or happens in the rotation under way."""
    with _records(folder) as records:
        try:
            return _timetable(f"A rotation of {name!r} now would go like this.", name, _planned(records, name))
        except manual_rotation.RotationPending as pending:
            return _timetable(f"A rotation of {name!r} is under way.", name, pending.timetable)


def rotated(folder: Path, name: str) -> Answer:
    """What happens when, after a successor was made."""
    with _records(folder) as records:
        timetable = manual_rotation.rotate(records, name, int(time.time()))
    return _timetable(f"The signing keys {name!r} have a new key.", name, timetable)


def replaced(folder: Path, name: str) -> Answer:
    """What breaks, after a new key took the place of all others."""
    with _records(folder) as records:
        key = manual_rotation.replace_now(records, name, int(time.time()))
    text = (
        f"{key.kid} signs for {name!r} from now on, and every other key of that name is gone.\n"
        "Tokens they signed are refused by whoever has fetched our key set since. Whoever still holds the former\n"
        "set refuses tokens of the new key, until that set is fetched again."
    )
    return Answer(text, {"name": name, "kid": key.kid})


def _planned(records: KeyRecords, name: str) -> Timetable:
    return manual_rotation.planned(records, name, int(time.time()))


@contextmanager
def _records(folder: Path) -> Iterator[KeyRecords]:
    if not (folder / DATABASE).exists():
        raise ConfigError(f"{folder}: is no state folder of jwtgate; `jwtgate serve` makes one")
    master_key = os.environ.get(MASTER_KEY)
    sealer = sealer_of(master_key) if master_key else None
    try:
        store = SqliteStore(folder / DATABASE)
        try:
            yield KeyRecords(store, sealer)
        finally:
            store.close()
    except StoreFailed as failure:
        raise ConfigError(f"{folder}: {failure}") from failure


def _life(records: KeyRecords, name: str) -> Life:
    record = records.read(name)
    if record is None:
        names = ", ".join(map(repr, records.names())) or "none"
        raise ConfigError(f"there are no signing keys named {name!r}; there are {names}")
    return record.kept.life


def _row(name: str, held: SigningKey, now: float) -> dict[str, object]:
    shown = row(held.key)
    if shown.get("kid") == shown.get("thumbprint"):  # as for every key that was made here
        shown.pop("thumbprint")
    return {"name": name, **shown, "state": held.state(now).value, **_instants(held, now)}


def _instants(held: SigningKey, now: float) -> dict[str, object]:
    """The instants of this key, and in words which of them is next."""
    instants = {
        "signs from": held.active_from,
        "signs until": held.retiring_from,
        "shown until": held.retired_from,
    }
    known = {what: instant for what, instant in instants.items() if instant is not None}
    coming = [f"{what} {moment(instant)}" for what, instant in known.items() if instant > now]
    return {**{what.replace(" ", "_"): instant for what, instant in known.items()}, "next": "".join(coming[:1])}


def _timetable(head: str, name: str, rotation: Timetable) -> Answer:
    return timetable(head, {"name": name, **asdict(rotation)})
