"""Files of a gateway of this kind as objects: `apisix.yaml` or `.json`, and what its other tools write.

Every object is checked as the Admin API would check it; what nobody can read stops the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jwtgate.config.load import load_plain
from jwtgate.dialects.apisix.files.adc import from_adc, is_adc
from jwtgate.dialects.apisix.files.kubernetes import from_kubernetes, is_kubernetes
from jwtgate.dialects.apisix.objects import ACTING_ON_CALLERS, Invalid, check
from jwtgate.dialects.apisix.schema.plugins import PLUGINS
from jwtgate.dialects.apisix.schema.resources import RESOURCE_SCHEMAS
from jwtgate.dialects.apisix.settings import is_settings
from jwtgate.dialects.dialect import Objects
from jwtgate.errors import ConfigError

END = "#END"
"""The last line of a complete `apisix.yaml`."""
_OTHERS = ("plugins",)


def parsed(texts: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes, Any]]:
    """Each document of these files as plain data, with the name and the whole of its file. `ConfigError`."""
    for name, data in texts:
        for part in _documents(name, data):
            plain = load_plain(part, name=name)
            if plain is not None:
                yield name, data, plain


def _documents(name: str, data: bytes) -> Iterator[bytes]:
    """The documents of one file; lines keep their numbers."""
    before = b""
    held: list[bytes] = []
    for line in data.splitlines(keepends=True):
        if name.endswith((".yaml", ".yml")) and line.rstrip() == b"---":
            yield before + b"".join(held)
            before += b"\n" * (len(held) + 1)
            held = []
        else:
            held.append(line)
    yield before + b"".join(held)


def read_objects(texts: Sequence[tuple[str, bytes]]) -> Objects | None:
    """The objects of these files; None when they hold settings only. `ConfigError` with every mistake."""
    found: list[Objects] = []
    problems: list[str] = []
    resources: list[Mapping[str, Any]] = []
    for name, data, document in parsed(texts):
        if is_settings(document):
            continue
        if is_kubernetes(document):
            resources.append(document)
        elif is_adc(document):
            found.append(from_adc(document))
        else:
            found.append(_standalone(name, data, document, problems))
    if resources:
        found.append(from_kubernetes(resources, problems))
    objects = _joined(found, problems)
    problems += _mistakes(objects)
    if problems:
        raise ConfigError(*problems)
    return objects if found else None


def _standalone(name: str, data: bytes, document: Any, problems: list[str]) -> Objects:
    if not isinstance(document, dict):
        problems.append(f"{name}: is no mapping of collections")
        return {}
    if name.endswith((".yaml", ".yml")) and data.rstrip().rpartition(b"\n")[2].strip() != END.encode():
        problems.append(f"{name}: the last line must be {END}, which says that the file is whole")
    objects: Objects = {}
    for collection, listed in document.items():
        if collection in _OTHERS:
            continue
        if collection not in RESOURCE_SCHEMAS or not isinstance(listed, list | None):
            problems.append(f"{name}: {collection} is no collection, or no list of objects")
            continue
        for number, value in enumerate(listed or ()):
            where, identity = _identified(collection, value)
            if not identity:
                problems.append(f"{name}: {collection}[{number}] has no id")
            elif identity in objects.get(where, {}):
                problems.append(f"{name}: {collection}[{number}]: {where}/{identity} is there twice")
            else:
                objects.setdefault(where, {})[identity] = _as_kept(where, identity, value)
    return objects


def _identified(collection: str, value: Any) -> tuple[str, str]:
    """The collection an entry of a list belongs to, and its id there."""
    if not isinstance(value, dict):
        return collection, ""
    if collection != "consumers":
        return collection, str(value.get("id", ""))
    identity = str(value.get("id") or value.get("username", ""))
    username, inner, credential = identity.partition("/credentials/")
    return ("credentials", f"{username}/{credential}") if inner else (collection, str(value.get("username", identity)))


def _as_kept(collection: str, identity: str, value: dict[str, Any]) -> dict[str, Any]:
    """The object with its id as the Admin API has it."""
    return {**value, "id": identity.partition("/")[2]} if collection == "credentials" else value


def _joined(found: Sequence[Objects], problems: list[str]) -> Objects:
    objects: Objects = {}
    for each in found:
        for collection, values in each.items():
            held = objects.setdefault(collection, {})
            problems += [f"{collection}/{name}: is there twice" for name in values if name in held]
            held.update(values)
    return objects


def _mistakes(objects: Objects) -> Iterator[str]:
    for collection, values in objects.items():
        for name, value in values.items():
            try:
                check(collection, _known_part(collection, value), objects=objects, id=name)
            except Invalid as invalid:
                yield f"{collection}/{name}: {invalid}"
    yield from _shared_keys(objects)
    for name in objects.get("credentials", {}):
        if name.partition("/")[0] not in objects.get("consumers", {}):
            yield f"credentials/{name}: consumer not found"


def _known_part(collection: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The object without plugins that cannot be had here: the translation names them."""
    plugins = value.get("plugins")
    if not isinstance(plugins, dict):
        return dict(value)
    known = ACTING_ON_CALLERS if collection in ("consumers", "consumer_groups") else PLUGINS
    return {**value, "plugins": {name: conf for name, conf in plugins.items() if name in known}}


def _shared_keys(objects: Objects) -> Iterator[str]:
    """A key that two callers have. What only refers to a key is not compared."""
    seen: dict[tuple[str, str], str] = {}
    for collection in ("consumers", "credentials"):
        for name, value in objects.get(collection, {}).items():
            for plugin in ("jwt-auth", "key-auth"):
                conf = (value.get("plugins") or {}).get(plugin)
                key = conf.get("key") if isinstance(conf, dict) else None
                if not isinstance(key, str) or key.startswith("$"):
                    continue
                first = seen.setdefault((plugin, key), f"{collection}/{name}")
                if first != f"{collection}/{name}":
                    yield f"{collection}/{name}: duplicate key of plugin {plugin} found with {first}"
