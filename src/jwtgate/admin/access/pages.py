"""Requests a browser makes for a page that is none of ours: nobody who uses the browser meant them."""

from __future__ import annotations

from collections.abc import MutableMapping
from ipaddress import ip_address
from typing import Any

Scope = MutableMapping[str, Any]

_SAFE = ("GET", "HEAD", "OPTIONS")


def is_of_another_origin(scope: Scope) -> bool:
    """Whether a page of another origin had it made. A link that is followed is nobody's but the user's."""
    site = _values(scope, b"sec-fetch-site")
    own = b"%s://%s" % (scope["scheme"].encode(), b"".join(_values(scope, b"host")))
    opened_by_hand = scope["method"] in _SAFE and _values(scope, b"sec-fetch-mode") == [b"navigate"]
    foreign = any(value not in (b"same-origin", b"none") for value in site) and not opened_by_hand
    return foreign or any(origin != own for origin in _values(scope, b"origin"))


def is_of_a_name_led_here(scope: Scope) -> bool:
    """Whether it came over loopback under somebody's domain name, which that somebody can let lead here at any time.

    A browser then takes their pages for ours. A name of one word is nobody's.
    """
    server = scope.get("server")
    if server is None or not is_loopback(server[0]):
        return False
    host = b"".join(_values(scope, b"host")).decode("latin-1").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip("[]").removesuffix(".")
    return "." in name and not name.endswith(".localhost") and not _is_address(name)


def is_loopback(text: str) -> bool:
    """Whether this is an address only this machine reaches."""
    return _is_address(text) and ip_address(text).is_loopback


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for field, value in scope["headers"] if field == name]
