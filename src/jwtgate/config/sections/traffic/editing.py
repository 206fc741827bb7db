"""What a route changes on the way: `rewrite`, `request_headers`, `response_headers`; and `respond`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jwtgate.config.patterns import PathPattern
from jwtgate.config.sections.answers import AnswerFieldName, AnyReason, SomeMediaType, SomeStatus
from jwtgate.config.sections.section import (
    FieldName,
    Flag,
    Maybe,
    Name,
    Section,
    SettableFieldName,
    raise_all,
)
from jwtgate.config.sections.traffic.matching import ServedMethod, SomePathPattern, as_matched
from jwtgate.config.sections.values import SomeField, SomeValue, ValueSection, as_constant
from jwtgate.policy.rooms.rewrite import fold


def _checked_path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must begin with /")
    return as_matched(value)


def _checked_sent_method(value: str) -> str:
    if value == "HEAD":
        raise ValueError("a request cannot become one whose answer has no body")
    return value


def _of_path(value: ValueSection) -> ValueSection:
    if value.origin == "constant":
        if not isinstance(value.constant, str):
            raise ValueError("must be text, or a value")
        _checked_path(value.constant)
    return value


SentPath = Annotated[str, AfterValidator(_checked_path)]
SomePath = Annotated[
    ValueSection,
    BeforeValidator(as_constant, json_schema_input_type=ValueSection | str),
    AfterValidator(_of_path),
]


class RewriteSection(Section):
    """What the upstream is asked for instead of what the client asked for. The query stays, unless it says another.

    First what was matched is stripped, then the pattern replaced, then the prefix added. A path that could then be
    read in two ways refuses the request.
    """

    strip_matched_prefix: Flag = Field(
        False,
        description="Take off what the route is found by: `match.path_prefix`, what `match.path_pattern` matched, or "
        "what stands before `/*` in `path`. Of several, the longest.",
    )
    add_prefix: Maybe[SentPath] = Field(None, description="What is put before the path.")
    path: Maybe[SomePath] = Field(
        None,
        description="The path, whatever was asked for: text, or a value. What stands for itself in no path is escaped.",
    )
    query: Maybe[SomeValue] = Field(
        None,
        description="The query instead of the client's own: text without its `?`, or an object of names and values, or "
        "lists of values. What is not there makes none.",
    )
    pattern: Maybe[SomePathPattern] = Field(
        None, description="A pattern (RE2); what it first matches in the path is replaced."
    )
    replacement: Maybe[Annotated[str, Field(pattern=r"^[A-Za-z0-9\-._~!$&'()*+,;=:@/%\\]*$")]] = Field(
        None, description=r"What takes its place: `\1` is what the first group matched, `\\` a backslash."
    )
    method: Maybe[Annotated[ServedMethod, AfterValidator(_checked_sent_method)]] = Field(
        None, description="The method the upstream sees. `HEAD` stays `HEAD`."
    )

    @property
    def values(self) -> Iterator[tuple[tuple[str, ...], ValueSection]]:
        """Every value in it, with its place."""
        for name, value in (("path", self.path), ("query", self.query)):
            if value is not None:
                yield (name,), value

    @model_validator(mode="after")
    def _fits_together(self) -> RewriteSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if not self.model_fields_set:
            yield "needs at least one of strip_matched_prefix, add_prefix, path, query, pattern, method"
        if (self.pattern is None) != (self.replacement is None):
            yield "pattern and replacement need each other"
        if self.pattern is not None and self.replacement is not None:
            try:
                PathPattern(self.pattern, self.replacement)
            except ValueError as error:
                yield f"the replacement {error}"
        beside = self.strip_matched_prefix or self.add_prefix is not None or self.pattern is not None
        if self.path is not None and beside:
            yield "path is the whole path, so nothing else can change it"


# The gateway's own: what frames a message or belongs to one hop, and what tells about the client.
_KEPT = frozenset(
    b"connection content-length expect forwarded host http2-settings keep-alive proxy-connection te trailer "
    b"transfer-encoding upgrade via".split()
)


def _removable(name: str) -> str:
    folded = fold(name.encode())
    if folded in _KEPT or folded.startswith(b"x-forwarded-"):
        raise ValueError("a field the gateway itself is responsible for cannot be removed here")
    return name


class RequestHeadersSection(Section):
    """Changes to the header fields the upstream receives. What tells it who the caller is stays in `headers`."""

    set: dict[SettableFieldName, SomeField] = Field(
        {}, description="Fields that take the place of the client's own. What is not there only removes those."
    )
    add: dict[SettableFieldName, SomeField] = Field({}, description="Fields that are sent besides the client's own.")
    remove: tuple[Annotated[FieldName, AfterValidator(_removable)], ...] = Field(
        (), description="Fields of the client's that are not sent on."
    )


class ResponseHeadersSection(Section):
    """Changes to the header fields of an upstream's answer, as the client receives it."""

    set: dict[AnswerFieldName, SomeField] = Field(
        {}, description="Fields that take the place of the upstream's. What is not there only removes those."
    )
    add: dict[AnswerFieldName, SomeField] = Field({}, description="Fields that are sent besides the upstream's.")
    remove: tuple[AnswerFieldName, ...] = Field((), description="Fields of the upstream's that are not sent on.")


# What frames, routes or qualifies a message, or says who somebody is, means nothing behind it (RFC 9110 section 6.5.1).
_NOT_BEHIND = frozenset(
    b"age authorization cache-control connection content-encoding content-length content-range content-type date "
    b"expect expires host http2-settings keep-alive location proxy-authenticate proxy-authorization proxy-connection "
    b"retry-after set-cookie te trailer transfer-encoding upgrade vary warning www-authenticate x-request-id".split()
)


def _passable(name: str) -> str:
    if fold(name.encode()) in _NOT_BEHIND:
        raise ValueError("a field that means nothing behind a body cannot pass there")
    return name


TrailerName = Annotated[FieldName, AfterValidator(_passable)]


class RespondSection(Section):
    """An answer of the gateway's own, to whoever may use the route."""

    status: Maybe[SomeStatus] = Field(
        None, description="Its status, or a value that is one. Default: 200. Of 204, 205 and 304 there is no body."
    )
    headers: dict[AnswerFieldName, SomeField] = Field({}, description="Its header fields. What is not there sets none.")
    body: Maybe[SomeValue] = Field(
        None, description="Its body: text as it stands, or a value; what is no text as JSON."
    )
    json_body: Maybe[SomeValue] = Field(None, alias="json", description="Its body: any value, as JSON.")
    content_type: Maybe[SomeMediaType] = Field(
        None,
        description="The media type of the body, or a value that is one. Default: `text/plain` for text, else "
        "`application/json`.",
    )
    call: Maybe[Name] = Field(
        None,
        description="The answer of this call of the route, as it came: status, header fields and body; but for a "
        "`status` and a `content_type` beside it.",
    )
    refusal: Maybe[AnyReason] = Field(
        None, description="No answer: whoever may use the route is refused with this reason all the same."
    )

    @property
    def values(self) -> Iterator[tuple[tuple[str, ...], ValueSection]]:
        """Every value in it, with its place."""
        written = {"status": self.status, "body": self.body, "json": self.json_body, "content_type": self.content_type}
        yield from (((name,), value) for name, value in written.items() if value is not None)
        yield from ((("headers", name), field) for name, field in self.headers.items())

    @model_validator(mode="after")
    def _is_one_answer(self) -> RespondSection:
        given = self.model_fields_set
        if given - {"call", "status", "content_type"} and "call" in given:
            raise ValueError("nothing but status and content_type stands beside call")
        if len(given) > 1 and "refusal" in given:
            raise ValueError("nothing stands beside refusal")
        if {"body", "json_body"} <= given:
            raise ValueError("needs only one of body, json")
        return self
