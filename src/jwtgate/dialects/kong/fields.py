"""What a field of a Kong object may hold, and what Kong says of a value that it may not.

`completed_record` fills in defaults and collects every complaint in the shape of Kong's answers: text for a field, a
mapping for a record, a list for an array, and `@entity` for what concerns several fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Complaint = Any
"""Text, or a mapping or list of complaints."""
Check = Callable[[Mapping[str, Any]], Mapping[str, Complaint]]
"""What is wrong with a record as a whole, by field or under `@entity`."""

REQUIRED = "required field missing"
ENTITY = "@entity"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class SchemaViolation(Exception):
    """A value Kong would not take. `fields` is what its answer says of it, `message` the same in one line."""

    def __init__(self, fields: Mapping[str, Complaint]) -> None:
        self.fields = dict(fields)
        self.message = _message(self.fields)
        super().__init__(self.message)


def _message(fields: Mapping[str, Complaint]) -> str:
    said = list(_sentences(fields, ""))
    count = "schema violation" if len(said) == 1 else f"{len(said)} schema violations"
    return f"{count} ({'; '.join(said)})"


def _sentences(complaint: Complaint, place: str) -> list[str]:
    if isinstance(complaint, str):
        return [f"{place}: {complaint}" if place else complaint]
    if isinstance(complaint, Sequence):
        numbered = ((f"{place}.{number}", each) for number, each in enumerate(complaint, start=1) if each is not None)
        return [sentence for here, each in numbered for sentence in _sentences(each, here)]
    general = list(complaint.get(ENTITY, ()))
    inside = ((f"{place}.{name}" if place else name, complaint[name]) for name in sorted(complaint) if name != ENTITY)
    return general + [sentence for here, each in inside for sentence in _sentences(each, here)]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` is Kong's word for its type; `elements` are those of a list, set or map.

    `check` says what is wrong with a value of the right type. `is_extra`: ours beside Kong's, shown where it was given.
    """

    kind: str = "string"
    default: Any = None
    required: bool = False
    elements: Field | None = None
    fields: Mapping[str, Field] | None = None
    one_of: tuple[Any, ...] = ()
    between: tuple[float, float] | None = None
    least: int = 0
    starts_with: str = ""
    check: Callable[[Any], str | None] | None = None
    may_be_empty: bool = False
    is_extra: bool = False
    is_secret: bool = False

    def completed(self, value: Any) -> tuple[Any, Complaint]:
        """The value with its defaults, and what is wrong with it, if anything."""
        if value is None:
            return self._default()
        wrong = _TYPES[self.kind](value)
        if wrong:
            return value, wrong
        if self.kind in ("array", "set"):
            return self._completed_list(value)
        if self.kind == "map":
            return self._completed_map(value)
        if self.kind == "record" and self.fields is not None:
            filled, complaints = completed_record(self.fields, value)
            return filled, complaints or None
        return value, self._wrong(value)

    def _default(self) -> tuple[Any, Complaint]:
        if self.kind == "record" and self.fields is not None and self.required:
            filled, complaints = completed_record(self.fields, {})
            return filled, complaints or None
        default = list(self.default) if isinstance(self.default, tuple) else self.default
        return default, REQUIRED if default is None and self.required else None

    def _completed_list(self, value: Sequence[Any]) -> tuple[Any, Complaint]:
        element = self.elements or Field()
        pairs = [element.completed(each) if each is not None else (None, REQUIRED) for each in value]
        filled = [each for each, _ in pairs]
        if self.kind == "set":
            filled = [each for index, each in enumerate(filled) if each not in filled[:index]]
        if len(filled) < self.least:
            return filled, f"length must be at least {self.least}"
        return filled, [wrong for _, wrong in pairs] if any(wrong for _, wrong in pairs) else None

    def _completed_map(self, value: Mapping[str, Any]) -> tuple[Any, Complaint]:
        element = self.elements
        if element is None:
            return dict(value), None
        pairs = {name: element.completed(each) for name, each in value.items()}
        wrong = {name: complaint for name, (_, complaint) in pairs.items() if complaint}
        return {name: filled for name, (filled, _) in pairs.items()}, wrong or None

    def _wrong(self, value: Any) -> str | None:
        if value == "":
            return None if self.may_be_empty else "length must be at least 1"
        if self.one_of and value not in self.one_of:
            return f"expected one of: {', '.join(map(str, self.one_of))}"
        if self.between is not None and not self.between[0] <= value <= self.between[1]:
            return f"value should be between {self.between[0]} and {self.between[1]}"
        if self.starts_with and not value.startswith(self.starts_with):
            return f"should start with: {self.starts_with}"
        return self.check(value) if self.check is not None else None


def completed_record(fields: Mapping[str, Field], value: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record with every field of these, and the complaints by field; there are none if it is good."""
    wrong: dict[str, Any] = {name: "unknown field" for name in value if name not in fields}
    filled: dict[str, Any] = {}
    for name, each in fields.items():
        if each.is_extra and value.get(name) is None:
            continue
        # A null somebody wrote says of text that there is none; of anything else, that its default is meant.
        unset = name in value and value[name] is None and each.kind == "string" and not each.required
        filled[name], complaint = (None, None) if unset else each.completed(value.get(name))
        if complaint:
            wrong[name] = complaint
    return filled, wrong


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _foreign(value: Any) -> Complaint:
    if not isinstance(value, Mapping):
        return "expected a record"
    unknown = {name: "unknown field" for name in value if name != "id"}
    if "id" not in value:
        return {**unknown, "id": "missing primary key"}
    found = wrong_uuid(value["id"])
    return {**unknown, "id": found} if found else unknown


def wrong_uuid(value: Any) -> str | None:
    """What is wrong with an id, if anything."""
    if not isinstance(value, str):
        return "expected a string"
    return None if _UUID.fullmatch(value) else "expected a valid UUID"


_TYPES: Mapping[str, Callable[[Any], Complaint]] = {
    "string": lambda value: None if isinstance(value, str) else "expected a string",
    "uuid": wrong_uuid,
    "number": lambda value: None if _is_number(value) else "expected a number",
    "integer": lambda value: None if _is_number(value) and value == int(value) else "expected an integer",
    "boolean": lambda value: None if isinstance(value, bool) else "expected a boolean",
    "array": lambda value: None if isinstance(value, list) else "expected an array",
    "set": lambda value: None if isinstance(value, list) else "expected a set",
    "map": lambda value: None if isinstance(value, Mapping) else "expected a map",
    "record": lambda value: None if isinstance(value, Mapping) else "expected a record",
    "foreign": _foreign,
}


TEXT = Field()
FLAG_ON = Field("boolean", True)
FLAG_OFF = Field("boolean", False)
TEXTS = Field("array", elements=TEXT)
TEXT_SET = Field("set", elements=TEXT)
TEXT_MAP = Field("map", elements=TEXT)


def one_of(default: str | None, *values: str) -> Field:
    """Text that is one of these."""
    return Field(default=default, one_of=values)


def milliseconds(default: int) -> Field:
    """A time limit as Kong writes them."""
    return Field("integer", default, between=(1, 2147483646))
