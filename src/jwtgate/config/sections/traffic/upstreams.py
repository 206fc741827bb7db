"""The `upstreams` section: where allowed requests go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from jwtgate.config.sections.section import (
    CookieName,
    Count,
    FieldName,
    FileName,
    Flag,
    Maybe,
    OneOrMore,
    Seconds,
    Section,
    Text,
    Url,
    Whole,
    raise_all,
    split_url,
)

HostField = Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$")]
CheckedPath = Annotated[str, Field(pattern=r"^/[!-~]{0,2047}$")]
Status = Annotated[Whole, Field(ge=200, le=599)]
Times = Annotated[Whole, Field(ge=1, le=1000)]


def _checked_target(value: str) -> str:
    parts = split_url(value)
    if parts.path not in ("", "/") or "?" in value:
        raise ValueError("must have neither path nor query; the request brings both")
    return value


class TargetSection(Section):
    """One address of an upstream."""

    url: Annotated[Url, AfterValidator(_checked_target)] = Field(
        description="Its address, http or https, without a path."
    )
    weight: Annotated[Whole, Field(ge=0, le=65535)] = Field(
        1, description="How many requests it takes for each one a target of weight 1 takes; 0: none."
    )


def _target(value: object) -> object:
    return value if isinstance(value, dict | TargetSection) else {"url": value}


SomeTarget = Annotated[TargetSection, BeforeValidator(_target, json_schema_input_type=TargetSection | str)]


class HashedFieldSection(Section):
    """The header field or the cookie by which requests go to the same target."""

    header: Maybe[FieldName] = Field(None, description="A header field; of several the first.")
    cookie: Maybe[CookieName] = Field(None, description="A cookie.")

    @model_validator(mode="after")
    def _names_one(self) -> HashedFieldSection:
        if len(self.model_fields_set) != 1:
            raise ValueError("needs one of header, cookie")
        return self


class HealthCheckSection(Section):
    """How every worker asks each target whether it is well, beside the requests it serves."""

    path: Maybe[CheckedPath] = Field(None, description="What is asked for, by `GET`. Default: connecting is enough.")
    host: Maybe[HostField] = Field(None, description="The `Host` it is asked as. Default: that of requests.")
    every_seconds: Seconds = Field(5.0, description="How long there is between two checks.")
    timeout_seconds: Seconds = Field(2.0, description="How long a check may take.")
    healthy_after: Times = Field(2, description="So many good checks in a row, and a target is used again.")
    unhealthy_after: Times = Field(3, description="So many bad checks in a row, and a target is down.")
    statuses: Maybe[OneOrMore[Status]] = Field(None, description="The statuses of a good answer. Default: 200 to 299.")

    @model_validator(mode="after")
    def _fits_together(self) -> HealthCheckSection:
        if self.path is None and self.model_fields_set & {"host", "statuses"}:
            raise ValueError("host and statuses need path")
        return self


class EjectionSection(Section):
    """When a target is left out for what it answers. What nobody can connect to is left alone in any case."""

    failures_in_a_row: Times = Field(
        5,
        description="So many failures, and the target is left out: an answer of one of `statuses`, none, none in time, "
        "or one that cannot be read.",
    )
    statuses: OneOrMore[Status] = Field((500, 502, 503, 504), description="The statuses that count as a failure.")
    for_seconds: Seconds = Field(
        10.0,
        description="How long it is left out at first; twice as long each time it comes back and fails at once, up to "
        "five minutes.",
    )
    most_percent: Annotated[Whole, Field(ge=1, le=100)] = Field(
        50,
        description="How many of the targets are left out at most. When more than that are out, for whatever reason, "
        "those that were left out are asked all the same.",
    )


class TimeoutsSection(Section):
    """Other time limits than those of the upstream."""

    connect_seconds: Maybe[Seconds] = Field(None, description="How long connecting may take.")
    first_byte_seconds: Maybe[Seconds] = Field(None, description="How long the first byte of an answer may take.")
    idle_seconds: Maybe[Seconds] = Field(None, description="How long an answer may pause.")


class UpstreamSection(Section):
    """One upstream: where allowed requests go."""

    targets: OneOrMore[SomeTarget] = Field(
        description="Its addresses, http or https, without a path; or mappings of an address and its weight."
    )
    protocol: Literal["http1", "http2"] = Field(
        "http1",
        description="What is spoken to it. HTTP/2 is agreed on over TLS, and begun with over plain TCP; requests then "
        "share connections.",
    )
    preserve_host: Flag = Field(False, description="The upstream sees the `Host` of the client, not its own.")
    host: Maybe[HostField] = Field(None, description="The `Host` the upstream sees, instead of its own.")
    balance: Literal["round_robin", "least_requests", "consistent_hash"] = Field(
        "round_robin",
        description="Which target takes a request: each in turn, the one with the fewest requests, or always the same "
        "one for the same `hash_by`. Weights hold for all of them.",
    )
    hash_by: Maybe[Literal["consumer", "client"] | HashedFieldSection] = Field(
        None,
        description="What the requests that go to the same target have in common: a header field, a cookie, the "
        "consumer or the client's address; of a request without it, its client's address.",
    )
    slow_start_seconds: Annotated[float, Strict(), Field(ge=0, le=3600)] = Field(
        0.0, description="How long a target that is new or back takes fewer requests: a tenth at first, then more."
    )
    health_check: Maybe[HealthCheckSection] = Field(None, description="Every target is checked. Default: none is.")
    ejection: Maybe[EjectionSection] = Field(
        None, description="A target that fails is left out for a while. Default: only what cannot be connected to is."
    )
    most_connections: Maybe[Count] = Field(
        None, description="Connections each worker has at most. One more is refused with 503. Default: no limit."
    )
    most_requests: Maybe[Count] = Field(
        None, description="Requests each worker has on their way at most. One more is refused. Default: no limit."
    )
    most_pending: Maybe[Count] = Field(
        None, description="Connections each worker makes at the same time at most. Default: no limit."
    )
    connect_seconds: Seconds = Field(2.0, description="How long connecting may take.")
    first_byte_seconds: Seconds = Field(30.0, description="How long the first byte of an answer may take.")
    idle_seconds: Seconds = Field(60.0, description="How long an answer may pause.")
    keep_alive_seconds: Seconds = Field(30.0, description="How long an unused connection is kept.")
    most_idle_connections: Annotated[Whole, Field(ge=0)] = Field(
        128, description="How many unused connections to one target each worker keeps."
    )
    retries: Annotated[Whole, Field(ge=0, le=32)] = Field(
        1,
        description="How often a request is tried again: with another target when one cannot be connected to, and, "
        "for one that may be repeated, when a connection ends before an answer.",
    )
    retry_budget_percent: Annotated[Whole, Field(ge=1, le=100)] = Field(
        20,
        description="How many of the requests on their way may be second tries, in each worker; ten may in any case.",
    )
    resolve_seconds: Annotated[float, Strict(), Field(ge=1, le=86400)] = Field(
        30.0,
        description="The name of a target is looked up again when its TTL ends, and after so long at the latest; "
        "so is one of `/etc/hosts`, which has no TTL.",
    )
    stale_names_seconds: Annotated[float, Strict(), Field(ge=0, le=7 * 86400)] = Field(
        3600.0, description="How long the last addresses of a name are used while it cannot be looked up."
    )
    x_real_ip: Flag = Field(False, description="The client's address is sent as `X-Real-IP`, too.")
    forwarded_port: Flag = Field(False, description="The port the client came to is sent as `X-Forwarded-Port`.")
    forwarded_path: Flag = Field(
        False,
        description="The path the client asked for is sent as `X-Forwarded-Path`, and what was stripped of it as "
        "`X-Forwarded-Prefix`.",
    )
    ca_file: Maybe[FileName] = Field(None, description="Certificates to trust instead of the system's.")
    server_name: Maybe[Text] = Field(None, description="The name its certificate must have. Default: its host.")

    @model_validator(mode="after")
    def _fits_together(self) -> UpstreamSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if self.host is not None and self.preserve_host:
            yield "host and preserve_host exclude each other"
        if not any(target.weight for target in self.targets):
            yield "needs a target whose weight is not 0"
        if (self.balance == "consistent_hash") is not (self.hash_by is not None):
            yield "balance: consistent_hash and hash_by need each other"
