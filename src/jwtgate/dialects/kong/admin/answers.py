"""What Kong's Admin API answers: JSON, and its numbered errors with their status, name, message and fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.dialect import Reply
from jwtgate.dialects.kong.fields import Complaint, SchemaViolation
from jwtgate.jose.encoding import json_bytes

JSON_TYPE = "application/json; charset=utf-8"
_BAD_REQUEST, _NOT_FOUND, _NOT_ALLOWED, _CONFLICT = 400, 404, 405, 409


class Failure(Exception):
    """An answer that ends a call early."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(str(reply.status))


def answer(status: int, value: object = None, *, media_type: str = JSON_TYPE) -> Reply:
    """A JSON answer; without a value an empty one."""
    if value is None:
        return Reply(status)
    return Reply(status, json_bytes(value), (("Content-Type", media_type),))


def said(status: int, message: str) -> Failure:
    """An error without a number."""
    return Failure(answer(status, {"message": message}))


def not_found() -> Failure:
    """There is nothing at this address."""
    return said(_NOT_FOUND, "Not found")


def not_allowed(*methods: str) -> Failure:
    """The address has other methods."""
    reply = answer(_NOT_ALLOWED, {"message": "Method not allowed"})
    return Failure(Reply(reply.status, reply.body, (*reply.fields, ("Allow", ", ".join(methods)))))


def _numbered(code: int, name: str, message: str, fields: Mapping[str, Complaint], status: int = 400) -> Failure:
    return Failure(answer(status, {"code": code, "name": name, "message": message, "fields": dict(fields)}))


def invalid_primary_key(key: Mapping[str, Any]) -> Failure:
    """What stands where an id belongs is none."""
    return _numbered(1, "invalid primary key", f"invalid primary key: '{_shown(key)}'", key)


def schema_violation(fields: Mapping[str, Complaint]) -> Failure:
    """The entity is not as its schema wants it."""
    violation = SchemaViolation(fields)
    return _numbered(2, "schema violation", violation.message, violation.fields)


def primary_key_taken(id_: str) -> Failure:
    """There is an entity of this id already."""
    key = {"id": id_}
    return _numbered(3, "primary key violation", f"primary key violation on key '{_shown(key)}'", key)


def reference_broken(field: str, id_: str, collection: str) -> Failure:
    """The entity refers to one that does not exist."""
    message = f"the foreign key '{_shown({'id': id_})}' does not reference an existing '{collection}' entity."
    return _numbered(4, "foreign key violation", message, {field: {"id": id_}})


def still_referred_to(collection: str, by: str) -> Failure:
    """The entity cannot go while another refers to it."""
    message = f"an existing '{by}' entity references this '{collection}' entity"
    return _numbered(4, "foreign key violation", message, {"@referenced_by": by})


def taken(values: Mapping[str, Any]) -> Failure:
    """These values are another entity's."""
    message = f"UNIQUE violation detected on '{_shown(values)}'"
    return _numbered(5, "unique constraint violation", message, values, _CONFLICT)


def bad_offset(offset: str) -> Failure:
    """The page begins nowhere."""
    message = f"'{offset}' is not a valid offset: bad base64 encoding"
    return _numbered(7, "invalid offset", message, {"offset": "bad base64 encoding"})


def bad_size(sentence: str) -> Failure:
    """The page has no size."""
    return _numbered(9, "invalid size", sentence, {"size": sentence})


def bad_unique(field: str, sentence: str) -> Failure:
    """What stands where an entity is named cannot be its name."""
    return _numbered(10, "invalid unique", f"invalid unique ({field}: {sentence})", {field: sentence})


def bad_option(option: str, sentence: str) -> Failure:
    """An argument of the query says nothing."""
    return _numbered(11, "invalid options", f"invalid option ({option}: {sentence})", {option: sentence})


def unsupported(operation: str, collection: str) -> Failure:
    """The entities are those of a file, which is changed as a whole."""
    message = f"cannot {operation} '{collection}' entities when not using a database"
    return _numbered(12, "operation unsupported", message, {}, _NOT_ALLOWED)


def unresolved(field: str, by: Mapping[str, Any], collection: str) -> Failure:
    """The entity refers by name to one that does not exist."""
    ((name, _),) = by.items()
    sentence = f"the foreign key cannot be resolved with '{_shown(by)}' for an existing '{collection}' entity"
    message = f"foreign key unresolved ({field}.{name}: {sentence})"
    return _numbered(13, "foreign keys unresolved", message, {field: {name: sentence}})


def bad_declaration(problems: Mapping[str, Complaint], sentence: str) -> Failure:
    """The whole configuration that was given cannot be used."""
    message = f"declarative config is invalid: {sentence}"
    return _numbered(14, "invalid declarative configuration", message, problems)


def still_in_use(collection: str, by: str) -> Failure:
    """The entity cannot go while the settings of another name it."""
    message = f"this '{collection}' entity is still referenced by '{by}'"
    return _numbered(19, "referenced by others", message, {"@referenced_by": by})


def _shown(values: Mapping[str, Any]) -> str:
    return "{" + ",".join(f"{name}={_quoted(value)}" for name, value in sorted(values.items())) + "}"


def _quoted(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return _shown(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
