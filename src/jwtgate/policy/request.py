"""The request as the decision sees it: its path made canonical once, then frozen (RFC 3986 section 6.2.2).

What is matched is what is forwarded. A path that two readers could read in two ways is refused, unless the
document says which reading is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jwtgate.errors import RequestRefused

# Segments of plain characters, none of them empty, `.` or `..`: nearly every path, and already canonical.
_PLAIN = re.compile(rb"/(?:(?!\.{1,2}(?:/|\Z))[A-Za-z0-9\-._~!$&'()*+,=:@]+(?:/(?!/)|\Z))*\Z")
_ALLOWED = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*\Z")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class PathRules:
    """How ambiguous paths are read. The defaults refuse them all."""

    merge_repeated_slashes: bool = False
    keep_repeated_slashes: bool = False
    keep_encoded_slashes: bool = False
    keep_parameters: bool = False


STRICT_PATHS = PathRules()


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request. Field names are lower case; `path` is canonical, `query` is raw and without its `?`."""

    method: str
    scheme: str
    host: str
    path: str
    query: str
    fields: tuple[tuple[bytes, bytes], ...]
    client: str = ""

    def field_values(self, name: bytes) -> list[bytes]:
        """Every value of the field of this lower-case name, in the order of arrival."""
        return [value for field, value in self.fields if field == name]


def canonical_path(raw: bytes, rules: PathRules = STRICT_PATHS) -> str:
    """The one form of this path that is matched and forwarded. Refuses `path_not_canonical`."""
    if _PLAIN.match(raw):
        return raw.decode("ascii")
    if not _ALLOWED.match(raw):
        raise RequestRefused("path_not_canonical", cause="a character that must be percent-encoded")
    if b";" in raw and not rules.keep_parameters:
        raise RequestRefused("path_not_canonical", cause="path parameters")
    _check_escapes(raw, rules)
    path = _ESCAPE.sub(_decode_unreserved, raw).decode("ascii")
    if "//" in path:
        path = _with_slashes_settled(path, rules)
    return _without_dot_segments(path)


def _check_escapes(raw: bytes, rules: PathRules) -> None:
    escapes = {escape.upper() for escape in _ESCAPE.findall(raw)}
    # An encoded dot is only ever written to be read differently by two readers.
    for forbidden in (b"00", b"2E", b"5C") if rules.keep_encoded_slashes else (b"00", b"2E", b"5C", b"2F"):
        if forbidden in escapes:
            raise RequestRefused("path_not_canonical", cause=f"%{forbidden.decode()}")
    if re.search(rb"%25[0-9A-Fa-f]{2}", raw):
        raise RequestRefused("path_not_canonical", cause="encoded twice")
    decoded = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), raw)
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError:
        raise RequestRefused("path_not_canonical", cause="not UTF-8") from None
    if any(ord(character) < 0x20 or character == "\x7f" for character in text):
        raise RequestRefused("path_not_canonical", cause="a control character")


def _decode_unreserved(escape: re.Match[bytes]) -> bytes:
    value = int(escape[1], 16)
    return bytes([value]) if value in _UNRESERVED else escape[0].upper()


def _with_slashes_settled(path: str, rules: PathRules) -> str:
    if rules.merge_repeated_slashes:
        return re.sub("/{2,}", "/", path)
    if rules.keep_repeated_slashes:
        return path
    raise RequestRefused("path_not_canonical", cause="repeated slashes")


def _without_dot_segments(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if not kept:
                raise RequestRefused("path_not_canonical", cause="above the root")
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def query_values(query: str, name: str) -> Iterator[str]:
    """The raw values of this query parameter. Only `&` separates; nothing is decoded."""
    if not query:
        return
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            yield value


def query_without(query: str, names: frozenset[str]) -> str:
    """The query with every parameter of these names removed, the rest untouched."""
    return "&".join(pair for pair in query.split("&") if pair.partition("=")[0] not in names)


def cookie_values(field_value: bytes, name: bytes) -> Iterator[bytes]:
    """The values of this cookie in one `Cookie` field value (RFC 6265 section 4.2)."""
    for pair in field_value.split(b";"):
        key, found, value = pair.strip(b" \t").partition(b"=")
        if found and key == name:
            yield value


def cookies_without(field_value: bytes, names: frozenset[bytes]) -> bytes:
    """One `Cookie` field value with the cookies of these names removed; empty when none is left."""
    pairs = (pair.strip(b" \t") for pair in field_value.split(b";"))
    return b"; ".join(pair for pair in pairs if pair and pair.partition(b"=")[0] not in names)
