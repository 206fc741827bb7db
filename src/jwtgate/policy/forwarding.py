"""What the upstream is asked for: the path a route makes of the client's own, canonical as that is (RFC 3986 6.2.2).

A route says which paths it takes in several forms, and each knows how much of a path it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jwtgate.errors import RequestRefused
from jwtgate.policy.request import STRICT_PATHS, PathRules, canonical_path

_SLASHES = re.compile("/{2,}")


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
    `prefix` put before the rest. `method`: None for the client's own; HEAD stays HEAD.
    """

    method: str | None = None
    path: str | None = None
    stripped: tuple[PathForm, ...] = ()
    pattern: PathPattern | None = None
    prefix: str = ""
    rules: PathRules = STRICT_PATHS

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


@dataclass(frozen=True, slots=True)
class Respond:
    """An answer of the gateway's own, to whoever may use the route. Its fields are the `answer_fields` of that."""

    status: int = 200
    media_type: str = "text/plain; charset=utf-8"
    body: bytes = b""
