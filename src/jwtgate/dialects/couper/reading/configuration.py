"""A configuration as it was read: one value a block, checked, with what is inherited already worked out.

What Couper works out while it loads stands here as plain values; what it works out for each request stands as `Text`,
the source of an expression. A label that was not written is None, an attribute that was not is None or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from jwtgate.dialects.couper.reading.error_kinds import BUILT_IN, WILDCARD, lineage


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: lines and columns from 1, `end_column` behind the last character."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        end = f"{self.end_column}" if self.line == self.end_line else f"{self.end_line},{self.end_column}"
        return f"{self.file}:{self.line},{self.column}-{end}"


@dataclass(frozen=True, slots=True)
class Text:
    """The source of an expression, and where it stands."""

    source: str
    place: Place


@dataclass(frozen=True, slots=True)
class Secret:
    """A key or password: its value, and where it came from when that is a file or one environment variable alone."""

    value: bytes = field(repr=False)
    file: Path | None = None
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Edits:
    """The modifiers of a block. Each is an object of an expression, `remove_*` a list."""

    set_request_headers: Text | None = None
    add_request_headers: Text | None = None
    remove_request_headers: Text | None = None
    set_query_params: Text | None = None
    add_query_params: Text | None = None
    remove_query_params: Text | None = None
    set_form_params: Text | None = None
    add_form_params: Text | None = None
    remove_form_params: Text | None = None
    set_response_headers: Text | None = None
    add_response_headers: Text | None = None
    remove_response_headers: Text | None = None
    set_response_status: Text | None = None


@dataclass(frozen=True, slots=True)
class Backend:
    """A `backend`, with what an inline block adds to the one it names already merged. Durations in seconds.

    `label` is that of the definition, None for an inline block without; `key` tells two apart that differ.
    """

    key: str
    place: Place
    label: str | None = None
    origin: Text | None = None
    hostname: Text | None = None
    path: Text | None = None
    path_prefix: Text | None = None
    basic_auth: Text | None = None
    connect_timeout: float = 10.0
    ttfb_timeout: float = 60.0
    timeout: float = 300.0
    max_connections: int = 0
    disable_certificate_validation: bool = False
    disable_connection_reuse: bool = False
    http2: bool = False
    edits: Edits = Edits()
    custom_log_fields: Text | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """A `proxy`; `name` is `default` for one without a label."""

    name: str
    place: Place
    url: Text | None = None
    backend: Backend | None = None
    expected_status: tuple[int, ...] = ()
    edits: Edits = Edits()


@dataclass(frozen=True, slots=True)
class Request:
    """A `request`; `name` is `default` for one without a label."""

    name: str
    place: Place
    url: Text | None = None
    backend: Backend | None = None
    method: Text | None = None
    headers: Text | None = None
    query_params: Text | None = None
    body: Text | None = None
    json_body: Text | None = None
    form_body: Text | None = None
    expected_status: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """A `response`. `file`: the text in it is the body."""

    place: Place
    status: Text | None = None
    headers: Text | None = None
    body: Text | None = None
    json_body: Text | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class ErrorHandler:
    """An `error_handler`: the kinds of errors it is for (`*`: any), and what it does."""

    kinds: tuple[str, ...]
    place: Place
    proxies: tuple[Proxy, ...] = ()
    requests: tuple[Request, ...] = ()
    response: Response | None = None
    edits: Edits = Edits()
    custom_log_fields: Text | None = None
    error_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ErrorHandlers:
    """The handlers that may be chosen, by kind, on each level: that of the endpoint before that of its api."""

    levels: tuple[Mapping[str, ErrorHandler], ...] = ()

    def for_kind(self, kind: str) -> ErrorHandler | None:
        """The handler for an error of this kind: on the first level that has one, its own, its parents', any."""
        names = (*lineage(kind), WILDCARD)
        return next((level[name] for level in self.levels for name in names if name in level), None)


class Source(Enum):
    """Where a `jwt` finds its token."""

    BEARER = "bearer"
    DPOP = "beta_dpop"
    COOKIE = "cookie"
    HEADER = "header"
    VALUE = "token_value"


@dataclass(frozen=True, slots=True)
class SigningProfile:
    """A `jwt_signing_profile`. `ttl` in seconds; `key` is the secret or the private key in PEM."""

    label: str
    place: Place
    signature_algorithm: str
    key: Secret
    ttl: float
    claims: Text | None = None
    headers: Text | None = None


@dataclass(frozen=True, slots=True)
class Introspection:
    """A `beta_introspection`. `ttl` in seconds; `profile` has an empty label."""

    place: Place
    endpoint: str
    ttl: float
    client_id: str
    client_secret: Secret | None = None
    endpoint_auth_method: str = "client_secret_basic"
    profile: SigningProfile | None = None
    backend: Backend | None = None


@dataclass(frozen=True, slots=True)
class Jwt:
    """A `jwt`. Durations in seconds. Either `signature_algorithm` and `key` are there, or `jwks_url` is.

    `source_name` is the cookie or the header field; `jwks_url` an URL, or the absolute path of a file in `jwks_file`.
    `signing_key` is the private key, or for HS* the same as `key`, and only there if `signing_ttl` is.
    """

    label: str
    place: Place
    source: Source = Source.BEARER
    source_name: str = ""
    token_value: Text | None = None
    signature_algorithm: str | None = None
    key: Secret | None = None
    jwks_url: str | None = None
    jwks_file: Path | None = None
    jwks_ttl: float = 3600.0
    jwks_max_stale: float = 3600.0
    backend: Backend | None = None
    claims: Text | None = None
    required_claims: tuple[str, ...] = ()
    permissions_claim: str | None = None
    permissions_map: Mapping[str, tuple[str, ...]] | None = None
    roles_claim: str | None = None
    roles_map: Mapping[str, tuple[str, ...]] | None = None
    signing_key: Secret | None = None
    signing_ttl: float | None = None
    disable_private_caching: bool = False
    custom_log_fields: Text | None = None
    introspection: Introspection | None = None
    error_handlers: ErrorHandlers = ErrorHandlers()

    @property
    def is_bearer(self) -> bool:
        """Whether Couper itself answers the errors of this one with a challenge."""
        return self.source in (Source.BEARER, Source.DPOP)

    def handler_for(self, kind: str) -> ErrorHandler | None:
        """The handler for an error of this kind; None: the answer and the challenge that are built in."""
        own = {name for level in self.error_handlers.levels for name in level}
        if self.is_bearer and kind in BUILT_IN and not own & {kind, WILDCARD}:
            return None
        return self.error_handlers.for_kind(kind)


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A `basic_auth` with one user and a password."""

    label: str
    place: Place
    user: str
    password: Secret
    realm: str | None = None
    custom_log_fields: Text | None = None
    error_handlers: ErrorHandlers = ErrorHandlers()


AccessControl = Jwt | BasicAuth


@dataclass(frozen=True, slots=True)
class Cors:
    """A `cors`. `max_age` in seconds; no origins: switched off here."""

    place: Place
    allowed_origins: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: float | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An `endpoint`. `path` has the base paths of its server and api before it.

    `access_control` is what holds here: labels from server to endpoint, without the disabled ones.
    `required_permission`, `allowed_methods`, `error_file`, `cors` are its own or those inherited. `custom_log_fields`
    is the server's, the api's and its own, in this order. `edits` are its own: those of server and api apply after.
    """

    pattern: str
    path: str
    place: Place
    access_control: tuple[str, ...] = ()
    allowed_methods: tuple[str, ...] | None = None
    required_permission: Text | None = None
    request_body_limit: int = 64 * 1024 * 1024
    error_file: Path | None = None
    error_handlers: ErrorHandlers = ErrorHandlers()
    proxies: tuple[Proxy, ...] = ()
    requests: tuple[Request, ...] = ()
    response: Response | None = None
    edits: Edits = Edits()
    custom_log_fields: tuple[Text, ...] = ()
    cors: Cors | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """An `api`. `base_path` has that of its server before it; `access_control` holds for unknown paths in it too."""

    label: str | None
    place: Place
    base_path: str = "/"
    endpoints: tuple[Endpoint, ...] = ()
    access_control: tuple[str, ...] = ()
    error_file: Path | None = None
    edits: Edits = Edits()
    custom_log_fields: tuple[Text, ...] = ()
    cors: Cors | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A `server`. `hosts` as written, with `:port` where one is; no host: any.

    `files` and `spas` are such blocks in it: servers of their own, whose endpoints are pages.
    """

    label: str | None
    place: Place
    hosts: tuple[str, ...] = ()
    base_path: str = "/"
    apis: tuple[Api, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    access_control: tuple[str, ...] = ()
    error_file: Path | None = None
    edits: Edits = Edits()
    custom_log_fields: tuple[Text, ...] = ()
    cors: Cors | None = None
    files: tuple[Server, ...] = ()
    spas: tuple[Server, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingsBlock:
    """The `settings` that were written, by name; nothing is filled in."""

    values: Mapping[str, object]
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Configuration:
    """All of it. `environ` is what `env.X` means, defaults included; `warnings` are for the log at the start.

    `files` are those it was made from besides: keys, maps, pages.
    """

    servers: tuple[Server, ...]
    access_controls: Mapping[str, AccessControl]
    profiles: Mapping[str, SigningProfile]
    backends: Mapping[str, Backend]
    settings: SettingsBlock
    environ: Mapping[str, str] = field(repr=False)
    environment: str | None = None
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
