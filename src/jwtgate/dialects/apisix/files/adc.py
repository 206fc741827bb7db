"""The YAML of ADC: services with their routes inside, consumers with their credentials inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jwtgate.dialects.apisix.files.collecting import must_be_known, put
from jwtgate.dialects.dialect import Objects
from jwtgate.errors import ConfigError

_ROUTE = (
    *("uris", "hosts", "methods", "priority", "timeout", "vars", "plugins", "labels", "remote_addrs"),
    *("filter_func", "enable_websocket", "upstream", "plugin_config_id"),
)
_SERVICE = ("plugins", "hosts", "upstream", "labels")
_CONSUMER = ("username", "plugins", "labels", "group_id")
_TOP = (
    *("services", "consumers", "consumer_groups", "global_rules", "secrets", "plugin_metadata", "ssls"),
    "$schema",
)
_WORDS = ("id", "name", "description", "metadata")
"""What people read, and what tools add: members of anything."""
_INSIDE = ("path_prefix", "strip_path_prefix", "routes")


def is_adc(document: Any) -> bool:
    """Whether this is such a document: something stands inside something else."""
    if not isinstance(document, dict):
        return False
    listed = [each for name in ("services", "consumers") for each in document.get(name) or () if isinstance(each, dict)]
    inside = any("routes" in each or "credentials" in each for each in listed)
    return inside or isinstance(document.get("global_rules"), dict)


def from_adc(document: Mapping[str, Any]) -> Objects:
    """The objects of such a document. Their names are their ids. `ConfigError` for what would be lost."""
    objects: Objects = {}
    must_be_known("the document", document, _TOP)
    for service in document.get("services") or ():
        _service(service, objects)
    for consumer in document.get("consumers") or ():
        _consumer(consumer, objects)
    for group in document.get("consumer_groups") or ():
        must_be_known("consumer_groups", group, (*_WORDS, "plugins", "labels", "consumers"))
        name = _id(group)
        put(objects, "consumer_groups", name, _kept(group, ("plugins", "labels")))
        for consumer in group.get("consumers") or ():
            _consumer({**consumer, "group_id": name}, objects)
    for name, conf in _mapping(document, "global_rules"):
        put(objects, "global_rules", name, {"plugins": {name: conf}})
    for secret in document.get("secrets") or ():
        put(objects, "secrets", secret["id"], {name: item for name, item in secret.items() if name != "id"})
    for name, conf in _mapping(document, "plugin_metadata"):
        put(objects, "plugin_metadata", name, conf)
    for number, ssl in enumerate(document.get("ssls") or (), start=1):
        pairs = ssl.get("certificates") or [{}]
        value = {"cert": pairs[0].get("certificate", ""), "key": pairs[0].get("key", ""), "snis": ssl.get("snis", [])}
        put(objects, "ssls", str(number), value)
    return objects


def _mapping(document: Mapping[str, Any], name: str) -> Iterable[tuple[str, Any]]:
    found = document.get(name) or {}
    if not isinstance(found, dict):
        raise ConfigError(f"{name}: is no mapping of plugins")
    return found.items()


def _service(service: Mapping[str, Any], objects: Objects) -> None:
    must_be_known("services", service, (*_WORDS, *_SERVICE, *_INSIDE))
    name = _id(service)
    put(objects, "services", name, _kept(service, _SERVICE))
    prefix = str(service.get("path_prefix", "")).rstrip("/")
    for route in service.get("routes") or ():
        must_be_known(f"services/{name}/routes", route, (*_WORDS, *_ROUTE))
        held = {**_kept(route, _ROUTE), "service_id": name}
        if prefix:
            held["uris"] = [f"{prefix}{uri}" for uri in held.get("uris", ())]
        put(objects, "routes", f"{name}.{_id(route)}"[:64], held)
        if prefix and service.get("strip_path_prefix"):
            plugins = held.setdefault("plugins", {})
            plugins.setdefault("proxy-rewrite", {"regex_uri": [f"^{prefix}/?(.*)$", "/$1"]})


def _consumer(consumer: Mapping[str, Any], objects: Objects) -> None:
    must_be_known("consumers", consumer, (*_WORDS, *_CONSUMER, "credentials"))
    username = consumer["username"]
    put(objects, "consumers", username, _kept(consumer, _CONSUMER))
    for credential in consumer.get("credentials") or ():
        must_be_known(f"consumers/{username}/credentials", credential, (*_WORDS, "labels", "type", "config"))
        plugins = {credential["type"]: credential.get("config", {})}
        put(
            objects,
            "credentials",
            f"{username}/{_id(credential)}",
            {**_kept(credential, ("labels",)), "plugins": plugins},
        )


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
