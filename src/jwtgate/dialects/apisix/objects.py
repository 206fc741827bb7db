"""One object checked as the other gateway checks it, with the sentences its users know; and what it adds by itself."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from jwtgate.dialects.apisix.schema.plugins import MACS, PLUGINS, is_reference
from jwtgate.dialects.apisix.schema.resources import RESOURCE_SCHEMAS, SECRET_MANAGERS
from jwtgate.dialects.apisix.schema.validation import Schema, first_mistake
from jwtgate.dialects.dialect import Objects

GENERATED_BYTES = 32
_TO_BASE64 = str.maketrans("-_", "+/")
_NODE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_PUBLISHED = re.compile(
    r"(https://[a-z0-9._-]+|http://(localhost|127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?([/?][!-\"$-~]*)?", re.IGNORECASE
)
_CALLERS = ("consumers", "credentials")
_OF_CALLERS = ("consumers", "consumer_groups")
ACTING_ON_CALLERS = ("jwt-auth", "key-auth", "limit-count")
"""The plugins that can be had on a consumer."""
_NAMED_BY = (
    ("upstream_id", "upstreams", "upstream"),
    ("service_id", "services", "service"),
    ("plugin_config_id", "plugin_configs", "plugin config"),
    ("group_id", "consumer_groups", "consumer group"),
)


class Invalid(Exception):
    """The object would not be taken. The text is what its users are told, all of it."""


def check(resource: str, value: Any, *, objects: Objects, id: str) -> None:  # noqa: A002 - the word its users know
    """Nothing, or `Invalid` for the first mistake of an object of this collection."""
    schema = RESOURCE_SCHEMAS[resource]
    if resource == "secrets":
        schema = _secret_schema(id)
    mistake = first_mistake(schema, value)
    if mistake is not None:
        raise Invalid(f"invalid configuration: {mistake}")
    for upstream in (value if resource == "upstreams" else value.get("upstream"),):
        _check_upstream(upstream)
    _check_names(value, objects)
    plugins = value.get("plugins", {})
    if resource == "credentials" and any(name in PLUGINS and not PLUGINS[name].is_auth for name in plugins):
        raise Invalid("only supports auth type plugins in consumer credential")
    said = "invalid plugins configuration: " if resource in _CALLERS else ""
    for name in () if resource not in _OF_CALLERS else plugins:
        if name in PLUGINS and name not in ACTING_ON_CALLERS:
            raise Invalid(f"{said}plugin {name} means nothing on a consumer here")
    for name, conf in plugins.items():
        mistake = plugin_mistake(name, conf, of_caller=resource in _CALLERS)
        if mistake is not None:
            raise Invalid(said + mistake)


def _secret_schema(name: str) -> Schema:
    manager = name.partition("/")[0]
    if manager not in SECRET_MANAGERS:
        raise Invalid(f"invalid secret manager: {manager}")
    return SECRET_MANAGERS[manager]


def plugin_mistake(name: str, conf: Any, *, of_caller: bool) -> str | None:
    """The first mistake in one plugin's configuration; None when there is none."""
    plugin = PLUGINS.get(name)
    if plugin is None:
        return f"unknown plugin [{name}]"
    if not isinstance(conf, dict):
        return f'invalid plugin conf "{_lua_text(conf)}" for plugin [{name}]'
    schema = plugin.schema
    if of_caller and plugin.consumer_schema is not None:
        schema = plugin.consumer_schema
    mistake = first_mistake(_without_references(schema, conf), conf) or _beyond_schema(name, conf, of_caller=of_caller)
    return None if mistake is None else f"failed to check the configuration of plugin {name} err: {mistake}"


def _lua_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nil" if value is None else str(value)


def _without_references(schema: Schema, conf: Mapping[str, Any]) -> Schema:
    """The schema with no wish about a member that only refers to its value."""
    properties = {name: {} if is_reference(conf.get(name)) else part for name, part in schema["properties"].items()}
    return {**schema, "properties": properties}


def _beyond_schema(name: str, conf: Mapping[str, Any], *, of_caller: bool) -> str | None:
    if name == "multi-auth":
        return _of_multi_auth(conf["auth_plugins"])
    if name != "jwt-auth" or not of_caller:
        return None
    secret = conf.get("secret")
    if "jwks_uri" in conf and conf.get("algorithm", MACS[0]) in MACS:
        return "jwks_uri holds public keys, so algorithm must be none of " + ", ".join(MACS)
    if "jwks_uri" in conf and not _PUBLISHED.fullmatch(conf["jwks_uri"]):
        return "jwks_uri must be an address of https, or of this host"
    if conf.get("base64_secret") and secret is not None and not is_reference(secret) and not decoded(secret):
        return "base64_secret required but the secret is not in base64 format"
    return None


def _of_multi_auth(plugins: Iterable[Mapping[str, Any]]) -> str | None:
    for each in plugins:
        for name, conf in each.items():
            if name not in PLUGINS or not PLUGINS[name].is_auth or name == "multi-auth":
                return f"{name} plugin is not supported" if name in PLUGINS else f"unknown plugin [{name}]"
            mistake = plugin_mistake(name, conf, of_caller=False)
            if mistake is not None:
                return f"plugin {name} check schema failed: {mistake}"
    return None


def decoded(text: str) -> bytes | None:
    """What this text is the base64 or base64url of, padded or not; None when it is neither."""
    plain = text.rstrip("=").translate(_TO_BASE64)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _check_upstream(upstream: Mapping[str, Any] | None) -> None:
    if upstream is None:
        return
    if upstream.get("pass_host") == "rewrite" and not upstream.get("upstream_host"):
        raise Invalid("`upstream_host` can't be empty when `pass_host` is `rewrite`")
    if (
        upstream.get("type") == "chash"
        and upstream.get("hash_on", "vars") not in ("consumer",)
        and not upstream.get("key")
    ):
        raise Invalid("missing key")
    nodes = upstream.get("nodes")
    for node in nodes if isinstance(nodes, dict) else ():
        found = _NODE.fullmatch(node)
        if found is None:
            raise Invalid(f"invalid configuration: invalid node {node}")
        if found["port"] is not None and not 1 <= int(found["port"]) <= 65535:
            raise Invalid(f"invalid port {found['port']}")


def _check_names(value: Mapping[str, Any], objects: Objects) -> None:
    for member, collection, kind in _NAMED_BY:
        name = value.get(member)
        if name is not None and str(name) not in objects.get(collection, {}):
            raise Invalid(f"failed to fetch {kind} info by {kind} id [{name}], response code: 404")


def completed(resource: str, value: Mapping[str, Any], objects: Objects) -> dict[str, Any]:
    """The object with what the other gateway writes into it: a secret for who needs one, and a few defaults."""
    whole = dict(value)
    if resource in _CALLERS and "jwt-auth" in whole.get("plugins", {}):
        whole["plugins"] = {**whole["plugins"], "jwt-auth": with_secret(whole["plugins"]["jwt-auth"])}
    if resource == "routes":
        whole = {"priority": 0, "status": 1, **whole}
    if resource == "upstreams":
        whole = _completed_upstream(whole)
    if isinstance(whole.get("upstream"), dict):
        whole["upstream"] = _completed_upstream(whole["upstream"])
    return whole


def must_have_secret(value: Mapping[str, Any]) -> None:
    """Nothing, or `Invalid` for a caller without the secret its algorithm needs."""
    conf = value.get("plugins", {}).get("jwt-auth")
    if conf is not None and conf.get("algorithm", "HS256") in MACS and "secret" not in conf:
        said = "invalid plugins configuration: failed to check the configuration of plugin jwt-auth err: "
        raise Invalid(f'{said}property "secret" is required when using HS based algorithms')


def with_secret(conf: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a caller with the secret its algorithm needs: its own, or a new one."""
    if conf.get("algorithm", "HS256") not in MACS or conf.get("secret"):
        return dict(conf)
    return {**conf, "secret": base64.b64encode(secrets.token_bytes(GENERATED_BYTES)).decode("ascii")}


def _completed_upstream(upstream: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "roundrobin", "hash_on": "vars", "scheme": "http", "pass_host": "pass", **upstream}
