"""The `routes` and `upstreams` sections: which requests there are, what is asked of them, where they go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jwtgate.config.sections.claims import ClaimRuleSection, Path, SomeField
from jwtgate.config.sections.section import (
    CookieName,
    FieldName,
    FileName,
    Filled,
    Flag,
    Maybe,
    Name,
    OneOrMore,
    Origin,
    ParameterName,
    Seconds,
    Section,
    SettableFieldName,
    Text,
    Url,
    Whole,
    exactly_one,
    raise_all,
    split_url,
)
from jwtgate.config.sections.signing import IssueSection
from jwtgate.errors import RequestRefused
from jwtgate.policy.request import PathRules, canonical_path

_ANY_READING = PathRules(keep_repeated_slashes=True, keep_encoded_slashes=True, keep_parameters=True)
_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
_MOST_SEGMENTS = 64


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
    try:
        canonical = canonical_path(path.encode(), _ANY_READING)
    except RequestRefused:
        canonical = None
    if canonical != path:
        raise ValueError("must be written as requests are matched: percent-encoded where needed and nowhere else")
    return value


PathTemplate = Annotated[str, AfterValidator(_checked_template)]
Method = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{0,31}$")]
Host = Annotated[
    str,
    Field(pattern=r"^((\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])$"),
    AfterValidator(str.lower),
]


def _checked_method(value: str) -> str:
    if value in ("CONNECT", "TRACE"):
        raise ValueError("CONNECT and TRACE are never served")
    return value


def _checked_target(value: str) -> str:
    parts = split_url(value)
    if parts.path not in ("", "/") or "?" in value:
        raise ValueError("must have neither path nor query; the request brings both")
    return value


class UpstreamSection(Section):
    """One upstream: where allowed requests go."""

    targets: OneOrMore[Annotated[Url, AfterValidator(_checked_target)]] = Field(
        description="Its addresses, http or https, without a path."
    )
    preserve_host: Flag = Field(False, description="The upstream sees the `Host` of the client, not its own.")
    connect_seconds: Seconds = Field(2.0, description="How long connecting may take.")
    first_byte_seconds: Seconds = Field(30.0, description="How long the first byte of an answer may take.")
    idle_seconds: Seconds = Field(60.0, description="How long an answer may pause.")
    keep_alive_seconds: Seconds = Field(30.0, description="How long an unused connection is kept.")
    most_idle_connections: Annotated[Whole, Field(ge=0)] = Field(
        128, description="How many unused connections to one target each worker keeps."
    )
    ca_file: Maybe[FileName] = Field(None, description="Certificates to trust instead of the system's.")
    server_name: Maybe[Text] = Field(None, description="The name its certificate must have. Default: its host.")


class SourceSection(Section):
    """One place a slot looks for its credential."""

    bearer: Maybe[Literal[True]] = Field(None, description="`Authorization: Bearer`; short: the word `bearer`.")
    header: Maybe[FieldName] = Field(None, description="A header field.")
    prefix: Annotated[str, Field(pattern=r"^[ -~]{0,64}$")] = Field(
        "", description="Exact text before the token in that field."
    )
    cookie: Maybe[CookieName] = Field(None, description="A cookie.")
    query: Maybe[ParameterName] = Field(None, description="A parameter of the query. Dangerous: addresses are logged.")

    @property
    def place(self) -> str:
        """The name of the kind of place."""
        return exactly_one(self.model_fields_set, ("bearer", "header", "cookie", "query"))

    @model_validator(mode="after")
    def _is_one_place(self) -> SourceSection:
        place = self.place
        if self.prefix and place != "header":
            raise ValueError("prefix stands beside header only")
        return self


BEARER = SourceSection.model_validate({"bearer": True})


def _bearer(value: object) -> object:
    if isinstance(value, str) and value != "bearer":
        raise ValueError("must be bearer, or a mapping with header, cookie or query")
    return {"bearer": True} if value == "bearer" else value


Source = Annotated[SourceSection, BeforeValidator(_bearer, json_schema_input_type=SourceSection | Literal["bearer"])]

ScopeToken = Annotated[str, Field(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]+$")]


class ScopeSection(Section):
    """The scope a token must have. Empty lists ask nothing."""

    all: tuple[ScopeToken, ...] = Field((), description="Scope tokens of which none may be missing.")
    any: tuple[ScopeToken, ...] = Field((), description="Scope tokens of which one is enough.")
    claim: Path = Field(("scope",), description="Path of the claim that holds the scope.")


def _scope(value: object) -> object:
    if isinstance(value, str):
        return {"all": value.split()}
    return {"all": value} if isinstance(value, list) else value


Scope = Annotated[ScopeSection, BeforeValidator(_scope, json_schema_input_type=ScopeSection | str | list[str])]


def _no_word_any(value: tuple[str, ...]) -> tuple[str, ...]:
    if "any" in value:
        raise ValueError("any audience is said of an issuer, never here")
    return value


class Credential(Section):
    """What is asked of one credential."""

    sources: Maybe[OneOrMore[Source]] = Field(
        None, alias="from", description="Where the credential may stand; never in two places at once. Default: bearer."
    )
    issuers: Maybe[OneOrMore[Name]] = Field(None, description="The issuers whose tokens are accepted.")
    audience: Maybe[Annotated[OneOrMore[Text], AfterValidator(_no_word_any)]] = Field(
        None, description="Audiences meant here, instead of those of the issuer."
    )
    claims: tuple[ClaimRuleSection, ...] = Field((), description="Rules besides those of the issuer.")
    scope: Maybe[Scope] = Field(
        None, description="Scope the token must have: text or a list (all of them), or `all` and `any` of a claim."
    )

    @property
    def places(self) -> tuple[SourceSection, ...]:
        """Where the credential may stand."""
        return self.sources or (BEARER,)

    @property
    def fields(self) -> tuple[str, ...]:
        """The header fields it may stand in, cookies aside."""
        found = ("Authorization" if source.bearer else source.header for source in self.places)
        return tuple(name for name in found if name is not None)


class SlotSection(Credential):
    """One named slot of a route."""

    auth: Maybe[Literal["required", "optional"]] = Field(
        None, description="Whether the credential must be there. Default: as the route says."
    )


_CREDENTIAL_KEYS = frozenset(Credential.model_fields)


class RouteSection(Credential):
    """One route: the requests it takes, what it asks of them, and where they go."""

    path: Maybe[PathTemplate] = Field(None, description="Path template: literals, `{name}`, and `/*` at the end.")
    paths: Maybe[OneOrMore[PathTemplate]] = Field(None, description="Several path templates, instead of `path`.")
    hosts: Maybe[OneOrMore[Host]] = Field(None, description="Hosts, or `*.suffix`. Default: every host.")
    methods: Maybe[OneOrMore[Annotated[Method, AfterValidator(_checked_method)]]] = Field(
        None, description="Methods. Default: every method."
    )
    auth: Literal["required", "optional", "none"] = Field(
        description="Whether a credential must be there, may be absent, or is not looked for."
    )
    slots: Maybe[Filled[dict[Name, SlotSection]]] = Field(
        None, description="Several credentials by name, instead of one described on the route itself."
    )
    issue: Maybe[OneOrMore[IssueSection]] = Field(None, description="Tokens of ours the upstream receives.")
    headers: dict[SettableFieldName, SomeField] = Field(
        {}, description="Header fields that tell the upstream who the caller is."
    )
    upstream: Name = Field(description="Where allowed requests go.")
    realm: Annotated[str, Field(pattern=r"^[ !#-\[\]-~]{1,128}$")] = Field(
        "jwtgate", description="The realm a challenge names."
    )
    upgrade: Maybe[Literal["websocket"]] = Field(None, description="The protocol a connection may change to.")
    upgrade_origins: Maybe[OneOrMore[Origin]] = Field(
        None, description="The origins whose pages may open a WebSocket, as browsers name them. Default: any."
    )
    close_on_expiry: Flag = Field(False, description="A WebSocket is closed when the token that opened it ends.")
    forward_token: Flag = Field(False, description="The caller's own token goes on to the upstream. Dangerous.")
    request_seconds: Maybe[Seconds] = Field(None, description="How long a whole request may take. Default: no limit.")
    body_limit_bytes: Annotated[Whole, Field(ge=0)] = Field(
        10 * 1024 * 1024, description="Most bytes of a request's body."
    )
    private_responses: Flag = Field(True, description="Answers to proven callers are marked private to caches.")
    forward_cors_preflight: Flag = Field(
        False, description="A CORS preflight goes on to the upstream without a token. Dangerous."
    )

    @property
    def templates(self) -> tuple[str, ...]:
        """The path templates of the route."""
        return self.paths or ((self.path,) if self.path is not None else ())

    @property
    def credentials(self) -> Mapping[str, Credential]:
        """What is asked, slot by slot; the shorthand on the route itself is the slot `access`."""
        if self.auth == "none":
            return {}
        return self.slots if self.slots is not None else {"access": self}

    def is_required(self, credential: Credential) -> bool:
        """Whether this credential of the route must be there."""
        own = credential.auth if isinstance(credential, SlotSection) else None
        return (own or self.auth) == "required"

    @model_validator(mode="after")
    def _fits_together(self) -> RouteSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if (self.path is None) == (self.paths is None):
            yield "needs exactly one of path, paths"
        if self.upgrade is None and (self.upgrade_origins is not None or self.close_on_expiry):
            yield "upgrade_origins and close_on_expiry need upgrade: websocket"
        described = _CREDENTIAL_KEYS & self.model_fields_set
        if self.slots is not None and described:
            yield "describes its credential on the route and in slots; one of them is enough"
            return
        if self.auth == "none" and (described or self.slots is not None or self.issue is not None):
            yield "asks for no credential (auth: none), so nothing can be said of one or issued from one"
        for slot, credential in self.credentials.items():
            if not credential.issuers:
                yield f"needs issuers: the tokens of slot {slot} must come from somebody"
