"""What a document means: routes, slots, issuers and requirements, compiled and frozen.

A request only ever meets these values. They hold names and rules, never key material or secrets, so a plan
can be printed, compared, and sent to another process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jwtgate.policy.calls.call import Call
from jwtgate.policy.expression import Expression
from jwtgate.policy.provisions import Answer, IdentityField, Issue, Mint, PermissionNeed, Value
from jwtgate.policy.rate_limits import RateLimit
from jwtgate.policy.request import STRICT_PATHS, PathRules
from jwtgate.policy.requirements import Issuer, Slot
from jwtgate.policy.sources import (
    Administration,
    ClaimGenerator,
    ConsumerSource,
    IntrospectionSource,
    KeySource,
    SecretStore,
    SigningKeys,
)
from jwtgate.policy.traffic.forwarding import Responding, Rewriting
from jwtgate.policy.traffic.upstreams import NOWHERE, Upstream

if TYPE_CHECKING:
    from jwtgate.policy.rooms.listed import ListedRouter
    from jwtgate.policy.rooms.match import Router


@dataclass(frozen=True, slots=True)
class Route:
    """What a request is matched to. `removed_*` name every place this route's credentials come from.

    `templates` are its path templates, from which the values of its path parameters are read. `conditions` are
    expressions that must all be true. `permission`: what a caller must be granted; `methods_permitted`: the methods
    it may use, None: any. `anonymous` names the consumer a
    request without any credential counts as, and with `anonymous_for_refused` also one whose token was refused.
    `one_slot_is_enough`: the first slot that is proven suffices, and those before it count as empty.
    `mint`: it answers with a token instead of forwarding. `answers` say what refusals look like, by reason, by the
    name of an error's class or for all (`*`); `slot_answers` those of refusals in a slot, by its name. `log` are values
    the access log gains. `grpc`: its requests are calls, whose deadlines and refusals are those of gRPC. `trailers`:
    names, in lower case, of the trailer fields of an answer that pass. `upgrade_origins`: the pages (RFC 6454) that may
    open a WebSocket here; None: any.
    `close_on_expiry`: a WebSocket ends with the token that opened it. `rewriting`: what the upstream is asked for
    instead. `sent_fields` are set in the request on its way, `answer_fields` in its answer; the upstream's loses
    the fields of the names (lower case) in `answer_removed`. `respond`: it gives this answer instead of forwarding.
    `rate_limit`: how many requests callers may make here, unless they have a limit of their own. `calls` are made,
    in order, before it answers or forwards. `asks`: expressions take part that may have to ask for something first.
    `body_first_bytes`: the body, at most so much of it, is read before the
    decision; None: it is not. `needs_store`: no credential passes while it cannot be known what is revoked.
    """

    name: str
    upstream: Upstream
    slots: tuple[Slot, ...] = ()
    issue: tuple[Issue, ...] = ()
    identity: tuple[IdentityField, ...] = ()
    removed_fields: frozenset[bytes] = frozenset()
    removed_cookies: frozenset[bytes] = frozenset()
    removed_parameters: frozenset[str] = frozenset()
    remembered: bool = True
    realm: str = "jwtgate"
    grpc: bool = False
    trailers: frozenset[bytes] = frozenset()
    upgrade: bool = False
    upgrade_origins: frozenset[bytes] | None = None
    close_on_expiry: bool = False
    request_seconds: float | None = None
    body_limit_bytes: int = 10 * 1024 * 1024
    private_responses: bool = True
    forward_cors_preflight: bool = False
    templates: tuple[str, ...] = ()
    conditions: tuple[Expression, ...] = ()
    permission: PermissionNeed | None = None
    methods_permitted: frozenset[str] | None = None
    anonymous: str | None = None
    anonymous_for_refused: bool = False
    one_slot_is_enough: bool = False
    mint: Mint | None = None
    rewriting: Rewriting | None = None
    sent_fields: tuple[IdentityField, ...] = ()
    answer_fields: tuple[IdentityField, ...] = ()
    answer_removed: frozenset[bytes] = frozenset()
    respond: Responding | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    slot_answers: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)
    log: tuple[tuple[str, Value], ...] = ()
    rate_limit: RateLimit | None = None
    asks: bool = True
    calls: tuple[Call, ...] = ()
    body_first_bytes: int | None = None
    needs_store: bool = False

    @property
    def has_answers(self) -> bool:
        """Whether a refusal may look different here."""
        return bool(self.answers or self.slot_answers)


NO_ROUTE = Route("", NOWHERE)
"""What stands for the route of a request that has none, where what is said of it is the document's."""


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate chain and its key, as files."""

    certificate_file: str
    private_key_file: str


@dataclass(frozen=True, slots=True)
class Listener:
    """An address we listen on. `status_only`: health and metrics, and nothing else. `http2`: besides HTTP/1.1."""

    host: str
    port: int
    tls: Tls | None = None
    status_only: bool = False
    http2: bool = False

    @property
    def protocols(self) -> tuple[str, ...]:
        """What is spoken there, best first, by the names TLS has for it (RFC 7301)."""
        return ("h2", "http/1.1") if self.http2 else ("http/1.1",)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may cost us."""

    request_line_bytes: int = 8 * 1024
    head_bytes: int = 64 * 1024
    fields: int = 100
    head_seconds: float = 10.0
    body_idle_seconds: float = 30.0
    body_least_bytes_per_second: int = 100
    keep_alive_seconds: float = 60.0
    connections: int = 10_000
    streams: int = 100
    requests: int = 4_096
    remembered_outcomes: int = 100_000
    drain_seconds: float = 30.0
    not_ready_lead_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Paths we answer ourselves, on every listener that is not for status only. None: not served.

    `health`: whether `/healthz` is one of them. Many a document has a route of that path, which it keeps.
    """

    health: bool = True
    keys: str | None = "/.well-known/jwks.json"
    metadata: str | None = "/.well-known/openid-configuration"
    keys_max_age_seconds: int = 300


LOG_ATOMS = (
    *("time", "id", "route", "method", "path", "status", "reason", "issuer", "consumer", "client", "ms", "generation"),
    *("host", "scheme", "url", "level"),
)
"""What a line of the access log can say of a request. `url` is without its query."""


@dataclass(frozen=True, slots=True)
class LogShape:
    """What a line of the access log looks like, where that is not our own way.

    `line` is a format (`%`) of its atoms, without the brace that ends it. `refused` are members that only lines of
    refusals and faults have. `custom` is the name under which stands what a route and an answer have it say.
    """

    line: str
    refused: tuple[tuple[str, Value], ...] = ()
    custom: str = "log"


@dataclass(frozen=True, slots=True)
class Sources:
    """What the state is built from. It stays with the supervisor: none of it is sent to a worker.

    `consumers` are those of the document, `consumer_files` those it names (JSON Lines, one consumer a line).
    `master_key` is a reference to the secret that seals what is kept, or that secret. `secret_stores` are those the
    references of this document lead to.
    """

    keys: Mapping[str, KeySource] = field(default_factory=dict)
    introspection: Mapping[str, IntrospectionSource] = field(default_factory=dict)
    consumers: tuple[ConsumerSource, ...] = ()
    consumer_files: tuple[str, ...] = ()
    secret_stores: tuple[SecretStore, ...] = ()
    administration: Administration | None = None
    master_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole document, compiled. `identity_names` are the folded names no client may set on any route.

    `answers` say what refusals look like where no route says so. `profiles` are the signing profiles by name.
    """

    router: Router | ListedRouter
    routes: tuple[Route, ...]
    issuers: Mapping[str, Issuer]
    signing: Mapping[str, SigningKeys]
    listeners: tuple[Listener, ...]
    sources: Sources = Sources()
    profiles: Mapping[str, Issue] = field(default_factory=dict)
    generators: Mapping[str, ClaimGenerator] = field(default_factory=dict)
    iss: str | None = None
    identity_names: frozenset[bytes] = frozenset()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    paths: PathRules = STRICT_PATHS
    refuse_unusual_field_names: bool = True
    trusted_proxies: tuple[str, ...] = ()
    token_limit_bytes: int = 16 * 1024
    own: OwnAddresses = OwnAddresses()
    access_log: LogShape | None = None
    request_id_field: str = "X-Request-Id"
    generation_field: str | None = None
    limits: Limits = Limits()
