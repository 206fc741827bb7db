"""Texts that stand for an object or a list: as the product turns them into one."""

from __future__ import annotations

import logging
from typing import Any

from jwtgate.dialects.wso2.tokens.given import Given
from jwtgate.jose.encoding import parse_json

MOST_BYTES = 64 * 1024
_LOGGER = logging.getLogger(__name__)
DROPPED = object()
"""What becomes of a value that is left out."""


def read_value(name: str, value: Any, given: Given) -> Any:
    """The value of a claim as it stands in a token, or `DROPPED`."""
    if not isinstance(value, str) or given.profile == "v1":
        return value
    if given.profile in ("v3", "v4") and "{" in value:
        return _object(name, value, given)
    if given.arrays and '["' in value and '"]' in value:
        found = _parsed(value)
        if isinstance(found, list):
            return found
    if given.profile in ("v2", "v3") and given.separator and given.separator in value:
        return [part for part in (piece.strip() for piece in value.split(given.separator)) if part]
    return value


def _object(name: str, value: str, given: Given) -> Any:
    found = _parsed(value)
    if isinstance(found, dict):
        return found
    if given.drop_unparsable:
        _LOGGER.error("the claim %.100s is no JSON object, and is left out", name)
        return DROPPED
    _LOGGER.warning("the claim %.100s is no JSON object, and stays text", name)
    return value


def _parsed(text: str) -> Any:
    try:
        return parse_json(text.encode(), limit_bytes=MOST_BYTES)
    except ValueError:
        return None
