"""The `routes` and `upstreams` sections: which requests there are, what is asked of them, where they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from jwtgate.config.sections.answers import Answers, LoggedValues
from jwtgate.config.sections.callers.rate_limits import RouteRateLimitSection
from jwtgate.config.sections.issued import OF_CONSUMERS, AskedFor, IssueSection
from jwtgate.config.sections.section import (
    Count,
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
    Whole,
    raise_all,
)
from jwtgate.config.sections.slots import Credential, SlotSection
from jwtgate.config.sections.traffic.calls import MOST_CALLS, CallSection
from jwtgate.config.sections.traffic.editing import (
    RequestHeadersSection,
    RespondSection,
    ResponseHeadersSection,
    RewriteSection,
    TrailerName,
)
from jwtgate.config.sections.traffic.matching import Host, MatchSection, PathTemplate, ServedMethod
from jwtgate.config.sections.traffic.upstreams import TimeoutsSection
from jwtgate.config.sections.values import Cel, Permission, SomeField


class MintByQuerySection(Section):
    """Where in the query a request for a token says what it asks for."""

    credential: ParameterName = Field(description="The parameter that names the credential.")
    claims: Maybe[ParameterName] = Field(
        None, description="The parameter with the claims asked for: a JSON object, URL-encoded once or twice."
    )

    @model_validator(mode="after")
    def _are_two(self) -> MintByQuerySection:
        if self.credential == self.claims:
            raise ValueError("credential and claims need different parameters")
        return self


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
    most_ttl_seconds: Annotated[Whole, Field(ge=1, le=100 * 366 * 86400)] = Field(
        3600, description="Most seconds a token may live, whatever a request asks for."
    )
    most_claims_bytes: Annotated[Whole, Field(ge=0, le=65536)] = Field(
        4096, description="Most bytes of the claims a request sets."
    )
    unauthenticated_minting_allowed: Flag = Field(
        False, description="Whoever reaches the route is given a token. Dangerous; needed with `auth: none`."
    )
    by_query: Maybe[MintByQuerySection] = Field(
        None,
        description="A request is a GET that says what it asks for in its query; its answer is the token alone, as "
        "plain text.",
    )
    bare_token_for_legacy_reader: Flag = Field(
        False,
        description="A consumer's token has only `typ` and `alg` in its header, and only the claims asked for (also "
        "`iat`, `nbf` and their like), the one that names the credential and `exp`.",
    )
    x5c_holds_public_key_pem_for_legacy_reader: Flag = Field(
        False,
        description="The header of such a token has the PEM text of its public key as `x5c`. No reader of RFC 7515 "
        "takes it.",
    )

    @model_validator(mode="after")
    def _mints_something(self) -> MintSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if not self.profiles and self.credentials is None:
            yield "needs profiles, or credentials: own or any"
        if self.credentials is None and not OF_CONSUMERS.isdisjoint(self.claims):
            yield "offers no credentials, and iss and aud are the gateway's own in tokens of a profile"
        if self.by_query is not None and (self.profiles or self.credentials is None):
            yield "by_query names a credential, so it needs credentials and has no profiles"
        if self.bare_token_for_legacy_reader and self.credentials is None:
            yield "bare_token_for_legacy_reader is of tokens made with credentials, and none are offered"
        if self.x5c_holds_public_key_pem_for_legacy_reader and not self.bare_token_for_legacy_reader:
            yield "x5c_holds_public_key_pem_for_legacy_reader needs bare_token_for_legacy_reader"


_CREDENTIAL_KEYS = frozenset(Credential.model_fields)
_FORWARDING = (
    *("grpc", "trailers", "issue", "headers", "forward_token", "upgrade", "forward_cors_preflight", "original_header"),
    *("timeouts", "request_seconds", "private_responses", "rewrite", "request_headers", "response_headers"),
)


class RouteSection(Credential):
    """One route: the requests it takes, what it asks of them, and where they go."""

    path: Maybe[PathTemplate] = Field(None, description="Path template: literals, `{name}`, and `/*` at the end.")
    paths: Maybe[OneOrMore[PathTemplate]] = Field(None, description="Several path templates, instead of `path`.")
    hosts: Maybe[OneOrMore[Host]] = Field(
        None, description="Hosts, `*.suffix`, or in a listed order `name.*`. Default: every host."
    )
    methods: Maybe[OneOrMore[ServedMethod]] = Field(None, description="Methods. Default: every method.")
    match: Maybe[MatchSection] = Field(
        None, description="More of what a request must be like. Needs `routing: listed`."
    )
    auth: Literal["required", "optional", "none"] = Field(
        description="Whether a credential must be there, may be absent, or is not looked for."
    )
    slots: Maybe[Filled[dict[Name, SlotSection]]] = Field(
        None, description="Several credentials by name, instead of one described on the route itself."
    )
    enough: Literal["all_slots", "one_slot"] = Field(
        "all_slots",
        description="Whether every slot must be satisfied, or the first one that is proven, in their order, suffices; "
        "a credential that is refused then counts as absent.",
    )
    sensitive: Flag = Field(
        False, description="Credentials are refused with 503 while the store is away, unless `store_away` allows all."
    )
    slots_may_share_a_place: Flag = Field(
        False, description="Several slots may look at the same place: one credential then has to satisfy them all."
    )
    issue: Maybe[OneOrMore[IssueSection]] = Field(None, description="Tokens of ours the upstream receives.")
    headers: dict[SettableFieldName, SomeField] = Field(
        {}, description="Header fields that tell the upstream who the caller is."
    )
    anonymous_consumer: Maybe[Name] = Field(
        None, description="The consumer a request without any credential counts as, by its name or id."
    )
    anonymous_consumer_also_for_refused_tokens: Flag = Field(
        False, description="A request whose token was refused counts as that consumer too. Dangerous."
    )
    permission: Maybe[Permission] = Field(
        None,
        description="The permission a caller must be granted: text, a value, or a mapping of methods to them. `*` "
        "stands for the methods not named, which are refused without it; the empty text asks for none.",
    )
    methods_permitted: Maybe[OneOrMore[ServedMethod]] = Field(
        None, description="Methods a caller may use, once it is known; unlike `methods`, which say whose route it is."
    )
    require: Maybe[OneOrMore[Cel]] = Field(None, description="Expressions (CEL) that must all be true.")
    upstream: Maybe[Name] = Field(None, description="Where allowed requests go.")
    calls: Maybe[Annotated[dict[Name, CallSection], Field(min_length=1, max_length=MOST_CALLS)]] = Field(
        None,
        description="Upstreams that are asked, in order, once the caller is let through and before the route answers "
        f"or forwards, by name; at most {MOST_CALLS}. A call that fails is a fault.",
    )
    rewrite: Maybe[RewriteSection] = Field(None, description="What the upstream is asked for instead.")
    request_headers: Maybe[RequestHeadersSection] = Field(
        None, description="Changes to the header fields the upstream receives."
    )
    response_headers: Maybe[ResponseHeadersSection] = Field(
        None, description="Changes to the header fields the client receives."
    )
    mint: Maybe[MintSection] = Field(
        None, description="The gateway answers with a token of its own, instead of an upstream."
    )
    respond: Maybe[RespondSection] = Field(
        None, description="The gateway gives this answer of its own, instead of an upstream."
    )
    answers: Maybe[Answers] = Field(
        None,
        description="What refusals and faults look like, by reason, by class of reasons (such as `token_refused`, "
        "`refusal`, `fault`), or `*` for all; the most particular is taken.",
    )
    rate_limit: Maybe[RouteRateLimitSection] = Field(
        None, description="How many requests callers may make here. A consumer's own limit stands instead."
    )
    log: LoggedValues = Field({}, description="Values a line of the access log has besides, by name; at most 16.")
    realm: Annotated[str, Field(pattern=r"^[ !#-\[\]-~]{1,128}$")] = Field(
        "jwtgate", description="The realm a challenge names."
    )
    grpc: Flag = Field(
        False,
        description="Its requests are gRPC calls: the status of a call passes, `grpc-timeout` is its deadline, and "
        "refusals are told as gRPC does. Needs an upstream whose `protocol` is `http2`.",
    )
    trailers: tuple[TrailerName, ...] = Field(
        (), description="Names of the trailer fields of an answer that pass; all others are dropped."
    )
    upgrade: Maybe[Literal["websocket"]] = Field(None, description="The protocol a connection may change to.")
    upgrade_origins: Maybe[OneOrMore[Origin]] = Field(
        None, description="The origins whose pages may open a WebSocket, as browsers name them. Default: any."
    )
    close_on_expiry: Flag = Field(
        False, description="A WebSocket is closed, with code 1008, when the token that opened it ends."
    )
    forward_token: Flag = Field(False, description="The caller's own token goes on to the upstream. Dangerous.")
    timeouts: Maybe[TimeoutsSection] = Field(None, description="Other time limits than those of its upstream.")
    request_seconds: Maybe[Seconds] = Field(None, description="How long a whole request may take. Default: no limit.")
    body_limit_bytes: Annotated[Whole, Field(ge=0)] = Field(
        10 * 1024 * 1024, description="Most bytes of a request's body."
    )
    body_read_before_decision_bytes: Maybe[Count] = Field(
        None,
        description="The whole body is read before the request is decided, and may have this many bytes. Dangerous.",
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
        if self.path is not None and self.paths is not None:
            yield "needs only one of path, paths"
        if self.upgrade is None and (self.upgrade_origins is not None or self.close_on_expiry):
            yield "upgrade_origins and close_on_expiry need upgrade: websocket"
        if self.grpc and self.upgrade is not None:
            yield "a gRPC call never changes its protocol, so upgrade can do nothing"
        if len({"upstream", "mint", "respond"} & self.model_fields_set) != 1:
            yield "needs exactly one of upstream, mint, respond"
        if self.anonymous_consumer is None and self.anonymous_consumer_also_for_refused_tokens:
            yield "anonymous_consumer_also_for_refused_tokens needs anonymous_consumer"
        if self.mint is not None and self.calls is not None:
            yield "mints a token, so calls can do nothing"
        if self.upgrade is not None and self.rewrite is not None and self.rewrite.method is not None:
            yield "upgrade asks for the method GET, so rewrite cannot change it"
        yield from self._mistakes_of_calls()
        yield from self._mistakes_of_own_answers()
        yield from self._mistakes_of_mint()
        yield from self._mistakes_of_credentials()

    def _mistakes_of_calls(self) -> Iterator[str]:
        for_answers = {name for name, call in (self.calls or {}).items() if call.for_answers}
        said = [self.answers or {}, *(slot.answers or {} for slot in (self.slots or {}).values())]
        named = {name for answers in said for answer in answers.values() for name in answer.calls or ()}
        yield from (
            f"has an answer with {name}, which is none of its calls for_answers" for name in sorted(named - for_answers)
        )

    def _mistakes_of_own_answers(self) -> Iterator[str]:
        if self.mint is None and self.respond is None:
            return
        useful = set() if self.respond is None else {"private_responses"}
        if self.respond is not None and self.respond.call is not None:
            useful.add("response_headers")
            if self.respond.call not in {name for name, call in (self.calls or {}).items() if not call.for_answers}:
                yield f"responds with {self.respond.call}, which is none of its calls, or is made for answers alone"
        beside = [name for name in _FORWARDING if name in self.model_fields_set - useful]
        beside += [f"slots.{name}.original_header" for name, slot in (self.slots or {}).items() if slot.original_header]
        if beside:
            by = "mint" if self.mint is not None else "respond"
            yield f"answers by itself ({by}), so {', '.join(beside)} can do nothing"

    def _mistakes_of_mint(self) -> Iterator[str]:
        if self.mint is None:
            return
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
        if self.auth == "none" and self.sensitive:
            yield "asks for no credential (auth: none), so sensitive can do nothing"
        for slot, credential in self.credentials.items():
            if not credential.issuers:
                yield f"needs issuers: the tokens of slot {slot} must come from somebody"
