"""Keys that may belong to one consumer or credential alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.apisix.admin.calls.replies import Wrong, wrong
from jwtgate.dialects.apisix.admin.records import Record, record_of
from jwtgate.dialects.apisix.callers import keys_of
from jwtgate.dialects.dialect import Desk


async def must_be_unique(desk: Desk, record: Record, credential: str | None) -> None:
    """`Wrong` when a key of this consumer, or of this credential of it, is somebody else's.

    What refers to a secret is not compared: what it refers to may change.
    """
    plugins = dict(record.plugins())
    for plugin, name in _compared(plugins.pop(credential)):
        _must_not_be_among(plugins, plugin, name, record.username)
        owner = await desk.caller_with(name)
        if owner is None or owner == record.username:
            continue
        other = record_of(await desk.caller(owner))
        if other is not None:
            _must_not_be_among(dict(other.plugins()), plugin, name, owner)


def _must_not_be_among(plugins: Mapping[str | None, Mapping[str, Any]], plugin: str, name: str, username: str) -> None:
    for credential, held in plugins.items():
        if (plugin, name) in _compared(held):
            raise _taken(plugin, username, credential)


def _compared(plugins: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(plugin, name) for plugin, name, is_reference in keys_of(plugins) if not is_reference]


def _taken(plugin: str, username: str, credential: str | None) -> Wrong:
    whose = f"consumer: {username}" if credential is None else f"credential: {credential} of consumer: {username}"
    return wrong(f"duplicate key of plugin {plugin} found with {whose}")
