"""The functions of expressions that look at nothing but their arguments. What they cannot take fails."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

from jwtgate.dialects.couper.expressions.kinds import equal, kind_name, number_of, number_text, ordered, text_of
from jwtgate.jose.encoding import parse_json
from jwtgate.policy.expression import ExpressionFailed

_MOST_JSON_BYTES = 64 * 1024 * 1024
_MOST_JSON_MEMBERS = 100_000
_TO_ESCAPES = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"})
_SPACE = " \t\n\v\f\r\x85\xa0"


class Function(NamedTuple):
    """A function: how many arguments it takes, None for any number, and what it makes of them.

    `squared`: its work grows with the size of the first argument times that of all.
    """

    least: int
    most: int | None
    call: Callable[..., Any] = lambda: None
    squared: bool = False

    def takes(self, arguments: int) -> bool:
        """Whether it may be given so many."""
        return self.least <= arguments and (self.most is None or arguments <= self.most)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionFailed(f"list required, got {kind_name(value)}")
    return value


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ExpressionFailed(f"object required, got {kind_name(value)}")
    return value


def json_text(value: object) -> str:
    """Compact JSON: members in the order of their names, whole numbers without fraction, `<`, `>` and `&` escaped."""
    return _encoded(ordered(value)).translate(_TO_ESCAPES)


def _encoded(value: Any) -> str:
    # The library writes large and small numbers with an exponent.
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_encoded(value[name])}" for name in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_encoded, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def parsed(text: bytes) -> Any:
    """The value of a JSON text. `ValueError` when it is none, repeats a name, is nested too deeply or too large."""
    return parse_json(
        text,
        limit_bytes=_MOST_JSON_BYTES,
        most_members=_MOST_JSON_MEMBERS,
        most_string_bytes=_MOST_JSON_BYTES,
    )


def _json_decode(value: object) -> Any:
    try:
        return parsed(text_of(value).encode())
    except ValueError:
        raise ExpressionFailed("not JSON") from None


def _base64_encode(value: object) -> str:
    return b64encode(text_of(value).encode("utf-8", "surrogatepass")).decode("ascii")


def _base64_decode(value: object) -> str:
    text = text_of(value).replace("\n", "").replace("\r", "")
    try:
        return b64decode(text.encode("ascii"), validate=True).decode("utf-8")
    except (Base64Error, ValueError):
        raise ExpressionFailed("not base64 of a text") from None


def _contains(where: object, what: object) -> bool:
    return any(equal(item, what) for item in _list(where))


def _join(separator: object, *lists: object) -> str:
    return text_of(separator).join(text_of(item) for value in lists for item in _list(value))


def _keys(value: object) -> list[str]:
    return sorted(_object(value))


def _length(value: object) -> int:
    if not isinstance(value, (list, dict)):
        raise ExpressionFailed(f"list or object required, got {kind_name(value)}")
    return len(value)


def _lookup(where: object, name: object, otherwise: object) -> Any:
    if where is None:
        return otherwise
    return _object(where).get(text_of(name), otherwise)


def _merge(*values: object) -> Any:
    """Objects become one, deeply; lists are put behind each other. Null is nothing, and removes a member."""
    given = [value for value in values if value is not None]
    if not given:
        return None
    kinds = {kind_name(value) for value in given}
    if len(kinds) > 1 or not kinds <= {"object", "tuple"}:
        raise ExpressionFailed("merge takes objects, or lists")
    merged = _without_nulls(given[0])
    for value in given[1:]:
        merged = _merged(merged, value)
    return merged


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return _without_nulls(other)
    merged = dict(one)
    for name, value in other.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


def _relative_url(value: object) -> str:
    text = text_of(value)
    parts = urlsplit(text)
    if not text.startswith("/") and not (text.startswith(("http://", "https://")) and parts.netloc):
        raise ExpressionFailed("not a URL")
    # A path of two slashes would be the address of another host; browsers read a backslash as a slash.
    path = "/" + parts.path.lstrip("/").replace("\\", "%5C")
    return urlunsplit(("", "", path, parts.query, parts.fragment))


def _set_intersection(*values: object) -> list[Any]:
    first, *others = map(_list, values)
    found: list[Any] = []
    for item in first:
        if not _contains(found, item) and all(_contains(other, item) for other in others):
            found.append(item)
    if all(isinstance(item, str) for item in found) or all(kind_name(item) == "number" for item in found):
        found.sort()
    return found


def _split(separator: object, value: object) -> list[str]:
    by, text = text_of(separator), text_of(value)
    return text.split(by) if by else list(text)


def _substr(value: object, offset: object, length: object) -> str:
    text, start, most = text_of(value), number_of(offset), number_of(length)
    if start != int(start) or most != int(most):
        raise ExpressionFailed("whole numbers required")
    first = int(start) if start >= 0 else max(0, len(text) + int(start))
    return text[first:] if most < 0 else text[first : first + int(most)]


def _to_number(value: object) -> float | None:
    return None if value is None else number_of(value)


def _url_decode(value: object) -> str:
    text = text_of(value)
    for escape in text.split("%")[1:]:
        if not set(escape[:2]) <= set("0123456789abcdefABCDEF") or len(escape) < 2:
            raise ExpressionFailed("not URL encoded")
    return unquote_to_bytes(text).decode("utf-8", "replace")


def _url_encode(value: object) -> str:
    return quote(text_of(value), safe="", errors="replace")


PURE: dict[str, Function] = {
    "base64_decode": Function(1, 1, _base64_decode),
    "base64_encode": Function(1, 1, _base64_encode),
    "contains": Function(2, 2, _contains),
    "join": Function(1, None, _join, squared=True),
    "json_decode": Function(1, 1, _json_decode),
    "json_encode": Function(1, 1, json_text),
    "keys": Function(1, 1, _keys),
    "length": Function(1, 1, _length),
    "lookup": Function(3, 3, _lookup),
    "merge": Function(0, None, _merge),
    "relative_url": Function(1, 1, _relative_url),
    "set_intersection": Function(1, None, _set_intersection, squared=True),
    "split": Function(2, 2, _split),
    "substr": Function(3, 3, _substr),
    "to_lower": Function(1, 1, lambda value: text_of(value).lower()),
    "to_number": Function(1, 1, _to_number),
    "to_upper": Function(1, 1, lambda value: text_of(value).upper()),
    "trim": Function(1, 1, lambda value: text_of(value).strip(_SPACE)),
    "url_decode": Function(1, 1, _url_decode),
    "url_encode": Function(1, 1, _url_encode),
}
REFUSED = frozenset({"oauth2_authorization_url", "oauth2_verifier", "saml_sso_url"})
"""Functions of Couper whose access controls are not spoken here."""
