"""What lies behind a reference: one text, or named fields; and how `#FIELD` picks its part.

The names of nested fields are joined by slashes; inside a name `~1` stands for a slash and `~0` for a tilde, as in
RFC 6901. Messages never quote what lies there. What is wrong is the secret and not the calling code, so all of it is
`ValueError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from jwtgate.jose.encoding import JSON, parse_json_object

LIMIT_BYTES = 1024 * 1024

Contents: TypeAlias = "str | Mapping[str, JSON]"


def pick(contents: Contents, field: str | None) -> str:
    """The text a reference with this field stands for. `ValueError` says what is wrong, as the end of a sentence."""
    value: object = contents if field is None else _member(contents, field)
    if isinstance(value, Mapping):
        raise ValueError("it has fields of its own, so say which of them is meant with #FIELD")  # noqa: TRY004
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("it is neither text nor a whole number")  # noqa: TRY004
    if not value:
        raise ValueError("it is empty")
    return value


def parse_fields(data: bytes) -> dict[str, JSON]:
    """The members of a JSON object, which may be as long as a secret may. `ValueError` as `parse_json_object`."""
    return parse_json_object(data, limit_bytes=LIMIT_BYTES, most_string_bytes=LIMIT_BYTES)


def _member(contents: Contents, field: str) -> JSON:
    fields = _fields(contents) if isinstance(contents, str) else contents
    *outer, last = (name.replace("~1", "/").replace("~0", "~") for name in field.split("/"))
    for name in outer:
        inner = fields.get(name)
        if not isinstance(inner, dict):
            raise ValueError("it has no such field")  # noqa: TRY004
        fields = inner
    if last not in fields:
        raise ValueError("it has no such field")
    return fields[last]


def _fields(text: str) -> Mapping[str, JSON]:
    try:
        return parse_fields(text.encode())
    except ValueError:
        raise ValueError("it is no JSON object, so it has no fields") from None
