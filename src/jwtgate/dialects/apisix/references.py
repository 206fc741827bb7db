"""Values kept elsewhere: `$ENV://NAME` and `$secret://MANAGER/ID/PATH` as references of ours, and their stores."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.schema.plugins import is_reference
from jwtgate.dialects.dialect import Objects, literal
from jwtgate.errors import ConfigError

NO_STORE = "no-such-store"
"""The store of a reference that names none: it leads nowhere, as its users know it."""
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,48}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def said(text: str, objects: Objects) -> str:
    """The text as a document of ours has it: a reference of ours for one of theirs."""
    if not is_reference(text):
        return literal(text)
    scheme, _, path = text.partition("://")
    if "{" in path or "}" in path:
        return f"${{{NO_STORE}:malformed}}"
    if scheme.lower() == "$env":
        name, _, member = path.partition("/")
        return f"${{env:{name}#{member}}}" if member else f"${{env:{name}}}"
    manager, _, rest = path.partition("/")
    identity, _, path = rest.partition("/")
    if not identity or not path:
        return f"${{{NO_STORE}:malformed}}"
    return f"${{{store_name(manager, identity)}:{_where(manager, path, _secret(objects, manager, identity))}}}"


def _where(manager: str, path: str, secret: Mapping[str, Any]) -> str:
    *steps, last = path.split("/")
    if manager == "gcp":
        name, _, member = path.partition("/")
        return f"{name}#{member}" if member else name
    if manager == "vault" and secret.get("kv_version") == 2:
        steps = [*str(secret.get("prefix", "")).strip("/").split("/")[1:], *steps]
    return f"{'/'.join(steps)}#{last}" if steps else last


def store_name(manager: str, identity: str) -> str:
    """What we call a secret manager; every one has another name."""
    if _PLAIN_ID.fullmatch(identity):
        return f"{manager}-{identity}"
    return f"{manager}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _secret(objects: Objects, manager: str, identity: str) -> Mapping[str, Any]:
    found = objects.get("secrets", {}).get(f"{manager}/{identity}", {})
    return found if isinstance(found, dict) else {}


def secret_stores(objects: Objects, noting: Noting) -> dict[str, Any]:
    """Our stores for the secret managers among the objects, by our names."""
    stores: dict[str, Any] = {}
    for name, secret in objects.get("secrets", {}).items():
        manager, _, identity = name.partition("/")
        kind = {"vault": _vault, "aws": _aws, "gcp": _gcp}.get(manager)
        if kind is None:
            noting.refused(("secrets", name), f"invalid secret manager: {manager}")
            continue
        settings = kind(secret, noting, ("secrets", name))
        stores[store_name(manager, identity)] = {manager: settings, "may_be_away": True}
    return stores


def _vault(secret: Mapping[str, Any], noting: Noting, place: tuple[str, ...]) -> dict[str, Any]:
    prefix = str(secret["prefix"]).strip("/")
    version = secret.get("kv_version", 1)
    settings: dict[str, Any] = {
        "address": literal(secret["uri"]),
        "mount": literal(prefix.partition("/")[0] if version == 2 else prefix),
        "version": version,
        "auth": {"token": said(secret["token"], {})},
    }
    if "namespace" in secret:
        settings["namespace"] = literal(secret["namespace"])
    parts = _address(secret["uri"], (*place, "uri"))
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        settings["insecure_http"] = True
        noting.danger((*place, "uri"), "secrets are fetched without TLS")
    return settings


def _aws(secret: Mapping[str, Any], noting: Noting, place: tuple[str, ...]) -> dict[str, Any]:
    noting.changed(place, "the last part of a reference's path is a member, all before it the name of the secret")
    settings = {
        "region": secret.get("region", "us-east-1"),
        "access_key_id": secret["access_key_id"],
        "secret_access_key": secret["secret_access_key"],
        "session_token": secret.get("session_token"),
        "endpoint": secret.get("endpoint_url"),
    }
    return {name: said(value, {}) for name, value in settings.items() if value is not None}


def _gcp(secret: Mapping[str, Any], noting: Noting, place: tuple[str, ...]) -> dict[str, Any]:
    if secret.get("ssl_verify") is False:
        noting.changed((*place, "ssl_verify"), "certificates are always verified")
    config = secret.get("auth_config")
    if config is None:
        return {"credentials_file": literal(secret["auth_file"])}
    account = {
        "type": "service_account",
        "token_uri": "https://oauth2.googleapis.com/token",
        **{name: value for name, value in config.items() if name not in ("scope", "entries_uri")},
    }
    settings = {"project": literal(config["project_id"]), "credentials": _account(account)}
    if "entries_uri" in config:
        noting.changed((*place, "auth_config", "entries_uri"), "its host is the endpoint that is asked")
        parts = _address(config["entries_uri"], (*place, "auth_config", "entries_uri"))
        settings["endpoint"] = f"{parts.scheme}://{parts.netloc}"
    return settings


def _address(text: str, place: tuple[str, ...]) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise ConfigError(f"{'/'.join(place)}: is no address") from None


def _account(account: Mapping[str, Any]) -> str:
    """The account as JSON; a member that refers elsewhere makes the whole refer there, so none may."""
    return literal(json.dumps(account, separators=(",", ":")))
