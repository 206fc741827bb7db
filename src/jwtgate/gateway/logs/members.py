"""What a line of the access log says besides its fixed members, each written so that a line stays one line of ASCII.

Neither a token, a key, a cookie nor a query is ever among them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping

from jwtgate.errors import AccessRefused, Fault, Refusal, RequestRefused

quoted = json.encoder.encode_basestring_ascii
TEXT_LIMIT = 1024
_NAME_LIMIT = 128
_MOST_DEPTH = 8
_TOO_DEEP = '"..."'
_MOST_BITS = 1024
"""Of a whole number: a longer one has no digits worth reading, and some so many that Python will not write them."""
_MOST_CHARACTERS = 16 * 1024
_EXPLAINED = (RequestRefused, AccessRefused, Fault)
"""What the log tells more of than its reason. Why a token or its scope was refused quotes the token."""


def logged_name(name: str) -> str:
    """A name from outside as it stands between the quotes of a log line."""
    return quoted(name[:_NAME_LIMIT])[1:-1]


def logged_members(name: str, members: Mapping[str, object]) -> str:
    """Members at the end of a log line, under one name. JSON stays JSON; what is none is written as text."""
    return f",{quoted(name)}:{_bounded(members)}"


def logged_side_by_side(members: Mapping[str, object]) -> str:
    """The same, each under its own name."""
    return "".join(f",{quoted(member)}:{_bounded(value)}" for member, value in members.items())


def told_of(error: Refusal | Fault) -> str:
    """The end of a line that tells more of a refusal or a fault."""
    if not isinstance(error, _EXPLAINED):
        return ""
    # What the caller has comes from its token, and stands in no log.
    detail = {name: value for name, value in error.detail.items() if name != "granted"}
    return logged_members("detail", detail) if detail else ""


def merged(under: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """Both, mapping by mapping; where they differ in anything else, the latter."""
    result = dict(under)
    for name, value in over.items():
        held = result.get(name)
        both = isinstance(held, dict) and isinstance(value, dict)
        result[name] = merged(held, value) if both else value  # type: ignore[arg-type] # as `both` says
    return result


def _bounded(value: object) -> str:
    written = _written(value, _MOST_DEPTH)
    return written if len(written) <= _MOST_CHARACTERS else quoted(written[:TEXT_LIMIT])


def _written(value: object, depth: int) -> str:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "null"
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value)
    if isinstance(value, dict | list | tuple) and not depth:
        return _TOO_DEEP
    if isinstance(value, dict):
        shown = (f"{quoted(str(name)[:TEXT_LIMIT])}:{_written(each, depth - 1)}" for name, each in value.items())
        return f"{{{','.join(shown)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(_all_written(value, depth - 1))}]"
    return quoted(str(value)[:TEXT_LIMIT])


def _all_written(values: Iterable[object], depth: int) -> Iterable[str]:
    return (_written(value, depth) for value in values)
