"""What a route changes on the way: `rewrite`, `request_headers`, `response_headers`; and `respond`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from jwtgate.config.patterns import PathPattern
from jwtgate.config.sections.answers import AnswerFieldName, AnswerStatus, MediaType
from jwtgate.config.sections.section import (
    FieldName,
    Flag,
    JsonValue,
    Maybe,
    Section,
    SettableFieldName,
    raise_all,
)
from jwtgate.config.sections.traffic.matching import ServedMethod, SomePathPattern, as_matched
from jwtgate.config.sections.values import SomeField
from jwtgate.policy.rooms.rewrite import fold


def _checked_path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must begin with /")
    return as_matched(value)


def _checked_sent_method(value: str) -> str:
    if value == "HEAD":
        raise ValueError("a request cannot become one whose answer has no body")
    return value


SentPath = Annotated[str, AfterValidator(_checked_path)]


class RewriteSection(Section):
    """What the upstream is asked for instead of what the client asked for. The query always stays.

    First what was matched is stripped, then the pattern replaced, then the prefix added. A path that could then be
    read in two ways refuses the request.
    """

    strip_matched_prefix: Flag = Field(
        False,
        description="Take off what the route is found by: `match.path_prefix`, what `match.path_pattern` matched, or "
        "what stands before `/*` in `path`. Of several, the longest.",
    )
    add_prefix: Maybe[SentPath] = Field(None, description="What is put before the path.")
    path: Maybe[SentPath] = Field(None, description="The path, whatever was asked for.")
    pattern: Maybe[SomePathPattern] = Field(
        None, description="A pattern (RE2); what it first matches in the path is replaced."
    )
    replacement: Maybe[Annotated[str, Field(pattern=r"^[A-Za-z0-9\-._~!$&'()*+,;=:@/%\\]*$")]] = Field(
        None, description=r"What takes its place: `\1` is what the first group matched, `\\` a backslash."
    )
    method: Maybe[Annotated[ServedMethod, AfterValidator(_checked_sent_method)]] = Field(
        None, description="The method the upstream sees. `HEAD` stays `HEAD`."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> RewriteSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if not self.model_fields_set:
            yield "needs at least one of strip_matched_prefix, add_prefix, path, pattern, method"
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


class RespondSection(Section):
    """An answer of the gateway's own, to whoever may use the route."""

    status: AnswerStatus = Field(200, description="Its status.")
    headers: dict[AnswerFieldName, SomeField] = Field({}, description="Its header fields. What is not there sets none.")
    body: JsonValue = Field("", description="Its body: text as it stands, anything else as JSON.")
    content_type: Maybe[MediaType] = Field(
        None, description="The media type of the body. Default: `text/plain` for text, else `application/json`."
    )
