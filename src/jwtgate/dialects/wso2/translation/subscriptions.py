"""Which application has which API: subscriptions name both in several ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.dialect import Objects
from jwtgate.dialects.wso2.reading.entities import ACTIVE
from jwtgate.errors import ConfigError


def api_id(api: Mapping[str, Any]) -> str:
    """What an API is known by: its context with its version."""
    return versioned(api)


def versioned(api: Mapping[str, Any]) -> str:
    """The context with the version, where it has none yet."""
    context, version = api["context"].rstrip("/"), api["version"]
    if "{version}" in context:
        return str(context.replace("{version}", version))
    return context if context.endswith(f"/{version}") else f"{context}/{version}"


def active(subscription: Mapping[str, Any]) -> bool:
    """Whether it lets an application in."""
    return (subscription.get("status") or ACTIVE[0]).upper() in ACTIVE


def subscriptions_of(objects: Objects) -> dict[int, dict[str, dict[str, Any]]]:
    """By the place of an application in the list, what it has of each API. `ConfigError`."""
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for subscription in objects["subscriptions"]:
        where = f"{subscription['_file']}: subscriptions"
        owner = subscription["application"]
        application = _only(list(_applications(objects, owner)), f"application is called {owner}", where)
        called = " ".join(str(subscription[key]) for key in ("api", "api_version") if subscription.get(key))
        api = objects["apis"][_only(list(_apis(objects, subscription)), f"API is called {called}", where)]
        told = {"tier": subscription.get("tier"), "status": subscription.get("status")}
        subscriber = subscription.get("subscriber") or objects["applications"][application].get("owner")
        held = found.setdefault(application, {})
        if api_id(api) in held:
            raise ConfigError(f"{where}: one of {objects['applications'][application]['name']} stands there twice.")
        held[api_id(api)] = {**told, "subscriber": subscriber}
    return found


def _only(found: list[int], wanted: str, where: str) -> int:
    if len(found) == 1:
        return found[0]
    raise ConfigError(f"{where}: {'no' if not found else 'more than one'} {wanted}.")


def _applications(objects: Objects, named: Any) -> Iterator[int]:
    every = list(enumerate(objects["applications"]))
    for field in ("uuid", "id", "name"):
        matching = [index for index, each in every if field in each and str(each[field]) == str(named)]
        if matching:
            yield from matching
            return


def _apis(objects: Objects, subscription: Mapping[str, Any]) -> Iterator[int]:
    named, version = subscription["api"], subscription.get("api_version")
    if isinstance(named, dict):
        version = named.get("version", version)
        named = named.get("name") or named.get("context")
    for index, api in enumerate(objects["apis"]):
        places = {api["name"], api["context"], versioned(api)}
        if version is None:
            spellings = {f"{each}{sign}{api['version']}" for each in (api["name"], api["context"]) for sign in ":/-"}
            is_meant = str(named) in spellings | places
        else:
            is_meant = str(version) == api["version"] and str(named) in places
        if is_meant:
            yield index
