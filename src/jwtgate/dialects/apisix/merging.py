"""What holds for one route: its own words, then those of its plugin config, its service and the global rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jwtgate.dialects.apisix.noting import Noting, Place
from jwtgate.dialects.apisix.schema.plugins import PLUGINS
from jwtgate.dialects.dialect import Objects

UPSTREAM, SERVICE, PLUGIN_CONFIG = "upstream_id", "service_id", "plugin_config_id"


@dataclass(frozen=True, slots=True)
class Effective:
    """One route with all that holds for it. `plugins` by name: the configuration of each, and where it stands.

    `upstream` and where it stands; None: there is none. `touched` are the places all this was taken from.
    """

    name: str
    route: Mapping[str, Any] = field(repr=False)
    plugins: Mapping[str, tuple[Mapping[str, Any], Place]] = field(repr=False)
    upstream: tuple[Mapping[str, Any], Place] | None
    hosts: tuple[str, ...]
    websocket: bool
    touched: tuple[Place, ...]

    @property
    def place(self) -> Place:
        """Where the route itself stands."""
        return ("routes", self.name)

    @property
    def uris(self) -> tuple[str, ...]:
        """The paths it takes, `*` at the end for all below. None: every path."""
        return tuple(self.route.get("uris") or ([self.route["uri"]] if "uri" in self.route else []))


def effective(name: str, route: Mapping[str, Any], objects: Objects, noting: Noting) -> Effective:
    """The route of this name with all that holds for it. What it names and nobody knows is noted as missing."""
    here: Place = ("routes", name)
    service, service_place = _named(route, SERVICE, "services", objects, noting=noting, place=here)
    config, config_place = _named(route, PLUGIN_CONFIG, "plugin_configs", objects, noting=noting, place=here)
    plugins: dict[str, tuple[Mapping[str, Any], Place]] = {}
    layers = ((service, service_place), (config, config_place), (route, here))
    for holder, place in layers:
        plugins.update(_plugins(holder, place, noting))
    # Switched off here, it is off although it stands further out as well.
    plugins = {plugin: held for plugin, held in plugins.items() if _is_on(held[0])}
    _under_global_rules(plugins, objects, noting)
    upstream = _upstream(route, here, objects, noting) or _upstream(service, service_place, objects, noting)
    hosts = route.get("hosts") or ([route["host"]] if "host" in route else service.get("hosts", []))
    return Effective(
        name,
        route,
        plugins,
        upstream,
        tuple(host.lower() for host in hosts),
        bool(route.get("enable_websocket", service.get("enable_websocket", False))),
        (
            here,
            *(place for holder, place in layers[:2] if holder),
            *((upstream[1],) if upstream else ()),
            ("global_rules",),
        ),
    )


def _named(
    holder: Mapping[str, Any], member: str, collection: str, objects: Objects, *, noting: Noting, place: Place
) -> tuple[Mapping[str, Any], Place]:
    """What the holder names by this member, and where it stands; nothing, if it names nothing."""
    name = holder.get(member)
    if name is None:
        return {}, ()
    found = objects.get(collection, {}).get(str(name))
    if found is None:
        noting.missing(
            (*place, member), f"there is none of {collection} with the id {name}, so every request is answered with 503"
        )
        return {}, ()
    return found, (collection, str(name))


def _plugins(
    holder: Mapping[str, Any], place: Place, noting: Noting
) -> Iterator[tuple[str, tuple[Mapping[str, Any], Place]]]:
    """The plugins, by name. Those nobody knows here are refused."""
    for name, conf in holder.get("plugins", {}).items():
        there = (*place, "plugins", name)
        if name not in PLUGINS:
            noting.refused(there, f"unknown plugin [{name}]")
            continue
        meta = conf.get("_meta") or {}
        if "pre_function" in meta:
            noting.refused((*there, "_meta", "pre_function"), "code is no configuration here")
        if "priority" in meta:
            noting.changed((*there, "_meta", "priority"), "the order of the checks is fixed")
        yield name, (conf, there)


def _is_on(conf: Mapping[str, Any]) -> bool:
    return not (conf.get("_meta") or {}).get("disable")


def _under_global_rules(plugins: dict[str, tuple[Mapping[str, Any], Place]], objects: Objects, noting: Noting) -> None:
    """Add what the global rules ask for. Of one plugin only one configuration can hold here."""
    for identity, rule in objects.get("global_rules", {}).items():
        for name, (conf, place) in _plugins(rule, ("global_rules", identity), noting):
            if not _is_on(conf):
                continue
            held = plugins.setdefault(name, (conf, place))
            if held[0] != conf:
                noting.refused(place, f"stands at {'/'.join(held[1])} as well, and only one of them can hold here")


def _upstream(
    holder: Mapping[str, Any], place: Place, objects: Objects, noting: Noting
) -> tuple[Mapping[str, Any], Place] | None:
    if "upstream" in holder:
        return holder["upstream"], (*place, "upstream")
    found, there = _named(holder, UPSTREAM, "upstreams", objects, noting=noting, place=place)
    return (found, there) if there else None
