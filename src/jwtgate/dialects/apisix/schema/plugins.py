"""The plugins that are spoken here, with the schemas of their configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jwtgate.dialects.apisix.schema.validation import Schema

MACS = ("HS256", "HS384", "HS512")
SIGNATURES = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA")
REALM = r"^[ !#-\[\]-~]+$"
_TEXT: Schema = {"type": "string"}
_SOME_TEXT: Schema = {"type": "string", "minLength": 1}
_HEADERS: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}

META: Schema = {
    "type": "object",
    "properties": {
        "disable": {"type": "boolean"},
        "error_response": {"type": ["string", "object"]},
        "priority": {"type": "integer"},
        "filter": {"type": "array"},
        "pre_function": _TEXT,
    },
}
"""What every plugin's configuration may hold under `_meta`."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin: its schema on routes and their like, and that on consumers and credentials where it has one."""

    name: str
    priority: int
    schema: Schema = field(repr=False)
    consumer_schema: Schema | None = field(default=None, repr=False)
    metadata_schema: Schema | None = field(default=None, repr=False)

    @property
    def is_auth(self) -> bool:
        """Whether it finds out who is calling."""
        return self.consumer_schema is not None or self.name == "multi-auth"


def _object(properties: Mapping[str, Any], **more: Any) -> Schema:
    return {"type": "object", "properties": {**properties, "_meta": META}, **more}


_AUTH = {
    "hide_credentials": {"type": "boolean", "default": False},
    "anonymous_consumer": _SOME_TEXT,
    "realm": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": REALM},
}
_JWT_AUTH = _object(
    {
        "header": {**_TEXT, "default": "authorization"},
        "query": {**_TEXT, "default": "jwt"},
        "cookie": {**_TEXT, "default": "jwt"},
        "key_claim_name": {**_SOME_TEXT, "default": "key"},
        "store_in_ctx": {"type": "boolean", "default": False},
        "claims_to_verify": {"type": "array", "uniqueItems": True, "items": {"type": "string", "enum": ["exp", "nbf"]}},
        **_AUTH,
        "issuers": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _SOME_TEXT},
        "jwks_uri": _SOME_TEXT,
        "algorithms": {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(SIGNATURES)}},
        "audience": {"type": "array", "minItems": 1, "items": _SOME_TEXT},
        "claims_to_headers": {"type": "object", "additionalProperties": _SOME_TEXT},
        "reason_header": _SOME_TEXT,
    }
)
_JWT_AUTH_CONSUMER = _object(
    {
        "key": _SOME_TEXT,
        "secret": _SOME_TEXT,
        "algorithm": {"type": "string", "enum": [*MACS, *SIGNATURES], "default": "HS256"},
        "exp": {"type": "integer", "minimum": 1, "default": 86400},
        "base64_secret": {"type": "boolean", "default": False},
        "lifetime_grace_period": {"type": "integer", "minimum": 0, "default": 0},
        "public_key": _TEXT,
        "private_key": _TEXT,
        "jwks_uri": _SOME_TEXT,
    },
    required=["key"],
    dependencies={
        "algorithm": {
            "oneOf": [
                {"properties": {"algorithm": {"enum": list(MACS)}}},
                {
                    "properties": {"algorithm": {"enum": list(SIGNATURES)}},
                    "anyOf": [{"required": ["public_key"]}, {"required": ["jwks_uri"]}],
                },
            ]
        }
    },
)
_KEY_AUTH = _object({"header": {**_TEXT, "default": "apikey"}, "query": {**_TEXT, "default": "apikey"}, **_AUTH})
_LIMIT_COUNT = _object(
    {
        "count": {"type": "integer", "exclusiveMinimum": 0},
        "time_window": {"type": "integer", "exclusiveMinimum": 0},
        "group": _TEXT,
        "key": {**_TEXT, "default": "remote_addr"},
        "key_type": {"type": "string", "enum": ["var", "var_combination", "constant"], "default": "var"},
        "rejected_code": {"type": "integer", "minimum": 200, "maximum": 599, "default": 503},
        "rejected_msg": _SOME_TEXT,
        "policy": {"type": "string", "enum": ["local", "redis", "redis-cluster"], "default": "local"},
        "allow_degradation": {"type": "boolean", "default": False},
        "show_limit_quota_header": {"type": "boolean", "default": True},
    },
    required=["count", "time_window"],
)
_REWRITTEN_HEADERS: Schema = {
    "type": "object",
    "properties": {
        "set": _HEADERS,
        "add": {"type": ["object", "array"]},
        "remove": {"type": "array", "items": _SOME_TEXT},
    },
}
_PROXY_REWRITE = _object(
    {
        "uri": {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": r"^\/.*"},
        "method": {"type": "string", "enum": ["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"]},
        "regex_uri": {"type": "array", "minItems": 2, "items": _TEXT},
        "host": {"type": "string", "pattern": r"^[0-9a-zA-Z-.]+(:\d{1,5})?$"},
        "headers": _REWRITTEN_HEADERS,
    },
    minProperties=1,
)
_RESPONSE_REWRITE = _object({"headers": _REWRITTEN_HEADERS}, minProperties=1)
_MULTI_AUTH = _object(
    {"auth_plugins": {"type": "array", "minItems": 2, "items": {"type": "object", "minProperties": 1}}},
    required=["auth_plugins"],
)

PLUGINS: Mapping[str, Plugin] = MappingProxyType(
    {
        each.name: each
        for each in (
            Plugin("multi-auth", 2600, _MULTI_AUTH),
            Plugin("jwt-auth", 2510, _JWT_AUTH, _JWT_AUTH_CONSUMER),
            Plugin("key-auth", 2500, _KEY_AUTH, _object({"key": _SOME_TEXT}, required=["key"])),
            Plugin("proxy-rewrite", 1008, _PROXY_REWRITE),
            Plugin("limit-count", 1002, _LIMIT_COUNT),
            Plugin("response-rewrite", 899, _RESPONSE_REWRITE),
            Plugin("public-api", 501, _object({"uri": _TEXT})),
        )
    }
)
"""By name, the one that runs first at the head."""


def is_reference(value: object) -> bool:
    """Whether this is text that stands for a secret or a variable kept elsewhere."""
    return isinstance(value, str) and (value.startswith("$secret://") or value[:7].lower() == "$env://")
