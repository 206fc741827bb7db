"""All files together: what they set, and the entities they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jwtgate.dialects.dialect import Objects
from jwtgate.dialects.wso2.reading.entities import ENTITIES, entity
from jwtgate.dialects.wso2.reading.records import GRANTS, read_records
from jwtgate.dialects.wso2.reading.said import Said
from jwtgate.dialects.wso2.reading.toml_file import read_toml
from jwtgate.dialects.wso2.reading.xml_file import read_xml
from jwtgate.errors import ConfigError

ENDINGS = (".xml", ".toml", ".yaml", ".yml", ".json", ".csv")


def read_files(texts: Sequence[tuple[str, bytes]], environ: Mapping[str, str]) -> Objects:
    """What these files hold: `options` with their `places`, entities by kind, `notes`, and whether there is TOML.

    What a later file sets stands over what an earlier one does. `ConfigError` with every mistake.
    """
    objects: Objects = {kind: [] for kind in ENTITIES} | {"options": {}, "places": {}, "notes": [], GRANTS: {}}
    mistakes: list[str] = []
    for name, data in texts:
        try:
            _read(objects, name, data, environ)
        except ConfigError as error:
            mistakes.extend(error.problems)
    if mistakes:
        raise ConfigError(*mistakes)
    objects["has_toml"] = any(name.lower().endswith(".toml") for name, _ in texts)
    objects["has_xml"] = any(name.lower().endswith(".xml") for name, _ in texts)
    return objects


def _read(objects: Objects, name: str, data: bytes, environ: Mapping[str, str]) -> None:
    ending = name.rpartition(".")[2].lower()
    if ending == "xml":
        _join(objects, read_xml(data, name, environ))
    elif ending == "toml":
        said = read_toml(data, name)
        _join(objects, said)
        objects["issuers"].extend(_issuers(said))
    elif f".{ending}" in ENDINGS:
        records, said = read_records(data, name)
        objects[GRANTS].update(said.values.pop(GRANTS, {}))
        _join(objects, said)
        for kind, found in records.items():
            objects[kind].extend(found)
    else:
        raise ConfigError(f"{name}: the name must end in {', '.join(ENDINGS)}")


def _join(objects: Objects, said: Said) -> None:
    before = objects["options"]
    on = bool(before.get("enable")) or bool(said.values.get("enable"))  # in any of several files
    before.update(said.values)
    if "enable" in before:
        before["enable"] = on
    objects["places"].update(said.places)
    objects["notes"].extend(said.notes)


def _issuers(said: Said) -> list[dict[str, Any]]:
    found = []
    for given in said.issuers:
        issuer, wrong = entity("issuers", given)
        said.mistakes.extend(f"{said.name}: apim.jwt.issuer: {sentence}" for sentence in wrong)
        found.append({**issuer, "_file": said.name})
    said.stop_at_mistakes()
    return found
