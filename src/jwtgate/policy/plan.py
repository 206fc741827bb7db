"""What a document means: routes, slots, issuers and requirements, compiled and frozen.

A request only ever meets these values. They hold names and rules, never key material or secrets, so a plan
can be printed, compared, and sent to another process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from jwtgate.jose.encoding import JSON
from jwtgate.policy.request import STRICT_PATHS, PathRules

if TYPE_CHECKING:
    from jwtgate.policy.match import Router

ClaimPath = tuple[str | int, ...]
"""Where a claim lies: object members by name, list elements by index."""


class Comparison(Enum):
    """What a claim rule asks of the value it finds."""

    PRESENT = "present"
    EQUALS = "equals"
    ONE_OF = "one_of"
    CONTAINS = "contains"
    MATCHES = "matches"


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """One rule about one claim. `wanted` are the values allowed; `pattern` replaces them for `MATCHES`."""

    path: ClaimPath
    comparison: Comparison
    wanted: tuple[JSON, ...] = ()
    pattern: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """What is asked of a token's times, in seconds. None: not limited."""

    leeway_seconds: int = 30
    exp_required: bool = True
    max_age_seconds: int | None = None
    max_lifetime_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs the tokens we accept, and what every one of their tokens must satisfy.

    `types` empty: any `typ`. `audiences` None: the document says in words that any audience will do. `local_keys`: the
    document holds the keys itself.
    """

    name: str
    iss: str
    algorithms: frozenset[str]
    audiences: frozenset[str] | None
    types: frozenset[str] = frozenset()
    type_optional: bool = False
    times: Times = Times()
    rules: tuple[ClaimRule, ...] = ()
    keys_tried_without_kid: int = 1
    local_keys: bool = False
    refuse_header_addresses: bool = False


class Place(Enum):
    """Where in a request a credential may stand."""

    AUTHORIZATION = "authorization"
    FIELD = "header"
    COOKIE = "cookie"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Source:
    """One place a slot looks at. `name` is the field (lower case), cookie or parameter."""

    place: Place
    name: str = "authorization"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ScopeNeed:
    """The scope a slot asks for: all of one set, and at least one of another. Empty sets ask nothing."""

    path: ClaimPath = ("scope",)
    all_of: frozenset[str] = frozenset()
    any_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Slot:
    """A named place for one credential of a route. `audiences` None: the issuer's own rule holds."""

    name: str
    required: bool
    sources: tuple[Source, ...]
    issuers: Mapping[str, Issuer]
    audiences: frozenset[str] | None = None
    rules: tuple[ClaimRule, ...] = ()
    scope: ScopeNeed | None = None


class Origin(Enum):
    """Where a value for the upstream comes from."""

    CONSTANT = "constant"
    CLAIM = "claim"
    CLAIMS = "claims"
    FIELD = "header"
    METHOD = "method"
    HOST = "host"
    PATH = "path"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Value:
    """A value to be found when a request is allowed. Only the members its origin needs are set."""

    origin: Origin
    constant: JSON = None
    slot: str = ""
    path: ClaimPath = ()
    field: bytes = b""

    @property
    def of_request(self) -> bool:
        """Whether the request takes part in this value, beyond its credentials."""
        return self.origin in (Origin.FIELD, Origin.METHOD, Origin.HOST, Origin.PATH, Origin.CLIENT)


@dataclass(frozen=True, slots=True)
class Issue:
    """A token the upstream receives: its claims, its lifetime in seconds, its key, and its place.

    Order of the claims: copied, added where absent, set, removed, and then those that are always ours.
    """

    name: str
    slot: str
    key: str
    iss: str
    audiences: tuple[str, ...]
    field: bytes = b"X-Jwt-Assertion"
    prefix: str = ""
    typ: str = "JWT"
    ttl_seconds: int = 300
    copy_all: bool = False
    copy: tuple[tuple[ClaimPath, str], ...] = ()
    add: tuple[tuple[str, Value], ...] = ()
    set: tuple[tuple[str, Value], ...] = ()
    remove: frozenset[str] = frozenset()
    may_outlive_incoming_token: bool = False
    reuse: bool = True


class Form(Enum):
    """How a claim that is not a plain string is written into a field value."""

    TEXT = "text"
    JSON = "json"
    BASE64URL = "base64url"


@dataclass(frozen=True, slots=True)
class IdentityField:
    """A header field that tells the upstream who the caller is. Lists are joined by `separator`."""

    name: bytes
    value: Value
    form: Form = Form.TEXT
    separator: str = ","


@dataclass(frozen=True, slots=True)
class Target:
    """One address of an upstream."""

    host: str
    port: int
    tls: bool
    authority: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where allowed requests go, with the time limits of the way there, in seconds."""

    name: str
    targets: tuple[Target, ...]
    preserve_host: bool = False
    connect_seconds: float = 2.0
    first_byte_seconds: float = 30.0
    idle_seconds: float = 60.0
    keep_alive_seconds: float = 30.0
    most_idle_connections: int = 128
    ca_file: str | None = None
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """What a request is matched to. `removed_*` name every place this route's credentials come from.

    `upgrade_origins`: the pages (RFC 6454) that may open a WebSocket here; None: any. `close_on_expiry`: a WebSocket
    ends with the token that opened it.
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
    upgrade: bool = False
    upgrade_origins: frozenset[bytes] | None = None
    close_on_expiry: bool = False
    request_seconds: float | None = None
    body_limit_bytes: int = 10 * 1024 * 1024
    private_responses: bool = True
    forward_cors_preflight: bool = False


@dataclass(frozen=True, slots=True)
class KeyText:
    """Key material of ours to be read while the state is built: a file, or a value that may be a reference.

    `text` is a PEM, a JWK or a JWK Set as the document gives it, or a `${...}` reference to one. With `alg` set
    to a MAC algorithm it is a secret instead, `base64url` telling how it is written.
    """

    file: str | None = None
    text: str | None = field(default=None, repr=False)
    alg: str | None = None
    kid: str | None = None
    base64url: bool = False
    short_secret_allowed_for_legacy_credential: bool = False


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where one issuer's keys come from: kept here (`local`), a JWK Set address, or discovery. Times in seconds.

    A `discovery` address is that of the metadata document; empty means both usual addresses of `iss` are tried.
    """

    issuer: str
    iss: str
    algorithms: frozenset[str]
    local: tuple[KeyText, ...] = ()
    url: str | None = None
    discovery: str | None = None
    refresh_seconds: float = 300
    max_stale_seconds: float = 24 * 3600
    least_interval_seconds: float = 30
    connect_seconds: float = 2
    total_seconds: float = 5
    ca_file: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    insecure_http: bool = False
    private_addresses_refused: bool = False
    empty_set_allowed: bool = False


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """A named set of our own signing keys: one active at a time, made with this algorithm on first use."""

    name: str
    alg: str = "ES256"


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate chain and its key, as files."""

    certificate_file: str
    private_key_file: str


@dataclass(frozen=True, slots=True)
class Listener:
    """An address we listen on. `status_only`: health and metrics, and nothing else."""

    host: str
    port: int
    tls: Tls | None = None
    status_only: bool = False


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
    remembered_outcomes: int = 100_000
    drain_seconds: float = 30.0
    not_ready_lead_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Paths we answer ourselves, on every listener that is not for status only. None: not served."""

    keys: str | None = "/.well-known/jwks.json"
    metadata: str | None = "/.well-known/openid-configuration"
    keys_max_age_seconds: int = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole document, compiled. `identity_names` are the folded names no client may set on any route.

    `master_key` is a reference to the secret that seals our keys where they are kept, or that secret.
    """

    router: Router
    routes: tuple[Route, ...]
    issuers: Mapping[str, Issuer]
    key_sources: Mapping[str, KeySource]
    signing: Mapping[str, SigningKeys]
    listeners: tuple[Listener, ...]
    iss: str | None = None
    master_key: str | None = field(default=None, repr=False)
    identity_names: frozenset[bytes] = frozenset()
    paths: PathRules = STRICT_PATHS
    refuse_unusual_field_names: bool = True
    trusted_proxies: tuple[str, ...] = ()
    token_limit_bytes: int = 16 * 1024
    own: OwnAddresses = OwnAddresses()
    limits: Limits = Limits()
