"""Applications and users as consumers of ours: one for each key of an application, and one for each user.

An application's consumer is found by its `external_id`, the consumer key, a user's by its name or its id, and never the
other way round: no token can name a user where an application is meant.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.dialect import Caller, Meaning, Note, Objects, as_name, literals
from jwtgate.dialects.wso2.tokens.given import SUPER_TENANT, USER, tenant_of, with_tenant
from jwtgate.dialects.wso2.translation.subscriptions import active, subscriptions_of
from jwtgate.errors import ConfigError

_APPLICATION = "application:"
_OF_THEIR_OWN = ("api_key", "basic")
"""Kinds of what is presented by users whose name is whole as it stands there."""


def callers(objects: Objects) -> Iterator[Caller]:
    """The consumers these applications and users become. `ConfigError` for what does not fit together."""
    tokens: dict[str, list[Mapping[str, Any]]] = {}
    for token in objects["tokens"]:
        tokens.setdefault(token["consumer_key"], []).append(token)
    subscribed = subscriptions_of(objects)
    seen: set[str] = set()
    for index, application in enumerate(objects["applications"]):
        for key in keys_of(application):
            if key["consumer_key"] in seen:
                raise ConfigError(f"{application['_file']}: two applications have the key {key['consumer_key']}.")
            seen.add(key["consumer_key"])
            held = tokens.pop(key["consumer_key"], [])
            yield _application(application, key, subscribed.get(index, {}), tokens=held, objects=objects)
    for unknown, lost in tokens.items():
        raise ConfigError(f"{lost[0]['_file']}: tokens: no application has the key {unknown}.")
    for user in objects["users"]:
        caller = _user(user)
        if caller.name in seen:
            raise ConfigError(f"{user['_file']}: two users are called {user['name']}.")
        seen.add(caller.name)
        yield caller


def is_bound(key: Mapping[str, Any], objects: Objects) -> bool:
    """Whether only JWTs of one issuer may name this key: its key manager is among the issuers."""
    return any(key.get("key_manager") == issuer["name"] for issuer in objects["issuers"])


def keys_of(application: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The keys of an application, in whichever way it says them."""
    yield from application.get("keys", ())
    if "consumer_key" in application:
        yield {
            "consumer_key": application["consumer_key"],
            "type": application.get("key_type", "PRODUCTION"),
            "key_manager": application.get("key_manager"),
        }


def _application(
    application: Mapping[str, Any],
    key: Mapping[str, Any],
    subscriptions: Mapping[str, Mapping[str, Any]],
    *,
    tokens: list[Mapping[str, Any]],
    objects: Objects,
) -> Caller:
    name = as_name(_APPLICATION + key["consumer_key"])
    told = {field: application.get(field) for field in ("uuid", "name", "tier", "owner")}
    number = application.get("id")
    attributes = {
        each: "" if value is None else str(value) for each, value in application.get("attributes", {}).items()
    }
    owner = _developer(application.get("owner"))
    developers = {api: _developer(held["subscriber"]) for api, held in subscriptions.items() if held["subscriber"]}
    value = literals(
        {
            "external_id": key["consumer_key"],
            "groups": [api for api, held in subscriptions.items() if active(held)],
            "attributes": {
                "application": {**told, "id": None if number is None else str(number), "attributes": attributes},
                "key_type": key.get("type", "PRODUCTION"),
                "consumer_key": key["consumer_key"],
                "subscriptions": {api: dict(held) for api, held in subscriptions.items()},
                "developer": owner,
                "developers": {api: each for api, each in developers.items() if each != owner},
                **({"key_manager": key["key_manager"]} if is_bound(key, objects) else {}),
            },
            "credentials": _credentials(tokens, objects),
        }
    )
    place = f"applications/{application['name']}/{key['consumer_key']}"
    return Caller(name, value, (Note(place, Meaning.EXACT), *(_note(place, token) for token in tokens)))


def _developer(name: str | None) -> dict[str, str]:
    """Who stands behind an application: its name, empty where nobody is told, and its tenant."""
    return {"name": with_tenant(name) if name else "", "tenant": tenant_of(name or "")}


def _note(place: str, token: Mapping[str, Any]) -> Note:
    return Note(
        f"{place}/{token.get('kind', 'opaque')}/{token.get('id') or token.get('user') or 'token'}", Meaning.EXACT
    )


def _credentials(tokens: list[Mapping[str, Any]], objects: Objects) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for token in tokens:
        name, credential = _credential(token, objects)
        if name in found:
            raise ConfigError(f"{token['_file']}: tokens: one of {token['consumer_key']} stands there twice.")
        found[name] = credential
    return found


def _credential(token: Mapping[str, Any], objects: Objects) -> tuple[str, dict[str, Any]]:
    """A token as an API key that says what the token would."""
    kind = token.get("kind", "opaque")
    text = token.get("token", "")
    if kind == "basic":
        text = base64.b64encode(f"{token['user']}:{token['password']}".encode()).decode()
    user_type = token.get("user_type") or ("APPLICATION_USER" if token.get("user") else "APPLICATION")
    claims: dict[str, Any] = {
        "sub": token.get("user"),
        "aut": user_type,
        "kind": kind if kind in _OF_THEIR_OWN else None,
        "scope": " ".join(map(str, token.get("scopes", ()))) or None,
        "jti": token.get("id"),
        "exp": token.get("exp"),
        "claims": token.get("claims") or None,
        "grants": objects.get("grant_cache", {}).get(text) or None,
    }
    said = {name: value for name, value in claims.items() if value is not None}
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{kind}-{digest}", {"api_key": text, "labels": {"kind": kind}, "claims": said}


def _user(user: Mapping[str, Any]) -> Caller:
    name = user["name"]
    if user.get("store_domain") and "/" not in name:
        name = f"{user['store_domain']}/{name}"
    tenant = user.get("tenant") or (name.rpartition("@")[2] if "@" in name else SUPER_TENANT)
    whole = name if name.endswith(f"@{tenant}") else f"{name}@{tenant}"
    short = whole.removesuffix(f"@{tenant}") if tenant == SUPER_TENANT else whole
    claims = {each: str(value) for each, value in user.get("claims", {}).items() if value is not None}
    value = {"id": USER + whole, "attributes": {"claims": claims, "federated": user.get("federated", False)}}
    return Caller(as_name(USER + short), literals(value), (Note(f"users/{whole}", Meaning.EXACT),))
