"""The YAML of ADC: services with their routes inside, consumers with their credentials inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.dialect import Objects

_ROUTE = (
    *("uris", "hosts", "methods", "priority", "timeout", "vars", "plugins", "labels", "remote_addrs"),
    *("filter_func", "enable_websocket", "upstream", "plugin_config_id"),
)
_SERVICE = ("plugins", "hosts", "upstream", "labels")


def is_adc(document: Any) -> bool:
    """Whether this is such a document: something stands inside something else."""
    if not isinstance(document, dict):
        return False
    listed = [each for name in ("services", "consumers") for each in document.get(name) or () if isinstance(each, dict)]
    inside = any("routes" in each or "credentials" in each for each in listed)
    return inside or isinstance(document.get("global_rules"), dict)


def from_adc(document: Mapping[str, Any]) -> Objects:
    """The objects of such a document. Their names are their ids."""
    objects: Objects = {}
    for service in document.get("services") or ():
        _service(service, objects)
    for consumer in document.get("consumers") or ():
        _consumer(consumer, objects)
    for group in document.get("consumer_groups") or ():
        name = _id(group)
        objects.setdefault("consumer_groups", {})[name] = _kept(group, ("plugins", "labels"))
        for consumer in group.get("consumers") or ():
            _consumer({**consumer, "group_id": name}, objects)
    for name, conf in (document.get("global_rules") or {}).items():
        objects.setdefault("global_rules", {})[name] = {"plugins": {name: conf}}
    for secret in document.get("secrets") or ():
        objects.setdefault("secrets", {})[secret["id"]] = {name: item for name, item in secret.items() if name != "id"}
    for name, conf in (document.get("plugin_metadata") or {}).items():
        objects.setdefault("plugin_metadata", {})[name] = conf
    for number, ssl in enumerate(document.get("ssls") or (), start=1):
        pairs = ssl.get("certificates") or [{}]
        value = {"cert": pairs[0].get("certificate", ""), "key": pairs[0].get("key", ""), "snis": ssl.get("snis", [])}
        objects.setdefault("ssls", {})[str(number)] = value
    return objects


def _service(service: Mapping[str, Any], objects: Objects) -> None:
    name = _id(service)
    value = _kept(service, _SERVICE)
    objects.setdefault("services", {})[name] = value
    prefix = str(service.get("path_prefix", "")).rstrip("/")
    for route in service.get("routes") or ():
        held = {**_kept(route, _ROUTE), "service_id": name}
        if prefix:
            held["uris"] = [f"{prefix}{uri}" for uri in held.get("uris", ())]
        objects.setdefault("routes", {})[f"{name}.{_id(route)}"[:64]] = held
        if prefix and service.get("strip_path_prefix"):
            plugins = held.setdefault("plugins", {})
            plugins.setdefault("proxy-rewrite", {"regex_uri": [f"^{prefix}/?(.*)$", "/$1"]})


def _consumer(consumer: Mapping[str, Any], objects: Objects) -> None:
    username = consumer["username"]
    objects.setdefault("consumers", {})[username] = _kept(consumer, ("username", "plugins", "labels", "group_id"))
    for credential in consumer.get("credentials") or ():
        identity = f"{username}/{_id(credential)}"
        plugins = {credential["type"]: credential.get("config", {})}
        objects.setdefault("credentials", {})[identity] = {**_kept(credential, ("labels",)), "plugins": plugins}


def _kept(value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """These members, and the words people read: a name and a description."""
    kept = {name: value[name] for name in names if name in value}
    if "description" in value:
        kept["desc"] = value["description"]
    if "name" in value and "username" not in value:
        kept["name"] = value["name"]
    return kept


def _id(value: Mapping[str, Any]) -> str:
    """The id, or one made of the name."""
    said = str(value.get("id") or value.get("name", ""))
    return "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else "-" for each in said)[:64]
