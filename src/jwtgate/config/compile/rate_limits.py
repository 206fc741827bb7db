"""Limits of how many requests may be made, as the plan has them."""

from __future__ import annotations

from collections.abc import Iterator

from jwtgate.config.compile.issued import compile_value
from jwtgate.config.sections.callers.rate_limits import (
    ConsumerRateLimitSection,
    RateLimitSection,
    RouteRateLimitSection,
)
from jwtgate.config.sections.values import ValueSection
from jwtgate.policy.provisions import Answer, Origin, Value
from jwtgate.policy.rate_limits import CountedBy, RateLimit


def compile_rate_limit(
    section: ConsumerRateLimitSection | RouteRateLimitSection | None, first: str
) -> RateLimit | None:
    """The limit of a route or of a consumer, if there is one. `first` is the slot meant where none is named."""
    if section is None:
        return None
    by: str | ValueSection = section.by
    value = None if isinstance(by, str) or by.origin == "constant" else compile_value(by, first)
    word = by if isinstance(by, str) else by.constant
    return RateLimit(
        section.requests,
        section.window_seconds,
        by=CountedBy(word) if value is None else CountedBy.VALUE,
        value=value,
        answer=_answer(section),
        shown=section.show_headers,
    )


def of_rate_limit(limit: RateLimit | None) -> Iterator[Value]:
    """The value in it, if there is one."""
    if limit is not None and limit.value is not None:
        yield limit.value


def _answer(section: RateLimitSection) -> Answer | None:
    if section.status is None and section.body is None:
        return None
    body = None if section.body is None else Value(Origin.CONSTANT, constant=section.body)
    return Answer(status=section.status, body=body, content_type=section.content_type)
