"""How the Admin API answers: JSON and a line feed, and the header fields every answer has."""

from __future__ import annotations

from typing import Any

from jwtgate.dialects.dialect import Reply
from jwtgate.jose.encoding import json_bytes

_FIELDS = (("Content-Type", "application/json"), ("X-API-VERSION", "v3"))
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Expose-Headers", "*"),
    ("Access-Control-Max-Age", "3600"),
)
PREFLIGHT = (
    ("Access-Control-Allow-Methods", "POST, GET, PUT, OPTIONS, DELETE, PATCH"),
    ("Access-Control-Allow-Headers", "*"),
)


class Wrong(Exception):
    """What a caller got wrong: the status of the answer and its value, or its bare text."""

    def __init__(self, status: int, value: dict[str, Any] | str) -> None:
        super().__init__(value)
        self.status = status
        self.value = value


def wrong(message: str, *, status: int = 400) -> Wrong:
    """The usual form of it."""
    return Wrong(status, {"error_msg": message})


def not_found() -> Wrong:
    """What is asked for is not there."""
    return Wrong(404, {"message": "Key not found"})


def told(status: int, value: object = None) -> Reply:
    """An answer with this value as JSON; text stands for itself, None for an empty body."""
    if value is None:
        return Reply(status, b"", _FIELDS)
    if isinstance(value, str):
        return Reply(status, value.encode(), _FIELDS)
    return Reply(status, json_bytes(value) + b"\n", _FIELDS)
