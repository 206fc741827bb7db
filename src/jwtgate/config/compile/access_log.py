"""The shape of the access log, as the plan has it: one format a line is made with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jwtgate.config.compile.issued import compile_value
from jwtgate.config.sections.access_log import AccessLogSection
from jwtgate.policy.plan import LogShape

_NUMBERS = {"status": "%(status)d", "ms": "%(ms).3f", "generation": "%(generation)d"}
_FROM_OUTSIDE = frozenset({"path", "host", "url"})
"""Texts that come with their quotes, since what stands between them may have to be escaped."""


def compile_access_log(section: AccessLogSection) -> LogShape:
    """What a line looks like."""
    return LogShape(
        line=_object(section.members).removesuffix("}"),
        refused=tuple((name, compile_value(value, "")) for name, value in section.refused.items()),
        custom=section.custom,
    )


def _object(members: Mapping[str, Any]) -> str:
    return "{" + ",".join(f"{_written(name)}:{_member(member)}" for name, member in members.items()) + "}"


def _member(member: str | Mapping[str, Any]) -> str:
    if isinstance(member, str):
        text = f"%({member})s"
        return _NUMBERS.get(member) or (text if member in _FROM_OUTSIDE else f'"{text}"')
    return _written(member["constant"]) if set(member) == {"constant"} else _object(member)


def _written(value: object) -> str:
    """JSON in which the format finds nothing to fill in."""
    return json.dumps(value, separators=(",", ":")).replace("%", "%%")
