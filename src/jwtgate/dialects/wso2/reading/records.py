"""Files of records: YAML or JSON with lists of entities, or CSV named after the one kind it holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from jwtgate.config.source import read_source
from jwtgate.dialects.wso2.reading.entities import ENTITIES, SYNONYMS, entity
from jwtgate.dialects.wso2.reading.options import OPTIONS, plain, valued
from jwtgate.dialects.wso2.reading.said import Said
from jwtgate.errors import ConfigError

MOST_CSV_BYTES = 64 * 1024 * 1024
GRANTS, SETTINGS = "grant_cache", ("settings", "jwt")
_FILE = "_file"
"""The member of an entity with the name of the file it stands in, from whose folder files are found."""

Records = dict[str, list[dict[str, Any]]]


def read_records(data: bytes, name: str) -> tuple[Records, Said]:
    """The entities of a file, and what it sets besides. `ConfigError` with every mistake."""
    said = Said(name)
    given = _of_csv(data, name, said) if name.lower().endswith(".csv") else _of_text(data, name, said)
    records: Records = {}
    for kind, place, value in given:
        if not isinstance(value, dict):
            said.mistakes.append(f"{place}: {kind} must hold mappings")
            continue
        found, wrong = entity(kind, value)
        said.mistakes.extend(f"{place}: {kind}: {sentence}" for sentence in wrong)
        records.setdefault(kind, []).append({**found, _FILE: name})
    said.stop_at_mistakes()
    return records, said


def _of_text(data: bytes, name: str, said: Said) -> Iterator[tuple[str, str, Any]]:
    source = read_source(data, name)
    held = source.data if source.data is not None else {}
    if not isinstance(held, dict):
        raise ConfigError(f"{name}: must be a mapping of {', '.join(ENTITIES)}")
    for key, value in held.items():
        place = f"{name}:{source.line((key,))}"
        kind = SYNONYMS.get(key, key)
        if key in SETTINGS:
            _take_settings(said, value, lambda option, key=key: f"{name}:{source.line((key, option))}")
        elif key == GRANTS:
            yield from _grants(said, value, place)
        elif kind not in ENTITIES:
            said.mistakes.append(f"{place}: {key} is not known; there are {', '.join(ENTITIES)}, {GRANTS} and settings")
        elif isinstance(value, list):
            yield from ((kind, f"{name}:{source.line((key, index))}", each) for index, each in enumerate(value))
        elif isinstance(value, dict) and ENTITIES[kind].key:
            for named, each in value.items():
                here = f"{name}:{source.line((key, named))}"
                yield kind, here, {ENTITIES[kind].key: named, **each} if isinstance(each, dict) else each
        elif value is not None:
            said.mistakes.append(f"{place}: {key} must be a list of mappings")


def _take_settings(said: Said, value: Any, place: Any) -> None:
    names = {plain(name): name for name in OPTIONS}
    if not isinstance(value, dict | None):
        said.mistakes.append(f"{place('')}: settings must be a mapping")
        return
    for key, each in (value or {}).items():
        option = names.get(plain(key))
        if option is None:
            said.mistakes.append(f"{place(key)}: {key} is not known")
            continue
        try:
            said.set(option, valued(OPTIONS[option], each), place(key))
        except ValueError as error:
            said.mistakes.append(f"{place(key)}: {key} {error}")


def _grants(said: Said, value: Any, place: str) -> Iterator[tuple[str, str, Any]]:
    """What was granted with a token, kept for later: it joins the token."""
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        said.mistakes.append(f"{place}: {GRANTS} must map access tokens to claims")
        return
    said.values[GRANTS] = value
    yield from ()


def _of_csv(data: bytes, name: str, said: Said) -> Iterator[tuple[str, str, Any]]:
    stem = PurePath(name).stem.lower()
    kind = SYNONYMS.get(stem, stem)
    if kind not in ENTITIES:
        raise ConfigError(f"{name}: a CSV file is named after what it holds: {', '.join(f'{k}.csv' for k in ENTITIES)}")
    if len(data) > MOST_CSV_BYTES:
        raise ConfigError(f"{name}: is larger than {MOST_CSV_BYTES // 1024 // 1024} MiB")
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        columns = reader.fieldnames or ()
        if "" in columns or len({*columns}) < len(columns):
            raise ConfigError(f"{name}:1: every column needs a name of its own")
        for row in reader:
            if None in row or None in row.values():
                said.mistakes.append(f"{name}:{reader.line_num}: has another number of fields than the first line")
                continue
            yield kind, f"{name}:{reader.line_num}", _row(kind, row)
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: is not UTF-8") from None
    except csv.Error as error:
        raise ConfigError(f"{name}: is not CSV: {error}") from None


def _row(kind: str, row: Mapping[str, str]) -> dict[str, Any]:
    """The entity of a row. Columns that are no field are claims or attributes; an empty one says nothing."""
    schema = ENTITIES[kind]
    filled = {name: value for name, value in row.items() if value}
    if schema.rest is None:
        return filled
    known = {name: value for name, value in filled.items() if name in schema.fields}
    rest = {name: value for name, value in filled.items() if name not in schema.fields}
    return {**known, schema.rest: rest} if rest else {**known}
