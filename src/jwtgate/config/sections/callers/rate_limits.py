"""Limits of how many requests may be made, on a route or of a consumer."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jwtgate.config.sections.answers import AnswerStatus, MediaType
from jwtgate.config.sections.section import Flag, JsonValue, Maybe, Section, Whole
from jwtgate.config.sections.values import ValueSection

_Word = Literal["caller", "client", "route"]
_WORDS = get_args(_Word)
_MOST_REQUESTS = 1_000_000_000


class RateLimitSection(Section):
    """What all limits say."""

    requests: Annotated[Whole, Field(ge=1, le=_MOST_REQUESTS)] = Field(description="Most requests of a window.")
    window_seconds: Annotated[Whole, Field(ge=1, le=366 * 86400)] = Field(description="How long a window is.")
    status: Maybe[AnswerStatus] = Field(
        None, description="The status of the answer to a request beyond the limit. Default: 429, or as in `answers`."
    )
    body: JsonValue = Field(None, description="Its body: text as it stands, anything else as JSON.")
    content_type: MediaType = Field("application/json", description="The media type of that body.")
    show_headers: Flag = Field(
        True, description="Every answer says what is left: `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds)."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> RateLimitSection:
        if self.body is None and "content_type" in self.model_fields_set:
            raise ValueError("content_type stands beside body only")
        return self


class ConsumerRateLimitSection(RateLimitSection):
    """How many requests a consumer may make within a window, which begins with the first of them."""

    by: _Word = Field(
        "caller",
        description="Which of its requests are counted together: all (`caller`), those from one address (`client`) or "
        "those of one route (`route`).",
    )


def _as_value(value: object) -> object:
    return value if isinstance(value, dict | ValueSection) else {"constant": value}


def _checked_word(value: ValueSection) -> ValueSection:
    if value.origin == "constant" and value.constant not in _WORDS:
        raise ValueError("must be caller, client, route, or a value such as {header: x-tenant}")
    return value


class RouteRateLimitSection(RateLimitSection):
    """How many requests of a route may be made within a window, which begins with the first of them."""

    by: Annotated[
        ValueSection,
        BeforeValidator(_as_value, json_schema_input_type=ValueSection | _Word),
        AfterValidator(_checked_word),
    ] = Field(
        ValueSection.model_validate({"constant": "caller"}),
        description="Whose requests are counted together: those of a `caller` (a consumer, else a subject, else an "
        "address), of a `client` (an address), all of the `route`, or those for which a value is the same; where it "
        "is not there, those of a client. Default: `caller`.",
    )
