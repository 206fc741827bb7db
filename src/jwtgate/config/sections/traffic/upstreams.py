"""The `upstreams` section: where allowed requests go."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jwtgate.config.sections.section import (
    FileName,
    Flag,
    Maybe,
    OneOrMore,
    Seconds,
    Section,
    Text,
    Url,
    Whole,
    split_url,
)


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


class UpstreamSection(Section):
    """One upstream: where allowed requests go."""

    targets: OneOrMore[SomeTarget] = Field(
        description="Its addresses, http or https, without a path; or mappings of an address and its weight."
    )
    preserve_host: Flag = Field(False, description="The upstream sees the `Host` of the client, not its own.")
    host: Maybe[Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$")]] = (
        Field(None, description="The `Host` the upstream sees, instead of its own.")
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
        if self.host is not None and self.preserve_host:
            raise ValueError("host and preserve_host exclude each other")
        if not any(target.weight for target in self.targets):
            raise ValueError("needs a target whose weight is not 0")
        return self
