"""What a request to Kong's Admin API brings: JSON, a form or a form in parts, as nested members.

Names of a form nest by dots and brackets, as in `config.a.b`, `hosts[]`, `hosts[1]` and `headers[x]`; JSON may be
written with such names too. A name that stands several times is a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

from jwtgate.dialects.dialect import Call
from jwtgate.dialects.kong.admin.answers import said
from jwtgate.jose.encoding import parse_json

LIMIT_BYTES = 16 * 1024 * 1024
_MOST_PARTS = 12
_MOST_MEMBERS = 1_000_000
_MOST_PAIRS = 10_000
_MOST_HEAD_BYTES = 4096
_BOUNDARY = re.compile(r'(?i);\s*boundary=(?:"([^"]+)"|([^;\s]+))')
_PART_NAME = re.compile(r'(?i)content-disposition:\s*form-data;(?:.*;)?\s*name="([^"]*)"')
_NAME = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[[^\[\]]*\])*")
_STEP = re.compile(r"\[([^\[\]]*)\]|\.?([^.\[\]]+)")
FORM, PARTS, JSON_TYPE = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"


def is_form(call: Call) -> bool:
    """Whether the body is a form, in which every value is text."""
    media_type = _media_type(call)
    return media_type.startswith((FORM, PARTS))


def members(call: Call) -> dict[str, Any]:
    """The members of the body, nested; none when it is empty. A 400 or 415 otherwise."""
    media_type = _media_type(call)
    if not call.body:
        return {}
    if media_type.startswith(JSON_TYPE):
        return nested(_json(call.body).items())
    if media_type.startswith(FORM):
        _must_be_few(call.body, b"&")
        return nested(form_pairs(call.body.decode("utf-8", "replace")))
    if media_type.startswith(PARTS):
        return nested(_parts(call))
    raise said(415, "Unsupported Media Type")


def form_pairs(text: str) -> Iterator[tuple[str, Any]]:
    """Names and values of a form or a query. A name alone is a flag that is set."""
    for pair in text.split("&"):
        if pair:
            name, equals, value = pair.partition("=")
            yield unquote_plus(name), unquote_plus(value) if equals else True


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """These names and values as members within members."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        _put(found, _steps(name), value)
    return found


def _media_type(call: Call) -> str:
    return (call.value("content-type") or "").strip().lower()


def _must_be_few(body: bytes, separator: bytes) -> None:
    """A 400 for more members than any entity has: what stands several times is a list, put together anew each time."""
    if body.count(separator) >= _MOST_PAIRS:
        raise said(400, "Too many members in the body")


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = parse_json(body, limit_bytes=LIMIT_BYTES, most_members=_MOST_MEMBERS, most_string_bytes=LIMIT_BYTES)
    except ValueError:
        raise said(400, "Cannot parse JSON body") from None
    if not isinstance(value, dict):
        raise said(400, "Cannot parse JSON body")
    return value


def _parts(call: Call) -> Iterator[tuple[str, str]]:
    found = _BOUNDARY.search(call.value("content-type") or "")
    if found is None:
        raise said(400, "Cannot parse multipart body")
    boundary = b"--" + (found[1] or found[2]).encode("latin-1")
    _must_be_few(call.body, boundary)
    for part in (b"\r\n" + call.body).split(b"\r\n" + boundary)[1:]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head[:_MOST_HEAD_BYTES].decode("utf-8", "replace"))
        if name is not None:
            yield name[1], value.decode("utf-8", "replace")


def _steps(name: str) -> list[str]:
    """The parts of a name; just the name where it is not written as one that nests, or nests too deeply."""
    if _NAME.fullmatch(name) is None:
        return [name]
    steps = [plain or bracketed for bracketed, plain in _STEP.findall(name)]
    return steps if len(steps) <= _MOST_PARTS else [name]


def _put(into: dict[str, Any], steps: list[str], value: Any) -> None:
    """Have the member these steps lead to hold the value; what does not nest gives way to what does."""
    is_list = len(steps) > 1 and steps[-1] == ""
    *way, last = steps[:-1] if is_list else steps
    for step in way:
        below = into.get(step)
        into[step] = into = dict(below) if isinstance(below, dict) else {}
    if last not in into:
        into[last] = [value] if is_list and not isinstance(value, list) else value
        return
    held = into[last]
    into[last] = [*held, value] if isinstance(held, list) else [held, value]
