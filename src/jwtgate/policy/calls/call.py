"""Calls a route makes before it answers or forwards: what is asked of an upstream, and what it said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from jwtgate.jose.encoding import parse_json
from jwtgate.policy.rooms.claims import MISSING

if TYPE_CHECKING:
    from jwtgate.policy.provisions import Value
    from jwtgate.policy.traffic.upstreams import Upstream


class BodyForm(Enum):
    """How the value of a body is written, with the media type that says so."""

    TEXT = "text/plain; charset=utf-8"
    """Text as it stands; anything else as JSON."""
    JSON = "application/json"
    FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. Where it goes is the upstream's to say; only path and query are worked out for a request.

    `passed_on`: the fields of the request that go on with it are sent too, where `fields` has none of their names.
    `for_answers`: made for a refusal that is answered with it, and not before. `expected`: the statuses that will do;
    empty: any. `seconds`: how long all of it may take. `most_bytes`: of the answer's body.
    """

    name: str
    upstream: Upstream
    path: Value
    method: Value
    query: Value | None = None
    fields: tuple[tuple[bytes, Value], ...] = ()
    body: Value | None = None
    form: BodyForm = BodyForm.TEXT
    passed_on: bool = False
    for_answers: bool = False
    expected: frozenset[int] = frozenset()
    seconds: float = 10.0
    most_bytes: int = 1024 * 1024

    @property
    def values(self) -> tuple[Value, ...]:
        """Every value in it."""
        some = (self.path, self.query, self.method, self.body, *(value for _, value in self.fields))
        return tuple(value for value in some if value is not None)


@dataclass(frozen=True, slots=True)
class Called:
    """What an upstream answered to a call. Field names are lower case, their values in the order of arrival.

    `asked` is what it was sent, once it is noted what it said.
    """

    status: int
    fields: Mapping[str, tuple[str, ...]] = field(repr=False)
    body: bytes = field(repr=False)
    asked: NeedCall | None = field(default=None, repr=False, compare=False)

    def members(self) -> dict[str, object]:
        """What expressions see of it: `status`, `headers`, `body` as text, and as `json` where it is."""
        said: dict[str, object] = {
            "status": self.status,
            "headers": {name: values[0] if len(values) == 1 else MISSING for name, values in self.fields.items()},
            "body": self.body.decode("utf-8", "replace"),
        }
        try:
            return {**said, "json": parse_json(self.body, limit_bytes=len(self.body))}
        except ValueError:
            return said


@dataclass(frozen=True, slots=True)
class NeedCall:
    """A call with all it says worked out: `target` is path and query. Answered by a `Called`."""

    call: Call
    method: str
    target: str = field(repr=False)
    fields: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
