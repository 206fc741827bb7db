"""Which requests a route takes: templates of paths, hosts, methods, and the `match` of routes in a listed order."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from jwtgate.config.expressions import compiled_expression
from jwtgate.config.patterns import PathPattern
from jwtgate.config.sections.section import FieldName, Maybe, OneOrMore, Section
from jwtgate.errors import RequestRefused
from jwtgate.policy.request import PathRules, canonical_path

ANY_READING = PathRules(keep_repeated_slashes=True, keep_encoded_slashes=True, keep_parameters=True)
_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
_MOST_SEGMENTS = 64


def as_matched(path: str) -> str:
    """The path, unless it is not written as paths are matched and forwarded. `ValueError` with a sentence."""
    try:
        canonical = canonical_path(path.encode(), ANY_READING)
    except RequestRefused:
        canonical = None
    if canonical != path:
        raise ValueError("must be written as requests are matched: percent-encoded where needed and nowhere else")
    return path


def _checked_template(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must begin with /")
    segments = value.split("/")[1:]
    if len(segments) > _MOST_SEGMENTS:
        raise ValueError(f"must not have more than {_MOST_SEGMENTS} segments")
    literals = ["x" if _PARAMETER.fullmatch(segment) else segment for segment in segments]
    if literals[-1] == "*":
        literals[-1] = "x"
    path = "/" + "/".join(literals)
    if any(character in path for character in "*{}"):
        raise ValueError("must hold * as its whole last segment only, and {name} as a whole segment only")
    as_matched(path)
    return value


PathTemplate = Annotated[str, AfterValidator(_checked_template)]
Method = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{0,31}$")]
Host = Annotated[
    str,
    Field(
        pattern=r"^((\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?"
        r"|[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\.\*|\[[0-9A-Fa-f:.]+\])$"
    ),
    AfterValidator(str.lower),
]


def _checked_method(value: str) -> str:
    if value in ("CONNECT", "TRACE"):
        raise ValueError("CONNECT and TRACE are never served")
    return value


ServedMethod = Annotated[Method, AfterValidator(_checked_method)]


def _checked_network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError("must be a network such as 10.0.0.0/8, without bits outside its mask") from None


Network = Annotated[str, AfterValidator(_checked_network)]


def _checked_prefix(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must begin with /")
    # What follows it in a request may end a segment that only seems to be one of dots.
    as_matched(value if value.endswith("/") else f"{value}x")
    return value


PathPrefix = Annotated[str, AfterValidator(_checked_prefix)]


def _checked_pattern(value: str) -> str:
    PathPattern(value)
    return value


SomePathPattern = Annotated[str, AfterValidator(_checked_pattern)]
"""The text of a pattern of paths (RE2)."""


def _of_request_only(value: str) -> str:
    for path in compiled_expression(value).paths:
        if path[0] != "request" or path[1:2] == ("path_parameters",):
            raise ValueError("may look at request only, its path_parameters apart: nothing else is known yet")
    return value


class MatchSection(Section):
    """More of what a route asks of a request to take it; needs `routing: listed`. All of it must hold.

    The path must fit one of `path`, `paths`, `path_prefix` and `path_pattern`, where any of them is there.
    """

    path_prefix: Maybe[OneOrMore[PathPrefix]] = Field(
        None, description="Text the path begins with, wherever a segment ends."
    )
    path_pattern: Maybe[OneOrMore[SomePathPattern]] = Field(
        None, description="Patterns (RE2) that match from the beginning of the path on; `$` asks for all of it."
    )
    schemes: Maybe[OneOrMore[Literal["http", "https"]]] = Field(
        None, description="How the client speaks to the gateway."
    )
    ports: Maybe[OneOrMore[Annotated[int, Field(ge=1, le=65535)]]] = Field(
        None, description="Ports of the gateway's own the request may come to, whatever its fields say."
    )
    clients: Maybe[OneOrMore[Network]] = Field(None, description="Networks the client's address may be in.")
    headers: dict[FieldName, OneOrMore[Annotated[str, Field(pattern=r"^[ -~]*$")]]] = Field(
        {}, description="Header fields and the values they may have, in whatever case; one line of each must fit."
    )
    when: Maybe[Annotated[str, AfterValidator(_of_request_only)]] = Field(
        None,
        description="An expression (CEL) over `request`, here with its `cookies`, that must be true. One without a "
        "value does not fit.",
    )

    @model_validator(mode="after")
    def _asks_something(self) -> MatchSection:
        if not self.model_fields_set:
            raise ValueError("needs at least one of path_prefix, path_pattern, schemes, ports, clients, headers, when")
        return self
