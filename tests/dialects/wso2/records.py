"""The records of the examples: one application with one API, and two who call it."""

from __future__ import annotations

import copy
from typing import Any

USER_TOKEN, APPLICATION_TOKEN, SANDBOX_TOKEN = "token-of-sumedha", "token-of-app2", "token-of-the-sandbox"
CLAIMS = {
    "http://wso2.org/claims/emailaddress": "sumedha@example.com",
    "http://wso2.org/claims/givenname": "Sumedha",
    "http://wso2.org/claims/role": "a,b",
}
_RECORDS: dict[str, Any] = {
    "tenants": [{"domain": "carbon.super", "id": -1234}],
    "users": [{"name": "admin"}, {"name": "sumedha", "claims": CLAIMS}],
    "applications": [
        {
            "id": 2,
            "uuid": "0ad9b5d4-6f5f-4d36-8d19-2d3f0f5f0a02",
            "name": "app2",
            "tier": "Unlimited",
            "owner": "admin",
            "attributes": {"External Reference Id": "c1237890", "Region": ""},
            "keys": [
                {"consumer_key": "ck2", "type": "PRODUCTION"},
                {"consumer_key": "ck2-sandbox", "type": "SANDBOX"},
            ],
        }
    ],
    "apis": [
        {
            "name": "PlaceFinder",
            "context": "/placeFinder",
            "version": "1.0.0",
            "endpoint": "",
            "resources": [{"path": "/*"}, {"path": "/open/*", "auth": "none"}],
        }
    ],
    "subscriptions": [{"application": "app2", "api": "PlaceFinder", "tier": "Silver", "subscriber": "admin"}],
    "tokens": [
        {"token": USER_TOKEN, "consumer_key": "ck2", "user": "sumedha", "user_type": "APPLICATION_USER"},
        {"token": APPLICATION_TOKEN, "consumer_key": "ck2", "user_type": "APPLICATION"},
        {"token": SANDBOX_TOKEN, "consumer_key": "ck2-sandbox", "user": "sumedha"},
    ],
}


def records(upstream: str, **more: Any) -> dict[str, Any]:
    """The records with this upstream; `more` takes the place of whole lists, or stands beside them."""
    made = copy.deepcopy(_RECORDS)
    made["apis"][0]["endpoint"] = upstream
    return made | more


def xml(*elements: str, **options: object) -> str:
    """An `api-manager.xml` with tokens switched on and these children of its `JWTConfiguration`."""
    children = "".join(f"<{name}>{value}</{name}>" for name, value in options.items())
    text = f"<JWTConfiguration><EnableJWTGeneration>true</EnableJWTGeneration>{children}</JWTConfiguration>"
    return f'<APIManager xmlns="http://wso2.org/carbon/apimanager.xml">{text}{"".join(elements)}</APIManager>'


def toml(*lines: str) -> str:
    """A `deployment.toml` with tokens switched on, these lines in `[apim.jwt]` or below it."""
    return "\n".join(("[apim.jwt]", "enable = true", *lines, ""))
