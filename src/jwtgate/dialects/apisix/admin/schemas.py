"""What objects and plugins may hold, for those who ask: schemas, the list of plugins, and a check of one object."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jwtgate.dialects.apisix.admin.calls.asked import Asked
from jwtgate.dialects.apisix.admin.calls.replies import Wrong, told, wrong
from jwtgate.dialects.apisix.admin.resources import RESOURCES, resource_named
from jwtgate.dialects.apisix.objects import Invalid, check
from jwtgate.dialects.apisix.schema.plugins import PLUGINS, Plugin
from jwtgate.dialects.apisix.schema.resources import RESOURCE_SCHEMAS
from jwtgate.dialects.dialect import Objects, Reply

_NAMED_BY: Mapping[str, str] = MappingProxyType(
    {
        "upstream_id": "upstreams",
        "service_id": "services",
        "plugin_config_id": "plugin_configs",
        "group_id": "consumer_groups",
    }
)
_KINDS: Mapping[str, str] = MappingProxyType(
    {each.kind.replace(" ", "_"): name for name, each in RESOURCES.items()} | {name: name for name in RESOURCES}
)


def plugins_told(asked: Asked) -> Reply:
    """The names of all plugins, the one that runs first at the head, or what one of them may hold. `Wrong`."""
    if asked.segment(1) == "reload":
        if asked.method != "PUT":
            raise wrong("please use PUT method to reload the plugins, get method is not allowed.", status=405)
        return told(200, "done")
    _must_be_get(asked)
    if asked.query.get("subsystem", "http") != "http":
        return told(200, [])
    if asked.segment(1) == "list":
        return told(200, list(PLUGINS))
    if asked.segment(1) is None and asked.query.get("all") == "true":
        return told(200, {name: _described(plugin) for name, plugin in PLUGINS.items()})
    return _plugin_schema(asked.segment(1), asked)


def schema_told(asked: Asked) -> Reply:
    """What a plugin's configuration or an object may hold. `Wrong`."""
    _must_be_get(asked)
    if asked.segment(1) == "plugins":
        return _plugin_schema(asked.segment(2), asked)
    name = _KINDS.get(asked.segment(1) or "")
    if name is None:
        raise wrong(f"not found schema: {asked.segment(1) or ''}")
    return told(200, RESOURCE_SCHEMAS[name])


def validated(asked: Asked) -> Reply:
    """Whether an object has the form its collection wants; whether others that it names are there is not asked."""
    if asked.method != "POST":
        raise wrong("not found", status=404)
    resource, value = resource_named(asked.segment(2)), asked.members()
    named: Objects = {collection: {str(value.get(member)): {}} for member, collection in _NAMED_BY.items()}
    try:
        check(resource.name, value, objects=named, id=str(value.get("id", "")))
    except Invalid as mistake:
        raise wrong(str(mistake).removeprefix("invalid configuration: ")) from None
    return told(200)


def _must_be_get(asked: Asked) -> None:
    if asked.method != "GET":
        raise wrong("not found", status=404)


def _plugin_schema(name: str | None, asked: Asked) -> Reply:
    if name is None:
        raise wrong("not found plugin name")
    plugin = PLUGINS.get(name)
    if plugin is None or asked.query.get("subsystem", "http") != "http":
        raise Wrong(404, {"error_msg": f"plugin not found in subsystem {asked.query.get('subsystem', 'http')}"})
    wanted = {"consumer": plugin.consumer_schema, "metadata": plugin.metadata_schema}
    schema = wanted.get(asked.query.get("schema_type", ""), plugin.schema)
    if schema is None:
        raise wrong("not found schema")
    return told(200, schema)


def _described(plugin: Plugin) -> dict[str, Any]:
    schemas = {
        "schema": plugin.schema,
        "consumer_schema": plugin.consumer_schema,
        "metadata_schema": plugin.metadata_schema,
    }
    told = {name: schema for name, schema in schemas.items() if schema is not None}
    return {"priority": plugin.priority, **({"type": "auth"} if plugin.is_auth else {}), **told}
