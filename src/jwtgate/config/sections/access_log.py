"""The `access_log` section: what a line of the log looks like, where that is not the gateway's own way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from jwtgate.config.checks import did_you_mean
from jwtgate.config.sections.answers import LogName
from jwtgate.config.sections.section import Filled, Section, raise_all
from jwtgate.config.sections.values import SomeValue, ValueSection
from jwtgate.policy.plan import LOG_ATOMS

_OURS = "detail"
"""Where the log says more of a refusal, whatever its shape."""
_MOST_DEPTH = 4
_FOR_ANY_ROUTE = ("consumer", "permissions", "request", "language", "constant")

Member = str | Mapping[str, Any]


def _checked_member(value: object) -> Member:
    return _checked(value, depth=1)


def _checked(value: object, depth: int) -> Member:
    if isinstance(value, str):
        if value not in LOG_ATOMS:
            raise ValueError(f"is nothing a line can say{did_you_mean(value, LOG_ATOMS)}; a text is {{constant: text}}")
        return value
    if not isinstance(value, dict) or not value or depth > _MOST_DEPTH:
        raise ValueError("must be the name of what is said, {constant: …}, or a mapping of such members")
    if set(value) == {"constant"}:
        return value
    return {str(name): _checked(member, depth + 1) for name, member in value.items()}


def _of_no_credential(value: ValueSection) -> ValueSection:
    # Which fields, cookies and parameters hold credentials is a route's to say, and so are its slots.
    if value.origin not in _FOR_ANY_ROUTE or value.request in ("url", "query"):
        raise ValueError("must be a part of the request beside its query, the consumer, permissions, or a constant")
    return value


LogMember = Annotated[Member, PlainValidator(_checked_member, json_schema_input_type=str | dict[str, Any])]


class AccessLogSection(Section):
    """What a line of the access log looks like, a JSON object as ever."""

    members: Filled[dict[LogName, LogMember]] = Field(
        description=f"Its members, in order: each one of {', '.join(f'`{atom}`' for atom in LOG_ATOMS)} (`ms` and "
        "`generation` are numbers, `status` too; `url` has no query; `level` is `info`, or `error` where there is a "
        "reason), `{constant: …}`, or a mapping of such members.",
    )
    refused: dict[LogName, Annotated[SomeValue, AfterValidator(_of_no_credential)]] = Field(
        {}, description="Members that only lines of refusals and faults have besides: values, looked at then."
    )
    custom: LogName = Field(
        "log", description="The member that holds what `log` of a route, and of an answer, has it say."
    )

    @model_validator(mode="after")
    def _says_each_once(self) -> AccessLogSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        seen = {_OURS}
        for name in (*self.members, *self.refused, self.custom):
            if name in seen:
                yield f"says {name} twice" if name != _OURS else f"{_OURS} is said by the gateway"
            seen.add(name)
