"""Objects of a file put together, none in the place of another."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jwtgate.dialects.dialect import Objects
from jwtgate.errors import ConfigError


def put(objects: Objects, collection: str, identity: str, value: Any) -> None:
    """Have this object under its id. `ConfigError` where there is one already, which would be lost."""
    held = objects.setdefault(collection, {})
    if identity in held:
        raise ConfigError(f"{collection}/{identity}: is there twice, or another name becomes the same id")
    held[identity] = value


def must_be_known(place: str, members: Any, known: Collection[str]) -> None:
    """Nothing, or `ConfigError` for what is no object or has a member nobody would look at."""
    if not isinstance(members, dict):
        raise ConfigError(f"{place}: is no object")
    unknown = sorted(str(name) for name in members if name not in known)
    if unknown:
        raise ConfigError(f"{place}: not known here: {', '.join(unknown)}")
