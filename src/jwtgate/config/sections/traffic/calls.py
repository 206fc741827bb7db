"""The `calls` of a route: what is asked of upstreams before the route answers or forwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from jwtgate.config.sections.section import (
    Count,
    FieldName,
    Flag,
    Maybe,
    Name,
    OneOrMore,
    Seconds,
    Section,
    Whole,
    raise_all,
)
from jwtgate.config.sections.values import SomeValue, ValueSection
from jwtgate.policy.rooms.rewrite import fold

# What frames a message or belongs to one hop, and what tells which of several hosts is meant.
_NOT_SETTABLE = frozenset(
    b"connection content-length expect host http2-settings keep-alive proxy-connection te trailer transfer-encoding "
    b"upgrade x-request-id".split()
)
_METHOD = re.compile(r"GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS")
MOST_CALLS = 16


def _settable(name: str) -> str:
    if fold(name.encode()) in _NOT_SETTABLE:
        raise ValueError("a field the gateway itself is responsible for cannot be set here")
    return name


def _of_path(value: ValueSection) -> ValueSection:
    if value.origin == "constant" and not (isinstance(value.constant, str) and value.constant.startswith("/")):
        raise ValueError("must begin with /")
    return value


def _of_method(value: ValueSection) -> ValueSection:
    if value.origin == "constant" and not (isinstance(value.constant, str) and _METHOD.fullmatch(value.constant)):
        raise ValueError("must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")
    return value


class CallSection(Section):
    """One call of an upstream. Redirects are not followed."""

    upstream: Name = Field(description="The upstream that is asked.")
    path: Maybe[Annotated[SomeValue, AfterValidator(_of_path)]] = Field(None, description="The path. Default: `/`.")
    query: Maybe[SomeValue] = Field(
        None, description="The query: text without its `?`, or an object of names and values, or lists of values."
    )
    method: Maybe[Annotated[SomeValue, AfterValidator(_of_method)]] = Field(
        None, description="The method. Default: `POST` with a body, else `GET`."
    )
    headers: dict[Annotated[FieldName, AfterValidator(_settable)], SomeValue] = Field(
        {}, description="Its header fields; a list makes several lines. What is not there sets none."
    )
    passes_request_fields: Flag = Field(
        False,
        description="Send the header fields of the request too, but for credentials (with `forward_token` for those in "
        "`Authorization` and cookies alone), `Accept-Encoding` and the names in `headers`.",
    )
    for_answers: Flag = Field(
        False, description="Made for the answers to refusals and faults that name it in `calls`, when one is given."
    )
    body: Maybe[SomeValue] = Field(None, description="The body: text as it stands, anything else as JSON.")
    json_body: Maybe[SomeValue] = Field(None, alias="json", description="The body: any value, as JSON.")
    form: Maybe[SomeValue] = Field(
        None, description="The body: an object of names and values, or lists of values, as a form is sent."
    )
    expected_status: Maybe[OneOrMore[Annotated[Whole, Field(ge=200, le=599)]]] = Field(
        None, description="The statuses that will do; another one is a fault. Default: any."
    )
    timeout_seconds: Seconds = Field(10.0, description="How long the whole call may take.")
    most_bytes: Count = Field(1024 * 1024, description="Most bytes of the answer's body; a larger one is a fault.")

    @property
    def values(self) -> Iterator[tuple[tuple[str, ...], ValueSection]]:
        """Every value in it, with its place."""
        for name in ("path", "query", "method", "body", "form"):
            value = getattr(self, name)
            if value is not None:
                yield (name,), value
        if self.json_body is not None:
            yield ("json",), self.json_body
        yield from ((("headers", name), value) for name, value in self.headers.items())

    @model_validator(mode="after")
    def _fits_together(self) -> CallSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if len({"body", "json_body", "form"} & self.model_fields_set) > 1:
            yield "needs only one of body, json, form"
        folded = [fold(name.encode()) for name in self.headers]
        if len(set(folded)) != len(folded):
            yield "sets the same header field twice"
