"""Kong's objects: their fields with types and defaults, and what Kong answers to one it will not take."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from jwtgate.dialects.kong.complaints import (
    wrong_certificate,
    wrong_consumer,
    wrong_host,
    wrong_jwt_secret,
    wrong_method,
    wrong_name,
    wrong_path,
    wrong_private_key,
    wrong_route,
    wrong_service_path,
)
from jwtgate.dialects.kong.fields import (
    FLAG_OFF,
    FLAG_ON,
    TEXT,
    TEXT_SET,
    Check,
    Complaint,
    Field,
    SchemaViolation,
    completed_record,
    milliseconds,
    one_of,
)
from jwtgate.dialects.kong.plugin_fields import PLUGINS
from jwtgate.dialects.kong.signer_fields import ALGORITHMS

_ALPHANUMERICS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of object. `key`: the field besides `id` it is found by; `unique`: no two may share one of these."""

    fields: Mapping[str, Field]
    unique: tuple[str, ...] = ()
    key: str | None = None
    check: Check = lambda value: {}


def completed(entity: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The object with every field it lacks, an `id` among them. Raises `SchemaViolation`.

    Objects it belongs to stand in it by id. Whoever calls says when it was made and changed.
    """
    kind = ENTITIES[entity]
    given = _spelt_out(entity, value)
    filled, wrong = completed_record(kind.fields, given)
    if entity == "plugins":
        wrong.update(_complete_plugin(filled, wrong))
    if not wrong:
        wrong.update(kind.check(filled))
    if wrong:
        raise SchemaViolation(wrong)
    filled["id"] = filled["id"] or str(uuid4())
    for name in _MADE.get(entity, ()):
        filled[name] = filled[name] or "".join(secrets.choice(_ALPHANUMERICS) for _ in range(32))
    return filled


def config_fields(plugin: str) -> Mapping[str, Field]:
    """The fields of a plugin's configuration; none of one nobody knows."""
    return PLUGINS[plugin].fields if plugin in PLUGINS else {}


def _spelt_out(entity: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object with Kong's shorthands written out."""
    url = value.get("url") if entity == "services" else None
    if not isinstance(url, str):
        return {name: each for name, each in value.items() if entity != "services" or name != "url" or each is not None}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SchemaViolation({"url": "invalid url"}) from None
    told = {"protocol": parts.scheme, "host": host, "port": port or (443 if parts.scheme == "https" else 80)}
    path = {"path": parts.path} if parts.path else {}
    return {**{name: each for name, each in value.items() if name != "url"}, **told, **path}


def _complete_plugin(filled: dict[str, Any], wrong: Mapping[str, Complaint]) -> dict[str, Complaint]:
    """What is wrong with a plugin's configuration, which gets its defaults."""
    name = filled["name"]
    if "name" in wrong:
        return {}
    if name not in PLUGINS:
        unknown = f"plugin '{name}' not enabled; add it to the 'plugins' configuration property"
        return {"name": unknown}
    plugin = PLUGINS[name]
    found: dict[str, Complaint] = {}
    if not plugin.of_consumer and filled["consumer"] is not None:
        found["consumer"] = "value must be null"
    config = filled["config"] or {}
    if "config" in wrong:
        return found
    filled["config"], complaints = completed_record(plugin.fields, config)
    complaints = complaints or dict(plugin.check(filled["config"]))
    return {**found, "config": complaints} if complaints else found


def _fields(named: Mapping[str, Field], *, updated: bool = True) -> dict[str, Field]:
    times = {"created_at": Field("integer"), **({"updated_at": Field("integer")} if updated else {})}
    return {"id": Field("uuid"), **named, "tags": TEXT_SET, **times}


def _set_of(default: tuple[str, ...], *values: str) -> Field:
    return Field("set", default, elements=one_of(None, *values), required=True, least=1)


_PROTOCOLS = ("grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp", "ws", "wss")
_HASHED = ("none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture")
_HASH_FIELDS = (
    *("hash_on_header", "hash_fallback_header", "hash_on_cookie", "hash_on_query_arg", "hash_fallback_query_arg"),
    *("hash_on_uri_capture", "hash_fallback_uri_capture"),
)
_BELONGS = Field("foreign")
_ADDRESSES = Field("set", elements=Field("record", fields={"ip": TEXT, "port": Field("integer", between=(0, 65535))}))
_OWNED = Field("foreign", required=True)
_NAMED = Field(check=wrong_name)

ENTITIES: Mapping[str, Entity] = {
    "services": Entity(
        _fields(
            {
                "name": _NAMED,
                "retries": Field("integer", 5, between=(0, 32767)),
                "protocol": Field(default="http", one_of=_PROTOCOLS, required=True),
                "host": Field(required=True, check=wrong_host),
                "port": Field("integer", 80, between=(0, 65535), required=True),
                "path": Field(check=wrong_service_path),
                "connect_timeout": milliseconds(60000),
                "write_timeout": milliseconds(60000),
                "read_timeout": milliseconds(60000),
                "client_certificate": _BELONGS,
                "tls_verify": Field("boolean"),
                "tls_verify_depth": Field("integer", between=(0, 64)),
                "ca_certificates": Field("array", elements=Field("uuid")),
                "enabled": FLAG_ON,
            }
        ),
        unique=("name",),
        key="name",
    ),
    "routes": Entity(
        _fields(
            {
                "name": _NAMED,
                "protocols": _set_of(("http", "https"), *_PROTOCOLS),
                "https_redirect_status_code": Field("integer", 426, one_of=(426, 301, 302, 307, 308), required=True),
                "strip_path": FLAG_ON,
                "preserve_host": FLAG_OFF,
                "request_buffering": FLAG_ON,
                "response_buffering": FLAG_ON,
                "methods": Field("set", elements=Field(check=wrong_method)),
                "hosts": Field("array", elements=Field(check=wrong_host)),
                "paths": Field("array", elements=Field(check=wrong_path)),
                "headers": Field("map", elements=Field("array", elements=TEXT, least=1)),
                "snis": TEXT_SET,
                "sources": _ADDRESSES,
                "destinations": _ADDRESSES,
                "regex_priority": Field("integer", 0),
                "path_handling": one_of("v0", "v0", "v1"),
                "service": _BELONGS,
            }
        ),
        unique=("name",),
        key="name",
        check=wrong_route,
    ),
    "consumers": Entity(
        _fields({"username": TEXT, "custom_id": TEXT}),
        unique=("username", "custom_id"),
        key="username",
        check=wrong_consumer,
    ),
    "plugins": Entity(
        _fields(
            {
                "name": Field(required=True),
                "instance_name": _NAMED,
                "service": _BELONGS,
                "route": _BELONGS,
                "consumer": _BELONGS,
                "config": Field("record", {}),
                "protocols": _set_of(("grpc", "grpcs", "http", "https"), *_PROTOCOLS),
                "enabled": FLAG_ON,
            }
        ),
        unique=("instance_name",),
        key="instance_name",
    ),
    "jwt_secrets": Entity(
        _fields(
            {
                "consumer": _OWNED,
                "key": TEXT,
                "secret": Field(is_secret=True),
                "rsa_public_key": TEXT,
                "algorithm": one_of("HS256", *ALGORITHMS),
            },
            updated=False,
        ),
        unique=("key",),
        key="key",
        check=wrong_jwt_secret,
    ),
    "keyauth_credentials": Entity(
        _fields({"consumer": _OWNED, "key": Field(is_secret=True), "ttl": Field("integer")}, updated=False),
        unique=("key",),
        key="key",
    ),
    "certificates": Entity(
        _fields(
            {
                "cert": Field(required=True, check=wrong_certificate),
                "key": Field(required=True, check=wrong_private_key, is_secret=True),
                "cert_alt": Field(check=wrong_certificate),
                "key_alt": Field(check=wrong_private_key, is_secret=True),
                "snis": TEXT_SET,
            }
        )
    ),
    "ca_certificates": Entity(
        _fields({"cert": Field(required=True, check=wrong_certificate), "cert_digest": TEXT}), unique=("cert",)
    ),
    "snis": Entity(
        _fields({"name": Field(required=True, check=wrong_host), "certificate": _OWNED}), unique=("name",), key="name"
    ),
    "upstreams": Entity(
        _fields(
            {
                "name": Field(required=True, check=wrong_host),
                "algorithm": one_of("round-robin", "consistent-hashing", "least-connections", "round-robin", "latency"),
                "slots": Field("integer", 10000, between=(10, 65536)),
                "host_header": Field(check=wrong_host),
                "client_certificate": _BELONGS,
                "use_srv_name": FLAG_OFF,
                "healthchecks": Field("map"),
                "hash_on": one_of("none", *_HASHED),
                "hash_fallback": one_of("none", *_HASHED),
                **dict.fromkeys(_HASH_FIELDS, TEXT),
                "hash_on_cookie_path": Field(default="/"),
            }
        ),
        unique=("name",),
        key="name",
    ),
    "targets": Entity(
        _fields(
            {
                "upstream": _OWNED,
                "target": Field(required=True),
                "weight": Field("integer", 100, between=(0, 65535)),
            }
        ),
        key="target",
    ),
}
"""Every kind of object that is kept, by the name of its collection."""
_MADE = {"jwt_secrets": ("key", "secret"), "keyauth_credentials": ("key",)}
