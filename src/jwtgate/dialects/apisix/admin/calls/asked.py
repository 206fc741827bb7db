"""What a call asks for, read once: its place, its arguments and its body."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from jwtgate.dialects.apisix.admin.calls.replies import Wrong, wrong
from jwtgate.dialects.dialect import Call
from jwtgate.jose.encoding import parse_json

PREFIX = "/apisix/admin"
MOST_BODY_BYTES = 1_572_864
MOST_MEMBERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One call behind the prefix. `value` is its body; None: it has none, or says null."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    value: Any = field(repr=False)
    who: str

    def segment(self, index: int) -> str | None:
        """One part of its path; None for one that is not there or empty."""
        return self.segments[index] or None if index < len(self.segments) else None

    @property
    def ttl(self) -> int | None:
        """How many seconds what is written may live. `Wrong`."""
        text = self.query.get("ttl")
        if text is None:
            return None
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not 1 <= seconds <= 10**9:
            raise wrong("invalid argument ttl: should be a number")
        return int(seconds)

    def members(self) -> dict[str, Any]:
        """The object the body is, as the caller's own copy of its top. `Wrong`."""
        if self.value is None:
            raise wrong("missing configurations")
        if not isinstance(self.value, dict):
            raise wrong("invalid configuration: wrong type: expected object, got " + kind_of(self.value))
        return dict(self.value)


def segments_of(path: str) -> tuple[str, ...] | None:
    """The decoded parts of a path behind the prefix; None when it lies elsewhere."""
    plain = unquote(path)
    if plain != PREFIX and not plain.startswith(PREFIX + "/"):
        return None
    return tuple(plain.removeprefix(PREFIX).split("/")[1:])


def query_of(text: str) -> dict[str, str]:
    """The arguments of a query; the first of several counts."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        found.setdefault(name, value)
    return found


def value_of(call: Call) -> Any:
    """The value of the body; None when there is none. Whole numbers are integers, however written. `Wrong`."""
    if len(call.body) > MOST_BODY_BYTES:
        size = call.value("content-length") or len(call.body)  # it is not read to its end
        limit = f"request size {size} is greater than the maximum size {MOST_BODY_BYTES} allowed"
        raise wrong(f"invalid request body: {limit}")
    if not call.body.strip():
        return None
    try:
        value = parse_json(
            call.body, limit_bytes=MOST_BODY_BYTES, most_members=MOST_MEMBERS, most_string_bytes=MOST_BODY_BYTES
        )
    except ValueError as mistake:
        told = {"error_msg": f"invalid request body: {mistake}", "req_body": call.body.decode("utf-8", "replace")}
        raise Wrong(400, told) from None
    return _with_integers(value)


def kind_of(value: object) -> str:
    """What this kind of value is called in messages."""
    match value:
        case None:
            return "userdata"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
    return "table"


def _with_integers(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _with_integers(member) for name, member in value.items()}
        case list():
            return [_with_integers(member) for member in value]
    return value
