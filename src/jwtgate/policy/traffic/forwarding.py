"""What the upstream is asked for: the path a route makes of the client's own, canonical as that is (RFC 3986 6.2.2).

A route says which paths it takes in several forms, and each knows how much of a path it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlencode

from jwtgate.errors import RequestRefused
from jwtgate.jose.encoding import json_bytes
from jwtgate.policy.expression import ExpressionFailed
from jwtgate.policy.request import STRICT_PATHS, PathRules, canonical_path
from jwtgate.policy.rooms.claims import MISSING

if TYPE_CHECKING:
    from jwtgate.policy.provisions import Value

_SLASHES = re.compile("/{2,}")
_MEDIA_TYPE = re.compile(r"[!-~]+/[!-~]([ -~]*[!-~])?")
_JSON = "application/json"
_STATUSES = range(200, 600)
_HALF_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_OF_PATHS = "!$&'()*+,;=:@/%-._~"
_OF_QUERIES = f"{_OF_PATHS}?"


class PathPattern(Protocol):
    """A compiled pattern of paths, and what takes the place of what it matches."""

    @property
    def literal(self) -> str:
        """Text that whatever matches from its beginning begins with; there may be more of it."""

    def end(self, path: str) -> int | None:
        """Where the match that begins at the beginning of this path ends; None when there is none."""

    def replaced(self, path: str) -> str:
        """The path with its first match replaced, or as it is."""


@dataclass(frozen=True, slots=True)
class PathForm:
    """Paths a route takes: each begins with `literal`.

    `whole`: and is nothing else. `segments` are those of a template with `{name}` in it; `pattern` matches from the
    beginning. `kept` is how many characters at the end of `literal` are not stripped: the slash of `/*`.
    """

    literal: str = ""
    whole: bool = False
    kept: int = 0
    segments: tuple[str, ...] = ()
    pattern: PathPattern | None = None

    def end(self, path: str) -> int | None:
        """Where what this stands for ends in this path; None for a path it does not take."""
        if self.pattern is not None:
            return self.pattern.end(path)
        if self.segments:
            return _end_of_segments(self.segments, path)
        fits = path == self.literal if self.whole else path.startswith(self.literal)
        return len(self.literal) - self.kept if fits else None


def _end_of_segments(wanted: Sequence[str], path: str) -> int | None:
    given = path.split("/")
    if not fits_segments(wanted, given):
        return None
    count = len(wanted) - (wanted[-1] == "*")
    return sum(map(len, given[:count])) + count - 1


def fits_segments(wanted: Sequence[str], given: Sequence[str]) -> bool:
    """Whether a path's segments are those of this template."""
    below = wanted[-1] == "*"
    if len(given) != len(wanted) and not (below and len(given) > len(wanted)):
        return False
    pairs = zip(wanted[:-1] if below else wanted, given, strict=False)
    return all(want == have or (is_parameter(want) and have) for want, have in pairs)


def is_parameter(segment: str) -> bool:
    """Whether this segment of a template stands for any."""
    return segment.startswith("{") and segment.endswith("}")


def form_of(template: str) -> PathForm:
    """The paths of a template: literal segments, `{name}` for one that is not empty, `/*` for everything below."""
    segments = tuple(template.split("/"))
    if any(map(is_parameter, segments)):
        return PathForm(template.partition("{")[0], segments=segments)
    if segments[-1] == "*":
        return PathForm(template[:-1], kept=1)
    return PathForm(template, whole=True)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What the upstream is asked for instead of what the client asked for.

    `path`: whatever was asked for. Else what the longest of `stripped` stands for is taken off, `pattern` replaced, and
    `prefix` put before the rest. `method`: None for the client's own; HEAD stays HEAD. `path_value` and `query_value`:
    what takes the place of the path and the query is worked out for each request.
    """

    method: str | None = None
    path: str | None = None
    stripped: tuple[PathForm, ...] = ()
    pattern: PathPattern | None = None
    prefix: str = ""
    rules: PathRules = STRICT_PATHS
    path_value: Value | None = None
    query_value: Value | None = None

    def strips(self, path: str) -> int:
        """How many characters of this path are taken off."""
        return max((form.end(path) or 0 for form in self.stripped), default=0)

    def sent(self, method: str, path: str) -> tuple[str, str]:
        """The method and the path for the upstream. Refuses `path_not_canonical`."""
        return self.sent_method(method), self.sent_path(path)

    def sent_path(self, path: str) -> str:
        """The path for the upstream. Refuses `path_not_canonical` when it could be read in two ways."""
        if self.path is not None:
            return self.path
        sent = self._rest(path)
        if self.pattern is not None:
            sent = self.pattern.replaced(sent)
        if self.prefix:
            sent = self.prefix.removesuffix("/") + sent
        sent = sent or "/"
        if sent == path:
            return path
        if self.rules.merge_repeated_slashes:
            sent = _SLASHES.sub("/", sent)
        if canonical_path(sent.encode("ascii", "replace"), self.rules) != sent:
            raise RequestRefused("path_not_canonical", cause="what it was rewritten to")
        return sent

    def _rest(self, path: str) -> str:
        """The path without what is stripped. It always begins with a slash, or is empty where a prefix follows."""
        if not self.stripped:
            return path
        rest = path[self.strips(path) :]
        if not rest and self.prefix:
            return "/" if path.endswith("/") else ""
        return rest if rest.startswith("/") else f"/{rest}"

    def sent_method(self, method: str) -> str:
        """The method for the upstream."""
        return method if self.method is None or method == "HEAD" else self.method


def worded_path(said: object, rules: PathRules = STRICT_PATHS) -> str:
    """The path a value names, with what stands for itself in no path escaped. Refuses `path_not_canonical`.

    Raises `ExpressionFailed` for what is no path.
    """
    if not isinstance(said, str) or not said.startswith("/"):
        raise ExpressionFailed("the path is no text that begins with /")
    # A segment that leads elsewhere may have come with the request.
    if not {".", ".."}.isdisjoint(said.split("/")):
        raise RequestRefused("path_not_canonical", cause="a path that was worked out")
    return canonical_path(_quoted(said, _OF_PATHS).encode("ascii"), rules)


def worded_query(said: object) -> str:
    """The query a value names, without its `?`: text, or an object of parameters. Raises `ExpressionFailed`."""
    if isinstance(said, Mapping):
        said = urlencode(list(parameter_pairs(said)))
    if not isinstance(said, str):
        raise ExpressionFailed("the query is neither text nor an object")
    return _quoted(said, _OF_QUERIES)


def parameter_pairs(members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Names and values of a query or a form; a list stands for several of the same name, null for none.

    Raises `ExpressionFailed` for a member that is an object.
    """
    for name, value in members.items():
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, dict | list):
                raise ExpressionFailed("a parameter is no plain value")
            if each is not None:
                yield name, each if isinstance(each, str) else json_bytes(each).decode()


def _quoted(text: str, safe: str) -> str:
    return quote(_HALF_ESCAPE.sub("%25", text), safe=safe, errors="replace")


TEXT = "text/plain; charset=utf-8"
"""The media type of a body of our own that is text, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Respond:
    """An answer of the gateway's own, to whoever may use the route. The `answer_fields` of that stand in it, too.

    `media_type` None: `fields` say it, or there is none.
    """

    status: int = 200
    media_type: str | None = TEXT
    body: bytes = field(default=b"", repr=False)
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RespondWorded:
    """An answer of which something is worked out for each request. `as_json`: the body is JSON, also if it is text.

    A `media_type` without a value is that of text or of JSON.
    """

    status: Value
    body: Value
    media_type: Value
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class RespondAsCalled:
    """The answer of one of the route's calls, as it came, but for a status and a media type that have a value."""

    call: str
    status: Value | None = None
    media_type: Value | None = None

    @property
    def values(self) -> tuple[Value, ...]:
        """What of it is worked out."""
        return tuple(value for value in (self.status, self.media_type) if value is not None)


@dataclass(frozen=True, slots=True)
class RespondRefusal:
    """Whoever may use the route is refused all the same, with this reason of the catalogue."""

    reason: str


def worded_answer(status: object, body: object, *, media_type: object = None, as_json: bool = False) -> Respond:
    """The answer of these values. A body that is `MISSING`, or null where it is no JSON, is empty.

    Raises `ExpressionFailed` for a status or a media type that is none.
    """
    if not isinstance(status, int | float) or isinstance(status, bool) or status not in _STATUSES:
        raise ExpressionFailed("the status of an answer is none from 200 to 599")
    absent = body is MISSING or (body is None and not as_json)
    is_text = absent or (isinstance(body, str) and not as_json)
    written = b"" if absent else str(body).encode() if is_text else json_bytes(body)
    if media_type is MISSING or media_type is None:
        media_type = TEXT if is_text else _JSON
    if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
        raise ExpressionFailed("the media type of an answer is none")
    return Respond(int(status), media_type, written)


Responding = Respond | RespondWorded | RespondAsCalled | RespondRefusal
