"""What Kong says of hosts, paths, names, keys and certificates it will not take, and of what does not go together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.kong.fields import ENTITY, REQUIRED, Complaint
from jwtgate.errors import KeyRefused
from jwtgate.jose.certificate import parse_certificates
from jwtgate.jose.key import Key

_HOST = re.compile(
    r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?(\.\*)?(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?"
)
_NAME = re.compile(r"[\w.~-]+")


def wrong_host(value: str) -> str | None:
    """What is wrong with a host, which may hold one `*` at an end."""
    return None if _HOST.fullmatch(value) else f"invalid value: {value}"


def wrong_name(value: str) -> str | None:
    """What is wrong with a name."""
    if _NAME.fullmatch(value):
        return None
    return f"invalid value '{value}': the only accepted ascii characters are alphanumerics or ., -, _, and ~"


def wrong_path(value: str) -> str | None:
    """What is wrong with the path of a route."""
    if value.startswith("~/"):
        return None
    if not value.startswith("/"):
        return "should start with: / (fixed path) or ~/ (regexed path)"
    return "must not have empty segments" if "//" in value else None


def wrong_service_path(value: str) -> str | None:
    """What is wrong with the path of a service."""
    if not value.startswith("/"):
        return "should start with: /"
    return "must not have empty segments" if "//" in value else None


def wrong_method(value: str) -> str | None:
    """What is wrong with a method."""
    return None if re.fullmatch(r"[A-Z]+", value) else f"invalid value: {value}"


def wrong_certificate(value: str) -> str | None:
    """What is wrong with a certificate in PEM."""
    try:
        parse_certificates(value.encode())
    except (KeyRefused, ValueError):
        return "invalid certificate"
    return None


def wrong_private_key(value: str) -> str | None:
    """What is wrong with a private key in PEM."""
    try:
        return None if Key.from_pem(value.encode()).is_private else "invalid key"
    except KeyRefused:
        return "invalid key"


def wrong_route(route: Mapping[str, Any]) -> Mapping[str, Complaint]:
    """What is wrong with a route as a whole."""
    protocols = set(route["protocols"])
    names = ["methods", "hosts", "headers", "paths"]
    scheme = "http"
    if "https" in protocols:
        names, scheme = [*names, "snis"], "https"
    if protocols & {"http", "https"} and not any(route[name] for name in names):
        quoted = ", ".join(f"'{name}'" for name in names)
        return {ENTITY: [f"must set one of {quoted} when 'protocols' is '{scheme}'"]}
    if route["snis"] and "https" not in protocols:
        return {"snis": "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'"}
    return {}


def wrong_consumer(consumer: Mapping[str, Any]) -> Mapping[str, Complaint]:
    """What is wrong with a consumer as a whole."""
    if consumer["username"] or consumer["custom_id"]:
        return {}
    return {ENTITY: ["at least one of these fields must be non-empty: 'custom_id', 'username'"]}


def wrong_jwt_secret(credential: Mapping[str, Any]) -> Mapping[str, Complaint]:
    """What is wrong with a credential of the plugin `jwt` as a whole."""
    alg, pem = credential["algorithm"], credential["rsa_public_key"]
    if alg.startswith("HS") or (pem is None and alg.startswith("ES")):
        return {}
    wrong = REQUIRED if pem is None else _wrong_public_key(pem, alg)
    if wrong is None:
        return {}
    failed = "failed conditional validation given value of field 'algorithm'"
    return {ENTITY: [failed], "rsa_public_key": wrong}


def _wrong_public_key(pem: str, alg: str) -> str | None:
    try:
        return None if Key.from_pem(pem.encode()).fits(alg) else "invalid key"
    except KeyRefused:
        return "invalid key"
