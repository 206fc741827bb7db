"""Modifiers of header fields: what several blocks remove, set and add, one after the other, as one change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jwtgate.dialects.couper.expressions.language import members_of
from jwtgate.dialects.couper.reading.configuration import Edits, Text
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.values import VARIES, Around, constant_of, listed, members, special, value_of
from jwtgate.dialects.dialect import literal

_OUR_OWN = frozenset(
    [
        "connection",
        "content-length",
        "date",
        "expect",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
    ]
)
_OF_REQUESTS = frozenset({"forwarded", "host", "set-cookie", "via"})
_MEDIA = "content-type"
CLIENTS_COOKIES = "request.headers.cookie"
_OURS = "The gateway itself is responsible for this field."


@dataclass(slots=True)
class Changes:
    """What becomes of header fields, by name in lower case: removed, set, or sent besides what is there."""

    removed: dict[str, None] = field(default_factory=dict)
    set: dict[str, list[Text]] = field(default_factory=dict)
    added: dict[str, list[Text]] = field(default_factory=dict)

    def remove(self, name: str) -> None:
        """No field of this name from here on."""
        self.set.pop(name, None)
        self.added.pop(name, None)
        self.removed[name] = None

    def put(self, name: str, value: Text) -> None:
        """This field and no other of its name."""
        self.remove(name)
        self.set[name] = [value]

    def add(self, name: str, value: Text) -> None:
        """This field besides those of its name."""
        (self.set if name in self.set else self.added).setdefault(name, []).append(value)


def change_requests(draft: Draft, changes: Changes, edits: Edits, place: str) -> None:
    """Do what a block does to the fields of a request: remove, set, add."""
    for name in _names(draft, edits.remove_request_headers, f"{place}/remove_request_headers"):
        changes.remove(name)
    for kind, text in (("set", edits.set_request_headers), ("add", edits.add_request_headers)):
        _change(draft, changes, text, kind=kind, place=f"{place}/{kind}_request_headers", refused=_OF_REQUESTS)


def change_responses(draft: Draft, changes: Changes, edits: Edits, place: str) -> None:
    """Do what a block does to the fields of an answer: remove, set, add."""
    for name in _names(draft, edits.remove_response_headers, f"{place}/remove_response_headers"):
        changes.remove(name)
    for kind, text in (("set", edits.set_response_headers), ("add", edits.add_response_headers)):
        _change(draft, changes, text, kind=kind, place=f"{place}/{kind}_response_headers", refused=frozenset())


def sets_media_type(edits: Edits) -> bool:
    """Whether a block says what media type an answer has."""
    texts = (edits.set_response_headers, edits.add_response_headers)
    names = (name for text in texts if text is not None for name in members_of(text.source) or ())
    return any(name.lower() == _MEDIA for name in names)


def sends_own_cookies(edits: Edits) -> bool:
    """Whether a block sends cookies to a backend that are not the client's."""
    texts = (edits.set_request_headers, edits.add_request_headers)
    found = (each for text in texts if text is not None for each in (members_of(text.source) or {}).items())
    return any(name.lower() == "cookie" and source.strip() != CLIENTS_COOKIES for name, source in found)


def set_fields(draft: Draft, changes: Changes, text: Text | None, place: str) -> None:
    """Set the fields of an answer as in this object."""
    _change(draft, changes, text, kind="set", place=place, refused=frozenset())


def ask_with_fields(draft: Draft, changes: Changes, text: Text | None, place: str) -> None:
    """Set the fields of a request as in this object."""
    _change(draft, changes, text, kind="set", place=place, refused=_OF_REQUESTS)


def as_basic_auth(credentials: Text) -> Text:
    """The value of `Authorization` for this `user:password`."""
    return Text(f'"Basic ${{base64_encode({credentials.source})}}"', credentials.place)


def take_media_type(draft: Draft, changes: Changes, around: Around) -> Any:
    """The media type that was set, which is no field of its own with us; None where there is none."""
    told = changes.set.pop(_MEDIA, []) + changes.added.pop(_MEDIA, [])
    changes.removed.pop(_MEDIA, None)
    return field_value(draft, told[-1], around) if told else None


def _change(
    draft: Draft, changes: Changes, text: Text | None, *, kind: str, place: str, refused: frozenset[str]
) -> None:
    for name, value in members(draft, text, place).items():
        folded = name.lower()
        if folded in _OUR_OWN or folded in refused or folded.startswith("x-forwarded-"):
            draft.notes.changed(f"{place}/{name}", _OURS)
        elif kind == "set":
            changes.put(folded, value)
        else:
            changes.add(folded, value)


def _names(draft: Draft, text: Text | None, place: str) -> list[str]:
    if text is None:
        return []
    names = constant_of(draft, text)
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return [name.lower() for name in names]
    draft.notes.refused(place, "The names of fields must stand in it.")
    return []


def as_request_headers(draft: Draft, changes: Changes, around: Around) -> Section:
    """The changes as `request_headers` of a route."""
    return _section(changes, *_both(draft, changes, around))


def as_response_headers(draft: Draft, changes: Changes, around: Around, place: str) -> Section:
    """The changes as `response_headers` of a route, to what a backend answers: its media type stays."""
    if take_media_type(draft, changes, around) is not None:
        draft.notes.refused(f"{place}/{_MEDIA}", "What a backend answers keeps its media type.")
    return _section(changes, *_both(draft, changes, around))


def as_own_fields(draft: Draft, changes: Changes, around: Around) -> Section:
    """The fields of what a route answers by itself."""
    return _as_they_stand(as_fields(draft, changes, around))


def as_fields(draft: Draft, changes: Changes, around: Around) -> Section:
    """The fields of an answer to an error, or of a call, which are written as they stand."""
    return _fields(draft, {**changes.added, **changes.set}, around)


def _both(draft: Draft, changes: Changes, around: Around) -> tuple[Section, ...]:
    return tuple(_as_they_stand(_fields(draft, each, around)) for each in (changes.set, changes.added))


def _section(changes: Changes, fields: Section, added: Section) -> Section:
    removed = [name for name in changes.removed if name not in fields and name not in _OUR_OWN]
    return {name: part for name, part in (("set", fields), ("add", added), ("remove", removed)) if part}


def _as_they_stand(fields: Section) -> Section:
    """The fields, each element of a list a field of its own."""
    return {name: {**value, "form": "lines"} if isinstance(value, dict) else value for name, value in fields.items()}


def _fields(draft: Draft, wanted: Mapping[str, Iterable[Text]], around: Around) -> Section:
    found: Section = {}
    for name, values in wanted.items():
        held = list(values)
        value = field_value(draft, held[0] if len(held) == 1 else listed(held, held[0]), around)
        if value is not None:
            found[name] = value
    return found


def field_value(draft: Draft, text: Text, around: Around) -> Any:
    """An expression as the value of a header field; None for one that is never there."""
    value = value_of(draft, text, around)
    if "constant" not in value:
        return value
    constant = constant_of(draft, text)
    if constant is VARIES or constant is None:
        return None
    if isinstance(constant, str):
        return literal(constant.strip()) or None
    if isinstance(constant, bool | int | float):
        return _plain(constant)
    return special(text.source)


def _plain(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if float(value).is_integer() else repr(value)
