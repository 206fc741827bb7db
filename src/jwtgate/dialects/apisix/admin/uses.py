"""What still uses an object that is to be deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from jwtgate.dialects.apisix.admin.calls.replies import Wrong, wrong
from jwtgate.dialects.apisix.admin.kept_objects import collection
from jwtgate.dialects.dialect import Objects

# Of each collection: how messages call one of its objects, and who may name it by which member.
_USERS: Mapping[str, tuple[str, Sequence[tuple[str, str, str]]]] = MappingProxyType(
    {
        "upstreams": (
            "upstream,",
            (
                ("routes", "route", "upstream_id"),
                ("services", "service", "upstream_id"),
                ("stream_routes", "stream_route", "upstream_id"),
            ),
        ),
        "services": (
            "service directly,",
            (("routes", "route", "service_id"), ("stream_routes", "stream_route", "service_id")),
        ),
        "plugin_configs": ("plugin config,", (("routes", "route", "plugin_config_id"),)),
    }
)


def must_be_unused(objects: Objects, name: str, identity: str) -> None:
    """`Wrong` for an object that another one names."""
    called, users = _USERS.get(name, ("", ()))
    for others, kind, member in users:
        for other, value in collection(objects, others).items():
            if member in value and str(value[member]) == identity:
                raise in_use(called, kind, other)


def in_use(called: str, kind: str, other: str) -> Wrong:
    """The refusal to delete something."""
    return wrong(f"can not delete this {called} {kind} [{other}] is still using it now")
