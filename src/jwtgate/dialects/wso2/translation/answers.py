"""What callers are answered, with the codes of the product."""

from __future__ import annotations

import json
from typing import Any

REALM = "WSO2 API Manager"
_JSON = "application/json; charset=UTF-8"
_MESSAGES = {
    "900900": (500, "Unclassified Authentication Failure", "The request could not be authenticated."),
    "900901": (401, "Invalid Credentials", "The credentials of the request are not good for this API."),
    "900902": (401, "Missing Credentials", "The request needs an access token in Authorization."),
    "900908": (403, "Resource forbidden", "The application has no subscription of this API."),
    "900910": (403, "The access token does not allow you to access the requested resource", "It lacks a scope."),
}
_CODES = {
    "credential_missing": "900902",
    "credential_repeated": "900901",
    "credential_malformed": "900901",
    "token_refused": "900901",
    "consumer_unknown": "900908",
    "condition_not_met": "900908",
    "scope_refused": "900910",
    "dependency_fault": "900900",
}


def answers() -> dict[str, Any]:
    """The answers of a document."""
    return {reason: _answer(code) for reason, code in _CODES.items()}


def _answer(code: str) -> dict[str, Any]:
    status, message, description = _MESSAGES[code]
    body = json.dumps({"code": code, "message": message, "description": description}, separators=(",", ":"))
    return {"status": status, "body": body, "content_type": _JSON, "challenge": status == 401}
