"""The request as the decision sees it: its path made canonical once, then frozen (RFC 3986 section 6.2.2).

What is matched is what is forwarded. A path that two readers could read in two ways is refused, unless the
document says which reading is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from unicodedata import normalize
from urllib.parse import unquote, unquote_plus, unquote_to_bytes

from jwtgate.errors import RequestRefused
from jwtgate.policy.rooms.claims import MISSING

# Segments of plain characters, none of them empty, `.` or `..`: nearly every path, and already canonical. A segment
# is taken whole or not at all, so that no path costs more than one pass.
_PLAIN = re.compile(rb"(?=/)(?:/(?!\.\.?(?:/|\Z))[A-Za-z0-9\-._~!$&'()*+,=:@]++)*/?").fullmatch
_ALLOWED = re.compile(rb"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]++|%[0-9A-Fa-f]{2})*").fullmatch
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_ESCAPED_TWICE = re.compile(r"%25(?:[0-9A-Fa-f]{2}|[Uu][0-9A-Fa-f]{4})")  # `%u002e` is a dot to some
# A dot segment for a reader of the decoded path that drops parameters, queries and blanks around a name.
_HIDDEN_DOTS = re.compile(r"[/\\] *\.\.? *(?:[/\\;?#]|\Z)")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class PathRules:
    """How ambiguous paths are read. The defaults refuse them all."""

    merge_repeated_slashes: bool = False
    keep_repeated_slashes: bool = False
    keep_encoded_slashes: bool = False
    keep_parameters: bool = False


STRICT_PATHS = PathRules()


_FORWARDED_HOST = re.compile(rb"[A-Za-z0-9\-._~]{1,255}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request. Field names are lower case; `path` is canonical, `query` is raw and without its `?`.

    `id` is the one our log and our answers know it by. `body` is None unless it was read before the decision.
    `trusted`: it comes from a proxy whose word on the client counts. `port` is the one of ours it came to, whatever
    its fields say.
    """

    method: str
    scheme: str
    host: str
    path: str
    query: str = field(repr=False)
    fields: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    client: str = ""
    id: str = ""
    body: bytes | None = field(default=None, repr=False)
    trusted: bool = False
    port: int = 0

    @property
    def origin(self) -> str:
        """Scheme, host and port as the client used them; of a request through a trusted proxy, as that tells."""
        scheme = self._told(b"x-forwarded-proto").lower()
        authority = self._told(b"x-forwarded-host") or b"".join(self.field_values(b"host")[:1])
        told = scheme.decode("latin-1") if scheme in (b"http", b"https") else self.scheme
        return f"{told}://{authority.decode('latin-1') if _FORWARDED_HOST.fullmatch(authority) else self.host}"

    @property
    def url(self) -> str:
        """The address as the client used it, with its query."""
        return f"{self.origin}{self.path}{'?' if self.query else ''}{self.query}"

    def _told(self, name: bytes) -> bytes:
        """What a trusted proxy says in this field, in one word; empty where nobody may, or says several."""
        values = self.field_values(name) if self.trusted else []
        return values[0].strip() if len(values) == 1 and b"," not in values[0] else b""

    @property
    def is_cors_preflight(self) -> bool:
        """Whether a browser asks here what a script of another origin may do (Fetch standard, section 3.3.2)."""
        asked = (self.field_values(b"origin"), self.field_values(b"access-control-request-method"))
        return self.method == "OPTIONS" and all(len(values) == 1 and values[0] for values in asked)

    def field_values(self, name: bytes) -> list[bytes]:
        """Every value of the field of this lower-case name, in the order of arrival."""
        return [value for field, value in self.fields if field == name]


def canonical_path(raw: bytes, rules: PathRules = STRICT_PATHS) -> str:
    """The one form of this path that is matched and forwarded. Refuses `path_not_canonical`."""
    if _PLAIN(raw):
        return raw.decode("ascii")
    if not _ALLOWED(raw):
        raise _ambiguous("a character that must be percent-encoded")
    _check_escapes(raw, rules)
    path = _ESCAPE.sub(_decode_unreserved, raw).decode("ascii")
    # Looked for only now: the digits of the inner escape may have been escaped themselves.
    if _ESCAPED_TWICE.search(path):
        raise _ambiguous("encoded twice")
    if ";" in path and not rules.keep_parameters:
        raise _ambiguous("path parameters")
    if "//" in path:
        path = _with_slashes_settled(path, rules)
    path = _without_dot_segments(path)
    # Some take the wide forms of dots and slashes for the dots and slashes they look like (Unicode NFKC).
    if _HIDDEN_DOTS.search(normalize("NFKC", unquote(path))):
        raise _ambiguous("a hidden dot segment")
    return path


def _ambiguous(cause: str) -> RequestRefused:
    return RequestRefused("path_not_canonical", cause=cause)


def _check_escapes(raw: bytes, rules: PathRules) -> None:
    escapes = {escape.upper() for escape in _ESCAPE.findall(raw)}
    # An encoded dot is only ever written to be read differently by two readers.
    for forbidden in (b"2E", b"5C") if rules.keep_encoded_slashes else (b"2E", b"5C", b"2F"):
        if forbidden in escapes:
            raise _ambiguous(f"%{forbidden.decode()}")
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise _ambiguous("not UTF-8") from None
    if _CONTROL.search(text):
        raise _ambiguous("a control character")


def _decode_unreserved(escape: re.Match[bytes]) -> bytes:
    value = int(escape[1], 16)
    return bytes([value]) if value in _UNRESERVED else escape[0].upper()


def _with_slashes_settled(path: str, rules: PathRules) -> str:
    if rules.merge_repeated_slashes:
        return re.sub("/{2,}", "/", path)
    if rules.keep_repeated_slashes:
        return path
    raise _ambiguous("repeated slashes")


def _without_dot_segments(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if not kept:
                raise _ambiguous("above the root")
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def query_values(query: str, name: str) -> Iterator[str]:
    """The raw values of this query parameter. Only `&` separates."""
    for pair in query.split("&"):
        if _parameter(pair) == name:
            yield pair.partition("=")[2]


def query_holds_bare(query: str, name: str) -> bool:
    """Whether this query parameter stands there as a name alone, without so much as an empty value."""
    return any("=" not in pair and _parameter(pair) == name for pair in query.split("&"))


def query_without(query: str, names: frozenset[str]) -> str:
    """The query with every parameter of these names removed, the rest untouched."""
    return "&".join(pair for pair in query.split("&") if _parameter(pair) not in names)


def _parameter(pair: str) -> str:
    # However the name is escaped, an upstream may read it as the one we look for.
    return unquote_plus(pair.partition("=")[0])


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


# Fields that hold credentials; an expression has the tokens themselves.
_NOT_SHOWN = frozenset({b"authorization", b"cookie", b"proxy-authorization"})


def request_members(request: RequestView, parameters: Mapping[str, str]) -> dict[str, object]:
    """What expressions see of a request, `parameters` being the segments of its path that have a name."""
    return {
        "method": request.method,
        "scheme": request.scheme,
        "host": request.host,
        "path": request.path,
        "path_parameters": {name: unquote(segment) for name, segment in parameters.items()},
        "query": _single(
            (unquote_plus(name), unquote_plus(value))
            for name, _, value in (pair.partition("=") for pair in request.query.split("&") if pair)
        ),
        "headers": _single(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.fields
            if name not in _NOT_SHOWN
        ),
        "client": request.client,
    }


def cookie_members(request: RequestView) -> dict[str, object]:
    """The cookies of a request, for expressions that say which route it belongs to, and for no others."""
    pairs = (
        pair.strip(b" \t").partition(b"=") for field in request.field_values(b"cookie") for pair in field.split(b";")
    )
    return _single((name.decode("latin-1"), value.decode("latin-1")) for name, found, value in pairs if found)


def _single(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """The values by their names. Of several under one name nobody can tell which is meant: it is there, without one."""
    found: dict[str, object] = {}
    for name, value in pairs:
        found[name] = MISSING if name in found else value
    return found
