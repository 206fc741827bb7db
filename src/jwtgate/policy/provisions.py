"""What the upstream is given once the caller is known: values, tokens of ours, header fields. Compiled and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jwtgate.jose.encoding import JSON
from jwtgate.policy.expression import Expression, KnownExpression
from jwtgate.policy.requirements import ClaimPath, ConsumerName


class Origin(Enum):
    """Where a value comes from."""

    CONSTANT = "constant"
    CLAIM = "claim"
    CLAIMS = "claims"
    CONSUMER = "consumer"
    PERMISSIONS = "permissions"
    EXPRESSION = "expression"
    LANGUAGE = "language"
    FIELD = "header"
    PARAMETER = "path_parameter"
    METHOD = "method"
    HOST = "host"
    PATH = "path"
    CLIENT = "client"
    ID = "id"
    URL = "url"
    ORIGIN = "origin"
    QUERY = "query"
    REFUSAL = "refusal"


_OF_CREDENTIALS = frozenset(
    {Origin.CONSTANT, Origin.CLAIM, Origin.CLAIMS, Origin.CONSUMER, Origin.PERMISSIONS, Origin.REFUSAL}
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value to be found when a request is allowed. Only the members its origin needs are set.

    `path` leads into the claims of a slot's token, or into the record of the consumer (`name`, `id`, `external_id`,
    `groups`, `labels`, `attributes`, and `credential`, the name of the credential the token was made with), or into
    what is said of the refusal an answer words. `language` is an expression of an installed language.
    """

    origin: Origin
    constant: JSON = None
    slot: str = ""
    path: ClaimPath = ()
    field: bytes = b""
    parameter: str = ""
    expression: Expression | None = None
    language: KnownExpression | None = None

    @property
    def of_request(self) -> bool:
        """Whether the request may take part in this value, beyond its credentials."""
        if self.origin is Origin.LANGUAGE:
            return getattr(self.language, "of_request", True)
        return self.origin not in _OF_CREDENTIALS

    @property
    def asks(self) -> bool:
        """Whether working it out may have to wait for something."""
        return self.origin is Origin.LANGUAGE and getattr(self.language, "asks", True)


class Encoding(Enum):
    """How the three parts of an issued token are written. Only the first is RFC 7515."""

    BASE64URL = "base64url"
    BASE64 = "base64"
    BASE64_UNPADDED = "base64-unpadded"


@dataclass(frozen=True, slots=True)
class IssuedHeader:
    """The protected header of an issued token, besides `alg` and `typ`.

    `x5c`, `x5t` and `x5t_s256` show the certificate of the signing key. `x5t_of_hex_text`: the thumbprints are the
    base64url of their own hexadecimal text, as one family of gateways writes them; with `x5t_padded` it is padded.
    """

    kid: bool = True
    extra: tuple[tuple[str, JSON], ...] = ()
    x5c: bool = False
    x5t: bool = False
    x5t_s256: bool = False
    x5t_of_hex_text: bool = False
    x5t_padded: bool = False


class Lifetime(Enum):
    """What the end of an issued token follows from."""

    TTL = "ttl"
    """Its own `ttl_seconds`, within the life of the incoming token."""
    INCOMING = "incoming"
    """The `exp` of the incoming token, shifted by `exp_shift_seconds`; `ttl_seconds` where that has none."""


@dataclass(frozen=True, slots=True)
class ToldConsumer:
    """A consumer a plug-in is told of besides, under this name: the one `value`, behind `prefix`, names."""

    name: str
    value: Value
    by: tuple[ConsumerName, ...]
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """How an issued token is written for a reader that is particular about it.

    `first` are the members of header and claims that stand first. `unsigned_alg`: it has no signature, and this `alg`.
    """

    encoding: Encoding = Encoding.BASE64URL
    first: tuple[str, ...] = ()
    slashes_escaped: bool = False
    exp_in_milliseconds: bool = False
    jti_is_uuid: bool = False
    unsigned_alg: str | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """A token the upstream receives: its claims, its lifetime in seconds, its key, and its place.

    Order of the claims: copied, added where absent, set, generated where absent, removed, and then those that are
    always ours. A signing profile is one of these without a slot and a field, and without
    `reuse`: no two requests are given the same token.

    `audiences` None: that of the incoming token. `omitted`: registered claims of ours that are left out for an
    upstream that cannot take them. `generator` names a plug-in that adds claims, which is told of the consumers in
    `told`, and with `tells_request` of the request. `reuse_margin_seconds`: the same token is sent again until so
    shortly before its `exp`; None: for three quarters of its life.

    `copy_registered`: the incoming token's own registered claims are taken over, and what it lacks is not added; only
    `iss` and `exp` are ours then. `exp_optional`: there is none where the incoming token has none.
    """

    name: str
    slot: str
    key: str
    iss: str
    audiences: tuple[str, ...] | None
    field: bytes = b"X-Jwt-Assertion"
    prefix: str = ""
    typ: str = "JWT"
    header: IssuedHeader = IssuedHeader()
    writing: Writing = Writing()
    ttl_seconds: int = 300
    lifetime: Lifetime = Lifetime.TTL
    exp_shift_seconds: int = 0
    copy_all: bool = False
    copy_registered: bool = False
    exp_optional: bool = False
    copy: tuple[tuple[ClaimPath, str], ...] = ()
    add: tuple[tuple[str, Value], ...] = ()
    set: tuple[tuple[str, Value], ...] = ()
    remove: frozenset[str] = frozenset()
    omitted: frozenset[str] = frozenset()
    generator: str | None = None
    told: tuple[ToldConsumer, ...] = ()
    tells_request: bool = False
    when: Expression | None = None
    may_outlive_incoming_token: bool = False
    reuse: bool = True
    reuse_margin_seconds: int | None = None


class Form(Enum):
    """How a claim that is not a plain string is written into a field value."""

    TEXT = "text"
    JSON = "json"
    BASE64URL = "base64url"
    VISIBLE = "visible"
    """Text for a client: what is visible stands as it is, the percent sign, too."""
    LINES = "lines"
    """The same without blanks at the ends; each element of a list makes a field of its own, no plain value none."""


@dataclass(frozen=True, slots=True)
class IdentityField:
    """A header field that tells the upstream who the caller is. Lists are joined by `separator`."""

    name: bytes
    value: Value
    form: Form = Form.TEXT
    separator: str = ","


@dataclass(frozen=True, slots=True)
class Answer:
    """How a refusal or a fault is answered instead of our own way. What is None is as we would say it.

    A field without a value is none, also if we would have one of that name. `challenge`: with the `WWW-Authenticate`
    that belongs to it. `log`: what the access log says besides. `asking`: the values in it that may need something
    that has to be waited for. `calls`: those of the route that are made first, by name.
    """

    status: int | Value | None = None
    fields: tuple[tuple[bytes, Value], ...] = ()
    body: Value | None = None
    content_type: str | Value = "application/json"
    challenge: bool = True
    log: tuple[tuple[str, Value], ...] = ()
    may_fault_with_401: bool = False
    asking: tuple[Value, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PermissionNeed:
    """The permission a route asks for, by method; `otherwise` for those not named, None: they are refused.

    A value that is the empty text asks for none.
    """

    by_method: tuple[tuple[str, Value], ...] = ()
    otherwise: Value | None = None


class CredentialsOffered(Enum):
    """Whose credentials a request for a token may name."""

    OWN = "own"
    """Those of the consumer who asks."""
    ANY = "any"
    """Those of every consumer."""


class MintedForm(Enum):
    """What a token made with a consumer's credential looks like."""

    FULL = "full"
    """As we would have it: `kid` in its header, `iat` and `jti` among its claims."""
    BARE = "bare"
    """Only `typ` and `alg` in its header; only what was asked for, the name of the credential and `exp` in it."""
    BARE_WITH_PUBLIC_KEY = "bare-with-public-key"
    """As `BARE`, and the PEM text of its public key as `x5c`, where RFC 7515 wants certificates."""


@dataclass(frozen=True, slots=True)
class QueryNames:
    """The query parameters a request for a token is read from; `claims` None: it may ask for no claims."""

    credential: str
    claims: str | None


@dataclass(frozen=True, slots=True)
class Mint:
    """A route that answers with a token of ours instead of forwarding (a sign endpoint).

    `profiles` may be named in a request, and a credential where some are offered. `claims` are the names a request may
    set; None: any that is not the gateway's own. `form` is that of a consumer's token. `by_query`: a request is a GET,
    and its answer the token alone. Limits in seconds and bytes.
    """

    profiles: frozenset[str] = frozenset()
    credentials: CredentialsOffered | None = None
    claims: frozenset[str] | None = frozenset()
    most_ttl_seconds: int = 3600
    most_claims_bytes: int = 4096
    by_query: QueryNames | None = None
    form: MintedForm = MintedForm.FULL
