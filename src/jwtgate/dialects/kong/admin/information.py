"""What the Admin API tells of itself: the node, the plugins it speaks, and the schemas of its entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jwtgate.dialects.dialect import Call, Reply
from jwtgate.dialects.kong.admin.answers import answer, not_allowed, not_found
from jwtgate.dialects.kong.admin.changes import Changes, given
from jwtgate.dialects.kong.admin.kinds import kind_at
from jwtgate.dialects.kong.entities import ENTITIES, config_fields
from jwtgate.dialects.kong.fields import Field
from jwtgate.dialects.kong.plugin_fields import PLUGINS

VERSION = "3.14.0"
"""The release whose Admin API this is."""
_VALID = {"message": "schema validation successful"}


def node(plugins: Iterable[Mapping[str, Any]], *, is_declarative: bool) -> Reply:
    """What the root says."""
    available = {name: {"version": VERSION, "priority": plugin.priority} for name, plugin in PLUGINS.items()}
    database = "off" if is_declarative else "postgres"
    return answer(
        200,
        {
            "version": VERSION,
            "tagline": "Welcome to kong",
            "plugins": {
                "available_on_server": available,
                "enabled_in_cluster": sorted({each["name"] for each in plugins}),
            },
            "configuration": {"database": database, "role": "traditional"},
        },
    )


def status(digest: str | None) -> Reply:
    """What `/status` says."""
    return answer(200, {"database": {"reachable": True}, "configuration_hash": digest or "0" * 32})


def enabled_plugins() -> Reply:
    """What `/plugins/enabled` says."""
    return answer(200, {"enabled_plugins": list(PLUGINS)})


async def schemas(call: Call, segments: list[str], changes: Changes) -> Reply:
    """A schema, or whether a value fits one; `segments` come after `/schemas`."""
    match segments:
        case ["plugins", "validate"]:
            return await _validated(call, "plugins", changes)
        case ["plugins", plugin]:
            return _schema(call, _plugin_schema(plugin))
        case [word, "validate"] if kind_at(word) is not None or word in ENTITIES:
            return await _validated(call, kind_at(word) or word, changes)
        case [word] if kind_at(word) is not None or word in ENTITIES:
            return _schema(call, _described(ENTITIES[kind_at(word) or word].fields))
    raise not_found()


async def _validated(call: Call, kind: str, changes: Changes) -> Reply:
    if call.method != "POST":
        raise not_allowed("POST")
    await changes.check(kind, given(call, kind))
    return answer(200, _VALID)


def _schema(call: Call, fields: list[dict[str, Any]] | None) -> Reply:
    if call.method != "GET":
        raise not_allowed("GET")
    if fields is None:
        raise not_found()
    return answer(200, {"fields": fields})


def _plugin_schema(plugin: str) -> list[dict[str, Any]] | None:
    if plugin not in PLUGINS:
        return None
    scopes = {} if PLUGINS[plugin].of_consumer else {"consumer": {"type": "foreign", "eq": None}}
    config = {"type": "record", "required": True, "fields": _described(config_fields(plugin))}
    protocols = _field(ENTITIES["plugins"].fields["protocols"])
    members: dict[str, Any] = {**scopes, "protocols": protocols, "config": config}
    return [{name: member} for name, member in members.items()]


def _described(fields: Mapping[str, Field]) -> list[dict[str, Any]]:
    return [{name: _field(field)} for name, field in fields.items()]


def _field(field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": "string", "uuid": True} if field.kind == "uuid" else {"type": field.kind}
    if field.required:
        shown["required"] = True
    if field.default is not None:
        shown["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    if field.one_of:
        shown["one_of"] = list(field.one_of)
    if field.between is not None:
        shown["between"] = list(field.between)
    if field.elements is not None:
        shown["values" if field.kind == "map" else "elements"] = _field(field.elements)
    if field.fields is not None:
        shown["fields"] = _described(field.fields)
    if field.is_secret:
        shown["encrypted"] = True
    return shown
