"""What the plugins say to a client they refuse, as answers of ours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from jwtgate.dialects.dialect import literal

PLAIN_TEXT = "text/plain; charset=utf-8"
UNREADABLE = (
    "token_malformed",
    "token_too_large",
    "token_encrypted",
    "claims_unreadable",
    "signature_unreadable",
    "credential_malformed",
    "credential_repeated",
)
"""The reasons for which a token cannot be read."""
MISSING_TOKEN, INVALID_TOKEN = "Missing JWT token in request", "JWT token invalid"
NO_KEY, UNKNOWN_KEY = "missing user key in JWT token", "Invalid user key in JWT token"
NOT_VERIFIED, NO_CONSUMER = "failed to verify jwt", "Invalid user authorization"
_OF_JWT: Mapping[str, str] = {
    "credential_missing": MISSING_TOKEN,
    **dict.fromkeys(UNREADABLE, INVALID_TOKEN),
    "credential_not_named": NO_KEY,
    **dict.fromkeys(("credential_unknown", "credential_name_malformed"), UNKNOWN_KEY),
    "issuer_unknown": UNKNOWN_KEY,
    "consumer_unknown": NO_CONSUMER,
    "token_refused": NOT_VERIFIED,
    "credential_unresolved": NOT_VERIFIED,
}
_OF_KEY: Mapping[str, str] = {
    "credential_missing": "Missing API key in request",
    "credential_malformed": "Invalid API key in request",
    "credential_repeated": "Invalid API key in request",
    "token_refused": "Invalid API key in request",
    "credential_unresolved": "Invalid API key in request",
    "consumer_unknown": NO_CONSUMER,
}
_OF_SEVERAL: Mapping[str, str] = dict.fromkeys(
    ("credential_missing", "credential_malformed", "credential_repeated", "token_refused", "credential_unresolved"),
    "Authorization Failed",
)
_FAULTS = ("credential_unresolved",)
_SENTENCES = {"jwt-auth": _OF_JWT, "key-auth": _OF_KEY, "multi-auth": _OF_SEVERAL}
_CHALLENGES = {"jwt-auth": ("Bearer", "jwt"), "key-auth": ("apikey", "key")}


def json_line(value: object) -> str:
    """A value as its users get it: JSON and a line feed."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


NO_ROUTE: Mapping[str, Any] = {
    "status": 404,
    "body": json_line({"error_msg": "404 Route Not Found"}),
    "content_type": PLAIN_TEXT,
}
"""The answer to a request no route takes."""


def answers_of(plugin: str, conf: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of an authentication plugin with this configuration."""
    fields: dict[str, Any] = {}
    if plugin in _CHALLENGES:
        scheme, realm = _CHALLENGES[plugin]
        fields["WWW-Authenticate"] = f'{scheme} realm="{literal(conf.get("realm", realm))}"'
    if "reason_header" in conf:
        fields[conf["reason_header"]] = {"refusal": "reason"}
    return {
        reason: {
            "status": 401,
            "body": body_of(conf, {"message": sentence}),
            "content_type": PLAIN_TEXT,
            "challenge": False,
            **({"headers": fields} if fields else {}),
            **({"fault_may_answer_401_for_legacy_clients": True} if reason in _FAULTS else {}),
        }
        for reason, sentence in _SENTENCES[plugin].items()
    }


def body_of(conf: Mapping[str, Any], usual: object) -> str:
    """The body of an answer of a plugin: the usual one, or the one its configuration says."""
    said = (conf.get("_meta") or {}).get("error_response", usual)
    return literal(said if isinstance(said, str) else json_line(said))


def page(status: int, phrase: str) -> dict[str, Any]:
    """An answer with the short page of HTML its users know."""
    title = f"{status} {phrase}"
    body = f"<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n</body>\n</html>\n"
    return {"status": status, "body": body, "content_type": "text/html; charset=utf-8"}


def pages(reasons: Iterable[str], status: int, phrase: str) -> dict[str, Any]:
    """That answer for each of these reasons."""
    return {reason: page(status, phrase) for reason in reasons}
