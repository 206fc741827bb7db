"""Text in the types a schema wants, where it says something of that type; whatever does not fit is left as it stands.

What is left is the schema's to refuse, so nothing here fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.kong.fields import Field
from jwtgate.jose.encoding import parse_json

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:[eE][+-]?[0-9]{1,2})?")
_JSON_LIMIT_BYTES = 65_536
_FLAGS = {"true": True, "false": False}


def inferred(value: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """These members in the types of their fields; empty text becomes null, one value a list of one."""
    return {name: _as(each, fields.get(name)) for name, each in value.items()}


def with_lists(value: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """The same where a form may write a list as `a,b` or as JSON, and a map as JSON."""
    return {name: _written_out(each, fields[name]) if name in fields else each for name, each in value.items()}


def _as(value: Any, field: Field | None) -> Any:
    if field is None:
        return value
    if value is None or value == "":
        return None
    if field.kind in ("array", "set"):
        return [_as(each, field.elements) for each in _list_of(value)]
    if isinstance(value, dict):
        return _members(value, field)
    return _scalar(value, field.kind) if isinstance(value, str) else value


def _list_of(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and value and all(name.isascii() and name.isdigit() for name in value):
        return [value[name] for name in sorted(value, key=lambda name: (len(name), name))]
    return [value]


def _members(value: dict[str, Any], field: Field) -> Any:
    if field.kind == "map":
        return {name: _as(each, field.elements) for name, each in value.items()}
    if field.kind == "record" and field.fields is not None:
        return inferred(value, field.fields)
    if field.kind == "foreign":
        # A form can say so only that there is none; what says less is refused, lest it mean everything.
        return None if value in ({"id": ""}, {"id": None}) else value
    return value


def _scalar(text: str, kind: str) -> Any:
    if kind == "boolean":
        return _FLAGS.get(text, text)
    if kind in ("number", "integer") and _NUMBER.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() else number
    return text


def _written_out(value: Any, field: Field) -> Any:
    if not isinstance(value, str) or field.kind not in ("array", "set", "map"):
        return value
    if value[:1] in ("[", "{"):
        try:
            return parse_json(value.encode("utf-8", "replace"), limit_bytes=_JSON_LIMIT_BYTES)
        except ValueError:
            return value
    return value.split(",") if "," in value and field.kind != "map" else value
