"""A revocation as an operator asks for it, read strictly, with all its mistakes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.admin.exchange.problems import Mistake, unusable
from jwtgate.admin.exchange.reading import json_object
from jwtgate.jose.encoding import JSON
from jwtgate.policy.revocations import Revocation, RevokedBy

MOST_SECONDS = 100 * 366 * 24 * 3600
LATEST = 2**53 - 1
MOST_TEXT = 2048
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")

_TEXTS, _NUMBERS = ("value", "issuer", "note"), ("issued_before", "expires_at", "expires_in_seconds")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["by"],
    "properties": {
        "by": {"enum": [each.value for each in RevokedBy], "description": "What tokens are named by."},
        "value": {
            "type": "string",
            "minLength": 1,
            "maxLength": MOST_TEXT,
            "description": "Its value; of `token` the base64url SHA-256. Left out with `everything`, and only there.",
        },
        "issuer": {
            "type": "string",
            "minLength": 1,
            "maxLength": MOST_TEXT,
            "description": "The issuer's name in the document. Default: every issuer.",
        },
        "issued_before": {
            "type": "integer",
            "minimum": 0,
            "maximum": LATEST,
            "description": "Only tokens issued before this NumericDate. Needed with `everything`.",
        },
        "expires_at": {
            "type": "integer",
            "minimum": 0,
            "maximum": LATEST,
            "description": "When the revocation ends, as a NumericDate. Default: never.",
        },
        "expires_in_seconds": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_SECONDS,
            "description": "The same, counted from now.",
        },
        "note": {"type": "string", "minLength": 1, "maxLength": MOST_TEXT, "description": "Why."},
    },
}


def revocation_from(value: JSON, name: str, *, now: int) -> Revocation:
    """The revocation this value asks for. Raises `Problem` with every mistake."""
    asked = json_object(value)
    mistakes = list(_mistakes(asked))
    if mistakes:
        raise unusable(mistakes)
    lasts = asked.get("expires_in_seconds")
    return Revocation(
        name,
        RevokedBy(asked["by"]),
        asked.get("value", ""),
        issuer=asked.get("issuer"),
        issued_before=asked.get("issued_before"),
        expires_at=asked.get("expires_at") if lasts is None else now + lasts,
        note=asked.get("note", ""),
    )


def _mistakes(asked: Mapping[str, Any]) -> Iterator[Mistake]:
    yield from (
        Mistake("", "has a member that is not known here") for name in asked if name not in SCHEMA["properties"]
    )
    for name in _TEXTS:
        if name in asked and not (isinstance(asked[name], str) and 0 < len(asked[name]) <= MOST_TEXT):
            yield Mistake(f"/{name}", f"must be text of 1 to {MOST_TEXT} characters")
    for name in _NUMBERS:
        least, most = (SCHEMA["properties"][name][bound] for bound in ("minimum", "maximum"))
        if name in asked and not (type(asked[name]) is int and least <= asked[name] <= most):
            yield Mistake(f"/{name}", f"must be a whole number from {least} to {most}")
    if "expires_at" in asked and "expires_in_seconds" in asked:
        yield Mistake("/expires_in_seconds", "stands beside expires_at; one of them is enough")
    yield from _mistaken_names(asked)


def _mistaken_names(asked: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with how tokens are named."""
    by, value = asked.get("by"), asked.get("value")
    if by not in SCHEMA["properties"]["by"]["enum"]:
        yield Mistake("/by", f"must be one of {', '.join(SCHEMA['properties']['by']['enum'])}")
        return
    if by == RevokedBy.EVERYTHING.value:
        if "value" in asked:
            yield Mistake("/value", "has no meaning with everything")
        if "issued_before" not in asked:
            yield Mistake("/issued_before", "is needed with everything")
        return
    if "value" not in asked:
        yield Mistake("/value", "is missing")
    elif by == RevokedBy.TOKEN.value and isinstance(value, str) and not _DIGEST.fullmatch(value):
        yield Mistake("/value", "must be the base64url SHA-256 of a token")
