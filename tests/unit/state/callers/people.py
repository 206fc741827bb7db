"""Consumers for the tests of the directory, and how a line about one is read."""

from __future__ import annotations

from collections.abc import Mapping

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON
from jwtgate.policy.callers import Consumer
from jwtgate.policy.sources import ConsumerSource, CredentialSource, KeyText


def source(name: str, *keys: str, external_id: str | None = None, groups: tuple[str, ...] = ()) -> ConsumerSource:
    """A consumer with a credential for each key name."""
    credentials = tuple(CredentialSource(key, f"id-of-{key}", name, "HS256", KeyText(text=f"of {key}")) for key in keys)
    return ConsumerSource(Consumer(name, f"id-of-{name}", external_id, groups), credentials)


def parse(members: Mapping[str, JSON]) -> ConsumerSource:
    """What stands in for the checks of a document: a name, key names, an external id, groups; nothing else."""
    unknown = members.keys() - {"name", "keys", "external_id", "groups"}
    if unknown:
        raise ConfigError(*(f"{name} is unknown." for name in sorted(unknown)))
    match members:
        case {"name": str() as name}:
            keys, groups = members.get("keys", []), members.get("groups", [])
            assert isinstance(keys, list)
            assert isinstance(groups, list)
            external_id = members.get("external_id")
            return source(
                name,
                *map(str, keys),
                external_id=None if external_id is None else str(external_id),
                groups=tuple(map(str, groups)),
            )
    raise ConfigError("name is missing.")
