"""What the gateway tells the plug-in, for the tests."""

from __future__ import annotations

from typing import Any

from jwtgate.dialects.wso2.tokens.given import Given

D = "http://wso2.org/claims/"
NOON = 1_800_000_000
APPLICATION = {
    "id": "2",
    "uuid": "u",
    "name": "app2",
    "tier": "Gold",
    "owner": "admin",
    "attributes": {"a": "b", "c": ""},
}
ATTRIBUTES = {
    "application": APPLICATION,
    "key_type": "PRODUCTION",
    "consumer_key": "ck2",
    "subscriptions": {"/p/1": {"tier": "Silver", "subscriber": "sub", "status": None}},
}
API = {"id": "/p/1", "name": "P", "version": "1", "context": "/p"}


def given(**changes: Any) -> Given:
    """Settings of the second generation with these changes."""
    members: dict[str, Any] = {"profile": "v2", "prefix": D, "claims": ("enduser",), "apis": {"p": API}}
    return Given(**{**members, **changes})


def told(kind: str | None = "opaque", **changes: Any) -> dict[str, Any]:
    """What is told of a caller; `kind` None: of one with a JWT."""
    credential = None if kind is None else {"name": "c", "labels": {"kind": kind}}
    return {
        "claims": {"sub": "ann", "aut": "APPLICATION_USER"},
        "consumer": {"name": "application:ck2", "attributes": ATTRIBUTES},
        "credential": credential,
        "permissions": [],
        "route": "p",
        "slot": "wso2",
        "now": NOON,
        **changes,
    }
