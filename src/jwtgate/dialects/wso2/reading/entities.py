"""The entities a backend JWT is made from: users, applications, APIs, subscriptions, and who presents what."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TEXT, _FLAG, _LIST, _MAP, _NUMBER, _ANY = "text", "flag", "list", "map", "number", "any"


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of entity: its fields with their kinds, those it needs, and the field that holds what is beyond them.

    `key` is the field that a mapping of entities maps to each.
    """

    fields: Mapping[str, str]
    needed: tuple[str, ...]
    key: str = "name"
    rest: str | None = None


ENTITIES: Mapping[str, Entity] = {
    "tenants": Entity(
        {"domain": _TEXT, "id": _NUMBER, "signing_key": _TEXT, "certificate": _TEXT}, ("domain",), key="domain"
    ),
    "users": Entity(
        {"name": _TEXT, "tenant": _TEXT, "store_domain": _TEXT, "claims": _MAP, "federated": _FLAG},
        ("name",),
        rest="claims",
    ),
    "applications": Entity(
        {
            "id": _ANY,
            "uuid": _TEXT,
            "name": _TEXT,
            "tier": _TEXT,
            "owner": _TEXT,
            "attributes": _MAP,
            "keys": _LIST,
            "consumer_key": _TEXT,
            "key_type": _TEXT,
            "key_manager": _TEXT,
        },
        ("name",),
        rest="attributes",
    ),
    "apis": Entity(
        {
            "name": _TEXT,
            "version": _TEXT,
            "context": _TEXT,
            "provider": _TEXT,
            "tenant": _TEXT,
            "tier": _TEXT,
            "endpoint": _TEXT,
            "resources": _LIST,
            "default_version": _FLAG,
        },
        ("name", "version", "context", "endpoint"),
    ),
    "subscriptions": Entity(
        {
            "application": _ANY,
            "api": _ANY,
            "api_version": _TEXT,
            "tier": _TEXT,
            "subscriber": _TEXT,
            "status": _TEXT,
        },
        ("application", "api"),
        key="",
    ),
    "tokens": Entity(
        {
            "kind": _TEXT,
            "token": _TEXT,
            "consumer_key": _TEXT,
            "user": _TEXT,
            "password": _TEXT,
            "user_type": _TEXT,
            "scopes": _LIST,
            "claims": _MAP,
            "id": _TEXT,
            "exp": _NUMBER,
        },
        ("consumer_key",),
        key="token",
        rest="claims",
    ),
    "issuers": Entity(
        {
            "name": _TEXT,
            "certificate": _TEXT,
            "jwks": _ANY,
            "consumer_key_claim": _TEXT,
            "claim_mapping": _ANY,
            "disable_default_claim_mapping": _FLAG,
            "algorithms": _LIST,
        },
        ("name",),
    ),
}
"""The kinds of entities, by the name of a list of them."""

SYNONYMS: Mapping[str, str] = {
    "caller_tokens": "tokens",
    "jwt_issuers": "issuers",
    "user_store": "users",
    "apim.jwt.issuer": "issuers",
}
_FIELD_SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "tokens": {"access_token": "token", "value": "token", "api_key": "token", "key": "token", "jti": "id"},
    "users": {"user_name": "name", "username": "name", "tenant_domain": "tenant"},
    "applications": {"subscriber": "owner", "type": "key_type"},
    "subscriptions": {"app": "application", "version": "api_version"},
    "apis": {"backend": "endpoint", "url": "endpoint"},
}
KEY_FIELDS = frozenset({"consumer_key", "type", "key_manager"})
ACTIVE = ("UNBLOCKED", "ACTIVE", "TIER_UPDATE_PENDING")
INACTIVE = ("BLOCKED", "PROD_ONLY_BLOCKED", "ON_HOLD", "REJECTED", "DELETE_PENDING", "INACTIVE")
RESOURCE_FIELDS = frozenset({"path", "methods", "method", "auth", "scopes"})


def entity(kind: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """One entity as it is used, and what is wrong with it in sentences."""
    schema, synonyms = ENTITIES[kind], _FIELD_SYNONYMS.get(kind, {})
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in given.items():
        field = synonyms.get(name, name) if name not in schema.fields else name
        if field not in schema.fields:
            wrong.append(_unknown(name, schema))
        elif value is not None:
            found[field] = _valued(schema.fields[field], value, f"{name} ", wrong)
    missing = [name for name in schema.needed if found.get(name) in (None, "")]
    wrong.extend(f"lacks {name}" for name in missing)
    if not wrong:
        wrong.extend(_NESTED[kind](found) if kind in _NESTED else ())
    return found, wrong


def _unknown(name: str, schema: Entity) -> str:
    nearest = difflib.get_close_matches(name, schema.fields, n=1)
    return f"{name} is not known" + (f"; did you mean {nearest[0]}?" if nearest else "")


def _valued(kind: str, value: Any, named: str, wrong: list[str]) -> Any:
    """The value as this kind has it; files of data write versions, ids and flags in several ways."""
    try:
        return _READERS[kind](value)
    except (ValueError, TypeError):
        wrong.append(f"{named}must be {_CALLED[kind]}")
        return None


def _text(value: Any) -> str:
    if isinstance(value, str) or type(value) in (int, float):
        return str(value)
    raise TypeError


def _number(value: Any) -> int:
    if type(value) is int or isinstance(value, str):
        return int(value)
    raise TypeError


def _flag(value: Any) -> bool:
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise ValueError


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return _text(value).replace(",", " ").split()


def _map(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise TypeError


_READERS: Mapping[str, Any] = {
    _TEXT: _text,
    _NUMBER: _number,
    _FLAG: _flag,
    _LIST: _list,
    _MAP: _map,
    _ANY: lambda value: value,
}
_CALLED = {_TEXT: "text", _NUMBER: "a whole number", _FLAG: "true or false", _LIST: "a list", _MAP: "a mapping"}


def _of_user(user: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts("claims", user.get("claims", {}))


def _of_application(application: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts("attributes", application.get("attributes", {}))
    for key in application.get("keys", ()):
        if not isinstance(key, dict) or not isinstance(key.get("consumer_key"), str):
            yield "keys must be a list of mappings with consumer_key"
        elif unknown := sorted(key.keys() - KEY_FIELDS):
            yield f"keys: {unknown[0]} is not known"
        elif key.get("type", "PRODUCTION") not in ("PRODUCTION", "SANDBOX"):
            yield "the type of a key is PRODUCTION or SANDBOX"
    if application.get("key_type", "PRODUCTION") not in ("PRODUCTION", "SANDBOX"):
        yield "key_type is PRODUCTION or SANDBOX"


def _of_api(api: Mapping[str, Any]) -> Iterator[str]:
    if not api["context"].startswith("/"):
        yield "context must begin with a slash"
    for resource in api.get("resources", ()):
        if not isinstance(resource, dict) or not isinstance(resource.get("path", "/*"), str):
            yield "resources must be a list of mappings with path"
        elif unknown := sorted(resource.keys() - RESOURCE_FIELDS):
            yield f"resources: {unknown[0]} is not known"


def _of_subscription(subscription: Mapping[str, Any]) -> Iterator[str]:
    if (subscription.get("status") or ACTIVE[0]).upper() not in (*ACTIVE, *INACTIVE):
        yield f"status is one of {', '.join((*ACTIVE, *INACTIVE))}"


def _of_token(token: Mapping[str, Any]) -> Iterator[str]:
    kind = token.get("kind", "opaque")
    if kind not in ("jwt", "opaque", "api_key", "basic"):
        yield "kind is jwt, opaque, api_key or basic"
    if kind == "basic" and not (token.get("user") and token.get("password")):
        yield "needs user and password"
    if kind != "basic" and not token.get("token"):
        yield "needs token, the text that is presented"
    if token.get("user_type", "APPLICATION") not in ("APPLICATION", "APPLICATION_USER"):
        yield "user_type is APPLICATION or APPLICATION_USER"
    if token.get("user_type") == "APPLICATION_USER" and not token.get("user"):
        yield "needs user, whose token it is"


def _of_issuer(issuer: Mapping[str, Any]) -> Iterator[str]:
    jwks = issuer.get("jwks")
    if isinstance(jwks, dict) and not (isinstance(jwks.get("url"), str) or "keys" in jwks):
        yield "jwks needs url"
    elif not isinstance(jwks, dict | str | None):
        yield "jwks must be an address, or a mapping with url"
    if jwks is None and issuer.get("certificate") is None:
        yield "needs jwks.url or certificate"
    mapping = issuer.get("claim_mapping", ())
    if not _is_mapping_of_claims(mapping):
        yield "claim_mapping must hold remote_claim and local_claim"


def _is_mapping_of_claims(mapping: object) -> bool:
    """Whether these are pairs of names, as TOML has them, or names by names."""
    if isinstance(mapping, dict):
        return all(isinstance(local, str) for local in mapping.values())
    return isinstance(mapping, list | tuple) and all(
        isinstance(each, dict)
        and each.keys() == {"remote_claim", "local_claim"}
        and all(isinstance(name, str) for name in each.values())
        for each in mapping
    )


def _texts(name: str, held: Mapping[str, Any]) -> Iterator[str]:
    wrong = [key for key, value in held.items() if not isinstance(value, str | int | float | bool | None)]
    yield from (f"{name}: {key} must be text" for key in wrong)


_NESTED: Mapping[str, Any] = {
    "users": _of_user,
    "applications": _of_application,
    "apis": _of_api,
    "subscriptions": _of_subscription,
    "tokens": _of_token,
    "issuers": _of_issuer,
}
