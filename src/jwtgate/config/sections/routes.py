"""The `routes` and `upstreams` sections: which requests there are, what is asked of them, where they go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from jwtgate.config.sections.answers import Answers, LoggedValues
from jwtgate.config.sections.issued import OF_CONSUMERS, AskedFor, IssueSection
from jwtgate.config.sections.section import (
    FileName,
    Filled,
    Flag,
    Maybe,
    Name,
    OneOrMore,
    Origin,
    Seconds,
    Section,
    SettableFieldName,
    Text,
    Url,
    Whole,
    raise_all,
    split_url,
)
from jwtgate.config.sections.slots import Credential, SlotSection
from jwtgate.config.sections.values import Cel, Permission, SomeField
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


class MintSection(Section):
    """A route that answers with a token of ours: a sign endpoint."""

    profiles: tuple[Name, ...] = Field((), description="The profiles of `signing` a request may name.")
    credentials: Maybe[Literal["own", "any"]] = Field(
        None,
        description="A request may name a credential: `own` one of the consumer who asks, `any` also one of another. "
        "The latter is dangerous.",
    )
    claims: Literal["any"] | tuple[AskedFor, ...] = Field(
        (),
        description="The claims a request may set, or the word `any`; never the gateway's own. `iss` and `aud` may be "
        "named, and are then taken for tokens made with a credential alone.",
    )
    most_ttl_seconds: Annotated[Whole, Field(ge=1, le=366 * 86400)] = Field(
        3600, description="Most seconds a token may live, whatever a request asks for."
    )
    most_claims_bytes: Annotated[Whole, Field(ge=0, le=65536)] = Field(
        4096, description="Most bytes of the claims a request sets."
    )
    unauthenticated_minting_allowed: Flag = Field(
        False, description="Whoever reaches the route is given a token. Dangerous; needed with `auth: none`."
    )

    @model_validator(mode="after")
    def _mints_something(self) -> MintSection:
        if not self.profiles and self.credentials is None:
            raise ValueError("needs profiles, or credentials: own or any")
        if self.credentials is None and not OF_CONSUMERS.isdisjoint(self.claims):
            raise ValueError("offers no credentials, and iss and aud are the gateway's own in tokens of a profile")
        return self


_CREDENTIAL_KEYS = frozenset(Credential.model_fields)
_FORWARDING = (
    *("issue", "headers", "forward_token", "upgrade", "forward_cors_preflight", "original_header"),
    *("request_seconds", "private_responses"),
)


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
    anonymous_consumer: Maybe[Name] = Field(
        None, description="The consumer a request without any credential counts as."
    )
    anonymous_consumer_also_for_refused_tokens: Flag = Field(
        False, description="A request whose token was refused counts as that consumer too. Dangerous."
    )
    permission: Maybe[Permission] = Field(
        None,
        description="The permission a caller must be granted: text, a value, or a mapping of methods to them. `*` "
        "stands for the methods not named, which are refused without it; the empty text asks for none.",
    )
    require: Maybe[OneOrMore[Cel]] = Field(None, description="Expressions (CEL) that must all be true.")
    upstream: Maybe[Name] = Field(None, description="Where allowed requests go.")
    mint: Maybe[MintSection] = Field(
        None, description="The gateway answers with a token of its own, instead of an upstream."
    )
    answers: Maybe[Answers] = Field(
        None,
        description="What refusals and faults look like, by reason, by class of reasons (such as `token_refused`, "
        "`refusal`, `fault`), or `*` for all; the most particular is taken.",
    )
    log: LoggedValues = Field({}, description="Values a line of the access log has besides, by name; at most 16.")
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
    def fields_set(self) -> tuple[str, ...]:
        """The header fields the gateway sets for the upstream."""
        originals = (credential.original_header for credential in self.credentials.values())
        issued = (issue.header for issue in self.issue or ())
        return (*self.headers, *issued, *(name for name in originals if name is not None))

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
        if (self.upstream is None) == (self.mint is None):
            yield "needs exactly one of upstream, mint"
        if self.anonymous_consumer is None and self.anonymous_consumer_also_for_refused_tokens:
            yield "anonymous_consumer_also_for_refused_tokens needs anonymous_consumer"
        yield from self._mistakes_of_mint()
        yield from self._mistakes_of_credentials()

    def _mistakes_of_mint(self) -> Iterator[str]:
        if self.mint is None:
            return
        beside = [name for name in _FORWARDING if name in self.model_fields_set]
        beside += [f"slots.{name}.original_header" for name, slot in (self.slots or {}).items() if slot.original_header]
        if beside:
            yield f"answers by itself (mint), so {', '.join(beside)} can do nothing"
        known = any(map(self.is_required, self.credentials.values())) and self.anonymous_consumer is None
        if self.auth == "none" and self.mint.credentials == "own":
            yield "asks for no credential (auth: none), so no caller has credentials of its own to mint with"
        if not known and not self.mint.unauthenticated_minting_allowed:
            yield "mints tokens for callers without a credential; needs unauthenticated_minting_allowed in mint"

    def _mistakes_of_credentials(self) -> Iterator[str]:
        described = _CREDENTIAL_KEYS & self.model_fields_set
        if self.slots is not None and described:
            yield "describes its credential on the route and in slots; one of them is enough"
            return
        if self.auth == "none" and (described or self.slots is not None or self.issue is not None):
            yield "asks for no credential (auth: none), so nothing can be said of one or issued from one"
        if self.auth == "none" and (self.permission is not None or self.anonymous_consumer is not None):
            yield "asks for no credential (auth: none), so it has no callers to be granted something or to be anonymous"
        for slot, credential in self.credentials.items():
            if not credential.issuers:
                yield f"needs issuers: the tokens of slot {slot} must come from somebody"
