"""The collections of the Admin API: what they are called, and what is not done to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jwtgate.dialects.apisix.admin.calls.replies import Wrong, wrong

KEY_PREFIX = "/apisix"
CONSUMERS, CREDENTIALS, SECRETS, METADATA = "consumers", "credentials", "secrets", "plugin_metadata"
GROUPS = "consumer_groups"
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Resource:
    """One collection. `kind` names one of its objects in messages; `unsupported` are methods it does not know."""

    name: str
    kind: str
    unsupported: frozenset[str] = frozenset()

    def must_support(self, method: str) -> None:
        """`Wrong` for a method that is not for objects of this kind."""
        if method in self.unsupported:
            raise wrong(f"not supported `{method}` method for {self.kind}", status=405)


def _resource(name: str, kind: str, *unsupported: str) -> tuple[str, Resource]:
    return name, Resource(name, kind, frozenset(unsupported))


RESOURCES: Mapping[str, Resource] = MappingProxyType(
    dict(
        [
            _resource("routes", "route"),
            _resource("services", "service"),
            _resource("upstreams", "upstream"),
            _resource(CONSUMERS, "consumer", "POST", "PATCH"),
            _resource(CREDENTIALS, "credential", "POST", "PATCH"),
            _resource(GROUPS, "consumer group", "POST"),
            _resource("plugin_configs", "plugin config", "POST"),
            _resource("global_rules", "global rule", "POST"),
            _resource("ssls", "ssl"),
            _resource(SECRETS, "secret", "POST"),
            _resource(METADATA, "plugin_metadata", "POST", "PATCH"),
            _resource("protos", "proto"),
            _resource("stream_routes", "stream route"),
        ]
    )
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as it is shown. Its indexes grow with every change anywhere."""

    key: str
    value: Mapping[str, Any]
    created: int = 1
    modified: int = 1

    def shown(self) -> dict[str, Any]:
        """What a GET says of it."""
        return {
            "key": self.key,
            "value": self.value,
            "createdIndex": self.created,
            "modifiedIndex": self.modified,
        }

    def written(self) -> dict[str, Any]:
        """What the answer to a change says of it."""
        return {"key": self.key, "value": self.value}


def key_of(name: str, identity: str) -> str:
    """Where an object of a collection is said to be kept."""
    return f"{KEY_PREFIX}/{name}/{identity}"


def deleted(name: str, identity: str) -> dict[str, str]:
    """What is told of an object that is gone."""
    return {"deleted": "1", "key": key_of(name, identity)}


def resource_named(name: str | None) -> Resource:
    """The collection of this name. `Wrong`."""
    found = RESOURCES.get(name or "")
    if found is None:
        raise Wrong(404, {"error_msg": f"Unsupported resource type: {name or ''}"})
    return found


def missing_id(resource: Resource) -> Wrong:
    """The refusal of a call that names no object."""
    return wrong("no secret id" if resource.name == SECRETS else f"missing {resource.kind} id")


def identity(resource: Resource, in_path: str | None, value: dict[str, Any]) -> str:
    """The id of an object that is to be written, from its path or else from itself. `Wrong`."""
    said = value.get("id")
    if said is not None and (isinstance(said, bool) or not isinstance(said, str | int)):
        raise wrong('invalid configuration: property "id" validation failed: object matches none of the required')
    if in_path is None and said is None:
        raise missing_id(resource)
    if in_path is not None and said is not None and str(said) != in_path:
        raise wrong(f"wrong {resource.kind} id")
    return in_path if in_path is not None else str(said)


def must_not_say_when(value: Mapping[str, Any]) -> None:
    """`Wrong` for an object that says when it was made or changed."""
    said = [name for name in ("create_time", "update_time") if name in value]
    if said:
        raise wrong("the property is forbidden:  " + " ".join(said))
