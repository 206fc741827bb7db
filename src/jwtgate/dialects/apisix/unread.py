"""Settings of plugins that nobody reads: the other gateway takes them without a word, and so they are told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.apisix.noting import Noting, Place
from jwtgate.dialects.apisix.schema.plugins import PLUGINS
from jwtgate.dialects.dialect import Objects

_HOLDERS = ("routes", "services", "plugin_configs", "global_rules")


def note_unread(objects: Objects, noting: Noting) -> None:
    """Note what the plugins of routes and their like have beyond their schemas."""
    for collection in _HOLDERS:
        for identity, value in objects.get(collection, {}).items():
            note_unread_of(value.get("plugins", {}), noting, (collection, identity, "plugins"), of_caller=False)


def note_unread_of(plugins: Mapping[str, Any], noting: Noting, place: Place, *, of_caller: bool) -> None:
    """Note what these plugins have beyond their schemas."""
    for name, conf in plugins.items():
        plugin = PLUGINS.get(name)
        if plugin is None or not isinstance(conf, Mapping):
            continue
        schema = plugin.consumer_schema if of_caller and plugin.consumer_schema is not None else plugin.schema
        for setting in conf:
            if setting not in schema.get("properties", {}) and setting != "_meta":
                noting.changed((*place, name, setting), f"the plugin {name} has no such setting; it has no effect")
