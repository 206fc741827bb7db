"""How a gateway of this kind is started: its addresses, who may use its Admin API, and its key ring.

Read from `config.yaml`, which is any file whose top level has one of `SECTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from jwtgate.dialects.dialect import Settings
from jwtgate.errors import ConfigError

ADMIN_KEY_VARIABLE = "ADMIN_API_KEY"
STRICT_VARIABLE = "JWTGATE_APISIX_STRICT"
"""The environment variable that asks for strictness, with the value `true`."""
PUBLIC_KEYRING = ("qeddd145sfvddff3", "edd1c9f0985e76a2")
"""The key ring every gateway of this kind has unless it is told otherwise: no secret at all."""
SECTIONS = ("deployment", "apisix", "nginx_config", "plugin_attr")
"""The top-level members of `config.yaml`."""
_SECTION = re.compile(rf"\b({'|'.join(SECTIONS)})[\"']?\s*:".encode())
_LOCAL = ("127.0.0.0/24",)


@dataclass(frozen=True, slots=True)
class AdminKey:
    """One key of the Admin API: `role` is `admin`, or `viewer`, who may only look."""

    name: str
    key: str = field(repr=False)
    role: str = "admin"


@dataclass(frozen=True, slots=True)
class ApisixSettings(Settings):
    """Settings, and who may use the Admin API from where. An empty `keyring`: nothing is encrypted at rest.

    `strict`: a consumer without the secret its algorithm needs is refused instead of given one.
    """

    admin_keys: tuple[AdminKey, ...] = ()
    admin_key_required: bool = True
    allow_admin: tuple[str, ...] = _LOCAL
    keyring: tuple[str, ...] = field(default=PUBLIC_KEYRING, repr=False)
    strict: bool = False


def may_be_settings(data: bytes) -> bool:
    """Whether a document in this text could be a `config.yaml`; told at a glance, since others can be large."""
    return _SECTION.search(data) is not None


def is_settings(document: object) -> bool:
    """Whether this is the content of a `config.yaml`."""
    return isinstance(document, dict) and any(name in document for name in SECTIONS)


def read_settings(documents: Sequence[Mapping[str, Any]], given: Settings) -> ApisixSettings:
    """What is given, and where it says nothing what these documents say; a later one wins. `ConfigError`."""
    admin, apisix = _section(documents, "deployment", "admin"), _section(documents, "apisix")
    listed = apisix.get("node_listen", 9080)
    admin_listed = admin.get("admin_listen", {})
    required, allowed = admin.get("admin_key_required", True), admin.get("allow_admin", list(_LOCAL))
    if not isinstance(required, bool) or not isinstance(allowed, list | None):
        raise ConfigError("deployment.admin: admin_key_required is a flag, and allow_admin a list of networks")
    keyring = _keyring(_section(documents, "apisix", "data_encryption"))
    strict = given.environ.get(STRICT_VARIABLE) == "true"
    if strict and keyring == PUBLIC_KEYRING:
        raise ConfigError("apisix.data_encryption.keyring: everybody knows it; name one of your own, or switch it off")
    kept = {each.name: getattr(given, each.name) for each in fields(Settings)}
    return ApisixSettings(
        **{
            **kept,
            "listen": given.listen or tuple(_addresses(listed, "0.0.0.0")),  # noqa: S104 - as its users know it
            "tls_listen": given.tls_listen or tuple(_tls_addresses(apisix.get("ssl"), given)),
            "admin_listen": given.admin_listen
            or tuple(_addresses({"port": 9180, **_mapping(admin_listed)}, "127.0.0.1")),
        },
        admin_keys=tuple(_admin_keys(admin.get("admin_key"), given.environ)),
        admin_key_required=required,
        allow_admin=tuple(map(str, allowed or ())),
        keyring=keyring,
        strict=strict,
    )


def _section(documents: Sequence[Mapping[str, Any]], *path: str) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for document in documents:
        found: Any = document
        for step in path:
            found = _mapping(found).get(step)
        merged.update(_mapping(found))
    return merged


def _mapping(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError("config.yaml: a mapping is expected in every section")
    return value


def _addresses(listed: object, host: str) -> Iterator[str]:
    """`host:port` for a port, a text, a mapping with `ip` and `port`, or a list of them."""
    for entry in listed if isinstance(listed, list) else [listed]:
        found = entry if isinstance(entry, dict) else {"port": entry}
        port, address = found.get("port", 9080), str(found.get("ip", host))
        if isinstance(port, str) and not port.isdigit():
            yield port
            continue
        if isinstance(port, bool) or not isinstance(port, int | str):
            raise ConfigError("config.yaml: a port must be a number")
        yield f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _tls_addresses(ssl: object, given: Settings) -> Iterator[str]:
    """Where TLS is spoken; nowhere without a certificate, which its users keep among the objects."""
    found = _mapping(ssl)
    if given.certificate is not None and found.get("enable", True):
        yield from _addresses(found.get("listen", [{"port": 9443}]), "0.0.0.0")  # noqa: S104


def _admin_keys(listed: object, environ: Mapping[str, str]) -> Iterator[AdminKey]:
    if isinstance(listed, list):
        for entry in listed:
            found = _mapping(entry)
            name, key, role = str(found.get("name", "admin")), found.get("key"), found.get("role", "admin")
            if role not in ("admin", "viewer"):
                raise ConfigError("deployment.admin.admin_key: a role is admin or viewer")
            if isinstance(key, str) and key:
                yield AdminKey(name, _from_environment(key, environ), role)
    if environ.get(ADMIN_KEY_VARIABLE):
        yield AdminKey("admin", environ[ADMIN_KEY_VARIABLE])


def _from_environment(text: str, environ: Mapping[str, str]) -> str:
    """The value of `${{NAME}}` or `${{NAME:=default}}`, or the text itself."""
    if not (text.startswith("${{") and text.endswith("}}")):
        return text
    name, _, otherwise = text[3:-2].partition(":=")
    value = environ.get(name.strip(), otherwise.strip())
    if not value:
        raise ConfigError(f"config.yaml: the environment variable {name.strip()} is not set")
    return value


def _keyring(section: Mapping[str, Any]) -> tuple[str, ...]:
    if not section.get("enable_encrypt_fields", section.get("enable", True)):
        return ()
    listed = section.get("keyring") or list(PUBLIC_KEYRING)
    keys = [listed] if isinstance(listed, str) else listed
    if not isinstance(keys, list) or not all(isinstance(key, str) and len(key) in (16, 32) for key in keys):
        raise ConfigError("config.yaml: an entry of the key ring has 16 or 32 characters")
    return tuple(keys)
