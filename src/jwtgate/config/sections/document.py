"""The root of a document, and the sections too small for a file.

A `Document` is consistent by construction: every mistake that no section alone can see is found by `checks.py`
before there is a value.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator
from pydantic.json_schema import GenerateJsonSchema

from jwtgate.config.checks import Mistakes, find_mistakes
from jwtgate.config.route_checks import find_route_mistakes
from jwtgate.config.sections.access_log import AccessLogSection
from jwtgate.config.sections.administration import AdminSection
from jwtgate.config.sections.answers import DocumentAnswers
from jwtgate.config.sections.callers.consumers import ConsumerSection
from jwtgate.config.sections.issuers import IssuerSection
from jwtgate.config.sections.routes import RouteSection
from jwtgate.config.sections.secret_stores import SecretStoreSection, StoreName
from jwtgate.config.sections.section import (
    Address,
    Count,
    FileName,
    Flag,
    Maybe,
    Name,
    OneOrMore,
    Seconds,
    Section,
    SettableFieldName,
    Whole,
)
from jwtgate.config.sections.signing import SigningSection
from jwtgate.config.sections.traffic.matching import Network
from jwtgate.config.sections.traffic.upstreams import UpstreamSection


class TlsSection(Section):
    """A certificate and its key."""

    certificate: FileName = Field(description="A PEM file: the certificate, then those that signed it.")
    private_key: FileName = Field(description="A PEM file with its private key.")


class ListenerSection(Section):
    """An address the gateway listens on."""

    address: Address = Field(description="`host:port`; IPv6 addresses stand in brackets.")
    tls: Maybe[TlsSection] = Field(None, description="Speak TLS there.")
    http2: Maybe[Flag] = Field(
        None,
        description="Speak HTTP/2 there besides HTTP/1.1. Default: with TLS, where both sides agree on it. Without TLS "
        "a client has to begin with it, knowing that it may.",
    )


def _listener(value: object) -> object:
    return {"address": value} if isinstance(value, str) else value


Listening = Annotated[ListenerSection, BeforeValidator(_listener, json_schema_input_type=ListenerSection | str)]


class LimitsSection(Section):
    """What one client may cost the gateway."""

    request_line_bytes: Annotated[Whole, Field(ge=256, le=65536)] = Field(8192, description="Longest request line.")
    head_bytes: Annotated[Whole, Field(ge=1024, le=1048576)] = Field(65536, description="Largest request head.")
    fields: Annotated[Whole, Field(ge=1, le=1000)] = Field(100, description="Most header fields of a request.")
    head_seconds: Seconds = Field(10.0, description="How long a request head may take to arrive.")
    body_idle_seconds: Seconds = Field(30.0, description="How long a request body may pause.")
    body_least_bytes_per_second: Annotated[Whole, Field(ge=0)] = Field(
        100, description="Least rate at which a request body must arrive."
    )
    keep_alive_seconds: Seconds = Field(60.0, description="How long an unused connection is kept.")
    connections: Count = Field(10_000, description="Most connections of one worker; one more is answered 503.")
    streams: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        100, description="Most requests in flight of one HTTP/2 connection."
    )
    requests: Count = Field(4_096, description="Most requests in flight of one worker; one more is answered 503.")
    remembered_outcomes: Annotated[Whole, Field(ge=0)] = Field(
        100_000, description="How many allowed requests each worker remembers while their tokens last."
    )
    drain_seconds: Annotated[float, Field(strict=True, ge=0, le=86400)] = Field(
        30.0, description="How long requests may still take when the gateway stops."
    )
    not_ready_lead_seconds: Annotated[float, Field(strict=True, ge=0, le=86400)] = Field(
        0.0, description="How long the gateway says it is not ready before it stops accepting."
    )


OwnPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]{1,255}$")]


class OwnSection(Section):
    """Paths the gateway answers itself. `null`: not served."""

    keys: OwnPath | None = Field("/.well-known/jwks.json", description="Our public keys.")
    metadata: OwnPath | None = Field("/.well-known/openid-configuration", description="Our metadata document.")
    keys_max_age_seconds: Annotated[Whole, Field(ge=1, le=86400)] = Field(
        300, description="How long others may keep our public keys."
    )

    @model_validator(mode="after")
    def _are_different(self) -> OwnSection:
        if self.keys is not None and self.keys == self.metadata:
            raise ValueError("keys and metadata need different paths")
        return self


class PathsSection(Section):
    """How paths with more than one reading are read, on every route.

    One that is kept is refused all the same where another reading of it has a route that asks something else.
    """

    repeated_slashes: Literal["refuse", "merge", "keep"] = Field("refuse", description="`//` in a path.")
    encoded_slashes: Literal["refuse", "keep"] = Field("refuse", description="`%2F` in a path. Dangerous to keep.")
    parameters: Literal["refuse", "keep"] = Field("refuse", description="`;` in a path. Dangerous to keep.")


class FieldsSection(Section):
    """How header fields of requests are read."""

    unusual_names: Literal["refuse", "drop"] = Field(
        "refuse", description="Field names with `_` or anything but letters, digits and `-`."
    )


class Document(Section):
    """A whole document."""

    listen: OneOrMore[Listening] = Field(description="Addresses to listen on.")
    status_listen: Maybe[Address] = Field(
        None,
        description="Address for health and metrics, which are then answered nowhere else. Without it they are "
        "answered to everybody, and say where targets are to callers on this machine alone.",
    )
    admin: Maybe[AdminSection] = Field(None, description="The Admin API. Default: none.")
    secret_stores: dict[StoreName, SecretStoreSection] = Field(
        {}, description="Where secrets are kept that `${NAME:PATH#FIELD}` refers to, by name."
    )
    issuers: dict[Name, IssuerSection] = Field({}, description="Who signs the tokens we accept, by name.")
    signing: Maybe[SigningSection] = Field(None, description="Who we are when we issue tokens.")
    consumers: dict[Name, ConsumerSection] = Field({}, description="Callers known by name.")
    consumer_files: tuple[FileName, ...] = Field(
        (), description="Files with more of them: JSON Lines, one consumer a line, its name under `name`."
    )
    upstreams: dict[Name, UpstreamSection] = Field({}, description="Where requests go, by name.")
    routes: dict[Name, RouteSection] = Field(
        {},
        description="Which requests there are, by name. A request no route takes is refused. Needed unless routes are "
        "added over the Admin API.",
    )
    routing: Literal["most_particular", "listed"] = Field(
        "most_particular",
        description="Which of several routes takes a request: the most particular, or the first in the order of the "
        "document (`listed`), which may ask for more (`match`) and leave its path out.",
    )
    answers: Maybe[DocumentAnswers] = Field(
        None, description="What refusals and faults look like where no route says so, and where no route is found."
    )
    access_log: Maybe[AccessLogSection] = Field(
        None, description="What a line of the access log looks like. Default: the gateway's own way."
    )
    store_away: Literal["refuse_sensitive", "refuse_all", "allow_all"] = Field(
        "refuse_sensitive",
        description="What becomes of credentials while the store cannot be read or written, so that nobody can tell "
        "what is revoked meanwhile: refused with 503 on routes that are `sensitive`, on all routes, or nowhere. What "
        "was revoked before stays so. Dangerous to allow all.",
    )
    limits: LimitsSection = Field(LimitsSection.model_validate({}), description="What one client may cost.")
    paths: PathsSection = Field(PathsSection.model_validate({}), description="How ambiguous paths are read.")
    fields: FieldsSection = Field(FieldsSection.model_validate({}), description="How header fields are read.")
    own: OwnSection = Field(OwnSection.model_validate({}), description="Paths the gateway answers itself.")
    request_id_field: SettableFieldName = Field(
        "X-Request-Id", description="The header field that tells upstreams and clients the id of a request."
    )
    generation_field: Maybe[SettableFieldName] = Field(
        None,
        description="A header field that tells clients the number of the generation that answered; to find out which "
        "document a node serves. Default: none.",
    )
    token_limit_bytes: Annotated[Whole, Field(ge=1024, le=65536)] = Field(
        16384, description="Longest token that is looked at."
    )
    trusted_proxies: tuple[Network, ...] = Field(
        (), description="Networks whose forwarding header fields are believed. Default: none."
    )

    @model_validator(mode="after")
    def _is_consistent(self, info: ValidationInfo) -> Document:
        present = (info.context or {}).get("present")
        mistakes = (*find_mistakes(self, present), *find_route_mistakes(self, present))
        if mistakes:
            raise Mistakes(mistakes)
        return self


class _WithoutTitles(GenerateJsonSchema):
    """The generator of JSON Schema, without titles that only repeat the names of keys."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def document_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document."""
    schema = Document.model_json_schema(schema_generator=_WithoutTitles)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jwtgate document",
        "description": "The configuration of jwtgate.",
        **{name: value for name, value in schema.items() if name not in ("title", "description")},
    }
