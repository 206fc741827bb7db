"""The schemas of the objects themselves, plugins apart."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jwtgate.dialects.apisix.schema.validation import Schema

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PURGE")
_ID: Schema = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[a-zA-Z0-9-_.]+$"},
        {"type": "integer", "minimum": 1},
    ]
}
_HOST: Schema = {"type": "string", "pattern": r"^\*?[0-9a-zA-Z-._\[\]:]+$"}
_ADDRESS: Schema = {"type": "string", "pattern": r"^([0-9a-fA-F:.]+)(/[0-9]{1,3})?$"}
_SECONDS: Schema = {"type": "number", "exclusiveMinimum": 0}
_URI: Schema = {"type": "string", "minLength": 1, "maxLength": 4096}
_PLUGINS: Schema = {"type": "object"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIMEOUT: Schema = {
    "type": "object",
    "properties": {"connect": _SECONDS, "send": _SECONDS, "read": _SECONDS},
}
_LABELS: Schema = {
    "type": "object",
    "patternProperties": {".*": {"type": "string", "minLength": 1, "maxLength": 256, "pattern": r"^\S+$"}},
}
_SHARED: Mapping[str, Any] = {
    "id": _ID,
    "desc": {"type": "string", "maxLength": 256},
    "labels": _LABELS,
    "create_time": {"type": "integer"},
    "update_time": {"type": "integer"},
}
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 256}
_WEIGHT: Schema = {"type": "integer", "minimum": 0}
_NODES: Schema = {
    "anyOf": [
        {"type": "object", "patternProperties": {".*": _WEIGHT}},
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "host": _HOST,
                    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                    "weight": _WEIGHT,
                    "priority": {"type": "integer"},
                    "metadata": {"type": "object"},
                },
                "required": ["host", "weight"],
            },
        },
    ]
}


def _secret(properties: Mapping[str, Any], **more: Any) -> Schema:
    # Its id has two parts.
    return {"type": "object", "properties": properties, **more}


def _object(properties: Mapping[str, Any], **more: Any) -> Schema:
    return {"type": "object", "properties": {**_SHARED, **properties}, **more}


UPSTREAM = _object(
    {
        "name": _NAME,
        "nodes": _NODES,
        "type": {"type": "string", "default": "roundrobin"},
        "hash_on": {
            "type": "string",
            "enum": ["vars", "header", "cookie", "consumer", "vars_combinations"],
            "default": "vars",
        },
        "key": {"type": "string"},
        "scheme": {
            "type": "string",
            "enum": ["grpc", "grpcs", "http", "https", "tcp", "tls", "udp", "kafka"],
            "default": "http",
        },
        "pass_host": {"type": "string", "enum": ["pass", "node", "rewrite"], "default": "pass"},
        "upstream_host": _HOST,
        "retries": _COUNT,
        "retry_timeout": {"type": "number", "minimum": 0},
        "timeout": _TIMEOUT,
        "keepalive_pool": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "idle_timeout": {"type": "number", "minimum": 0},
                "requests": {"type": "integer", "minimum": 1},
            },
        },
        "checks": {"type": "object"},
        "tls": {
            "type": "object",
            "properties": {
                "client_cert_id": _ID,
                "client_cert": {"type": "string"},
                "client_key": {"type": "string"},
                "verify": {"type": "boolean", "default": False},
            },
        },
        "service_name": {"type": "string", "maxLength": 256, "minLength": 1},
        "discovery_type": {"type": "string"},
        "discovery_args": {"type": "object"},
    },
    oneOf=[{"required": ["nodes"]}, {"required": ["service_name", "discovery_type"]}],
    additionalProperties=False,
)
ROUTE = _object(
    {
        "uri": _URI,
        "uris": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _URI},
        "name": _NAME,
        "host": _HOST,
        "hosts": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _HOST},
        "remote_addr": _ADDRESS,
        "remote_addrs": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _ADDRESS},
        "methods": {"type": "array", "uniqueItems": True, "items": {"type": "string", "enum": list(METHODS)}},
        "priority": {"type": "integer", "default": 0},
        "vars": {"type": "array"},
        "filter_func": {"type": "string", "minLength": 10, "pattern": r"^function"},
        "plugins": _PLUGINS,
        "plugin_config_id": _ID,
        "upstream": UPSTREAM,
        "upstream_id": _ID,
        "service_id": _ID,
        "script": {"type": "string", "minLength": 10},
        "script_id": _ID,
        "timeout": _TIMEOUT,
        "enable_websocket": {"type": "boolean"},
        "status": {"type": "integer", "enum": [0, 1], "default": 1},
    },
    allOf=[
        {"oneOf": [{"required": ["uri"]}, {"required": ["uris"]}]},
        {
            "oneOf": [
                {"not": {"anyOf": [{"required": ["host"]}, {"required": ["hosts"]}]}},
                {"required": ["host"]},
                {"required": ["hosts"]},
            ]
        },
        {
            "oneOf": [
                {"not": {"anyOf": [{"required": ["remote_addr"]}, {"required": ["remote_addrs"]}]}},
                {"required": ["remote_addr"]},
                {"required": ["remote_addrs"]},
            ]
        },
        {
            "anyOf": [
                {"required": [name]}
                for name in ("plugins", "upstream", "upstream_id", "service_id", "plugin_config_id", "script")
            ]
        },
    ],
    additionalProperties=False,
)
SERVICE = _object(
    {
        "name": _NAME,
        "plugins": _PLUGINS,
        "upstream": UPSTREAM,
        "upstream_id": _ID,
        "hosts": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _HOST},
        "enable_websocket": {"type": "boolean"},
        "script": {"type": "string", "minLength": 10},
    },
    additionalProperties=False,
)
CONSUMER = _object(
    {
        "username": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^[a-zA-Z0-9_\-]+$"},
        "group_id": _ID,
        "plugins": _PLUGINS,
    },
    required=["username"],
    additionalProperties=False,
)
CREDENTIAL = _object(
    {"name": _NAME, "plugins": {"type": "object", "maxProperties": 1}},
    required=["plugins"],
    additionalProperties=False,
)
_WITH_PLUGINS = _object({"name": _NAME, "plugins": _PLUGINS}, required=["plugins"], additionalProperties=False)
_SSL = _object(
    {
        "cert": {"type": "string"},
        "key": {"type": "string"},
        "sni": _HOST,
        "snis": {"type": "array", "minItems": 1, "items": _HOST},
        "certs": {"type": "array", "items": {"type": "string"}},
        "keys": {"type": "array", "items": {"type": "string"}},
        "client": {"type": "object"},
        "type": {"type": "string", "enum": ["server", "client"]},
        "ssl_protocols": {"type": "array"},
        "status": {"type": "integer", "enum": [0, 1]},
    },
    required=["cert", "key"],
    additionalProperties=False,
)
VAULT = _secret(
    {
        "uri": {"type": "string", "pattern": r"^[^\/]+:\/\/([\da-zA-Z.-]+|\[[\da-fA-F:]+\])(:\d+)?"},
        "prefix": {"type": "string"},
        "token": {"type": "string"},
        "namespace": {"type": "string"},
        "kv_version": {"type": "integer", "enum": [1, 2], "default": 1},
    },
    required=["uri", "prefix", "token"],
)
AWS = _secret(
    {
        "access_key_id": {"type": "string"},
        "secret_access_key": {"type": "string"},
        "session_token": {"type": "string"},
        "region": {"type": "string", "default": "us-east-1"},
        "endpoint_url": {"type": "string"},
    },
    required=["access_key_id", "secret_access_key"],
)
GCP = _secret(
    {
        "auth_config": {
            "type": "object",
            "properties": {
                "client_email": {"type": "string"},
                "private_key": {"type": "string"},
                "project_id": {"type": "string"},
                "token_uri": {"type": "string"},
                "scope": {"type": "array", "items": {"type": "string"}},
                "entries_uri": {"type": "string"},
            },
            "required": ["client_email", "private_key", "project_id"],
        },
        "auth_file": {"type": "string"},
        "ssl_verify": {"type": "boolean", "default": True},
    },
    oneOf=[{"required": ["auth_config"]}, {"required": ["auth_file"]}],
)
SECRET_MANAGERS: Mapping[str, Schema] = MappingProxyType({"vault": VAULT, "aws": AWS, "gcp": GCP})

RESOURCE_SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "routes": ROUTE,
        "services": SERVICE,
        "upstreams": UPSTREAM,
        "consumers": CONSUMER,
        "credentials": CREDENTIAL,
        "consumer_groups": _WITH_PLUGINS,
        "plugin_configs": _WITH_PLUGINS,
        "global_rules": _object({"plugins": _PLUGINS}, required=["plugins"], additionalProperties=False),
        "ssls": _SSL,
        "secrets": {"type": "object"},
        "protos": _object({"name": _NAME, "content": {"type": "string"}}, required=["content"]),
        "stream_routes": {"type": "object"},
        "plugin_metadata": {"type": "object"},
    }
)
"""By collection, as the Admin API calls them."""
