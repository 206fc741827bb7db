"""Where things come from: keys, secrets, answers about tokens, consumers.

Read by `state/` alone, and never sent to a worker.
Text that may be secret stands here as the document has it: a reference, or the secret itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from jwtgate.jose.encoding import JSON
from jwtgate.policy.callers import Consumer


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
    guessable_secret_allowed_for_legacy_credential: bool = False


@dataclass(frozen=True, slots=True)
class Fetching:
    """How something is fetched: time limits in seconds, what is trusted, and what is allowed."""

    connect_seconds: float = 2
    total_seconds: float = 5
    ca_file: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    insecure_http: bool = False
    private_addresses_refused: bool = False


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where one issuer's keys come from: kept here (`local`), a JWK Set address, or discovery. Times in seconds.

    A `discovery` address is that of the metadata document; empty means both usual addresses of `iss` are tried. A set
    is used until `max_stale_seconds` after it was fetched. `use_required`: a key must say that it is for signatures.
    `serves_every_algorithm`: one that names none serves each of `algorithms` that fits. `first_of_a_kid`: of different
    keys under one `kid` the first is meant.
    `unusable_skipped`: an entry that cannot be used is left out of a local set too; with `empty_set_allowed` all may
    be, and what has no entries is a set. `refreshed_early`: fetched again somewhat before `refresh_seconds` are over,
    so that many nodes do not ask as one. `saved`: kept on disk. `required_at_start`: nobody starts without. `fields`
    are sent to `url`, and what it answers may call itself a page where `any_media_type` will do. `certificates_first`:
    of an entry with certificates the key in the first of them counts.
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
    fetching: Fetching = Fetching()
    empty_set_allowed: bool = False
    fetched_for_unknown_kid: bool = True
    use_required: bool = False
    serves_every_algorithm: bool = False
    first_of_a_kid: bool = False
    unusable_skipped: bool = False
    any_media_type: bool = False
    certificates_first: bool = False
    refreshed_early: bool = True
    saved: bool = True
    required_at_start: bool = False
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_certificate_file: str | None = None
    client_key_file: str | None = None


@dataclass(frozen=True, slots=True)
class KeysAddress:
    """Where the keys of a consumer's credential are published, and who we are there. Times in seconds."""

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_certificate_file: str | None = None
    client_key_file: str | None = None
    refresh_seconds: float = 300
    ca_file: str | None = None
    insecure_http: bool = False

    def source(self, alg: str) -> KeySource:
        """The keys of this algorithm. Credentials that say the same of their address share one source."""
        return KeySource(
            issuer=self.url,
            iss="",
            algorithms=frozenset({alg}),
            url=self.url,
            refresh_seconds=self.refresh_seconds,
            fetching=Fetching(ca_file=self.ca_file, insecure_http=self.insecure_http),
            username=self.username,
            password=self.password,
            client_certificate_file=self.client_certificate_file,
            client_key_file=self.client_key_file,
        )


class ClientAuth(Enum):
    """How we prove who we are to an introspection endpoint (RFC 7662 section 2.1, RFC 7523)."""

    NONE = "none"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    SECRET_JWT = "client_secret_jwt"  # noqa: S105 - the name of a method
    PRIVATE_KEY_JWT = "private_key_jwt"
    AUTHORIZATION = "authorization"
    """A literal value of the `Authorization` field."""


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """How the token we prove ourselves with differs from the usual one (RFC 7523).

    `claims` and `header` are said besides; an `aud` of theirs replaces ours. `weak_secret`: any secret will do.
    """

    lifetime_seconds: int = 60
    claims: Mapping[str, JSON] = field(default_factory=dict)
    header: Mapping[str, JSON] = field(default_factory=dict)
    jti_prefix: str = ""
    aud_left_out: bool = False
    weak_secret: bool = False


@dataclass(frozen=True, slots=True)
class IntrospectionSource:
    """Where an issuer is asked about tokens (RFC 7662). Times in seconds.

    `endpoint` None: from the issuer's metadata document, found as for its keys. `signed`: only answers signed with the
    issuer's keys are taken (RFC 9701). `attempts` counts the first. `unknown_fails`: an answer of an unknown shape is
    none. `cache_control_unread`: what an answer says of keeping it is not looked at.
    """

    issuer: str
    iss: str | None
    endpoint: str | None = None
    discovery: str | None = None
    auth: ClientAuth = ClientAuth.BASIC
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    client_key: KeyText | None = None
    client_assertion_alg: str | None = None
    client_assertion: ClientAssertion = ClientAssertion()
    authorization: str | None = field(default=None, repr=False)
    hint_parameter: str = "token_type_hint"
    body: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    signed: bool = False
    signed_algorithms: frozenset[str] = frozenset()
    cache_seconds: float = 60
    negative_cache_seconds: float = 5
    stale_if_error_seconds: float = 0
    attempts: int = 1
    most_in_flight: int = 64
    unknown_fails: bool = False
    cache_control_unread: bool = False
    fetching: Fetching = Fetching()


@dataclass(frozen=True, slots=True)
class ClaimGenerator:
    """A plug-in that adds claims, and what it is given when it is made; None: nothing."""

    name: str
    plug_in: str
    given: Mapping[str, JSON] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CredentialSource:
    """One credential of a consumer as it is kept.

    `key` verifies: a secret, or a public key, certificate or JWK Set; or else what `address` publishes does.
    `private_key` signs where `key` cannot.
    `ttl_seconds` is the life of tokens minted with it. `named` is what it is found by, None: its name. `refers` is a
    text whose references lead to that instead. An API key has no `alg`, and is found by its `api_key_name`; `claims` is
    what it says of its caller.
    """

    name: str
    id: str
    consumer: str
    alg: str
    key: KeyText | None = None
    private_key: KeyText | None = None
    leeway_seconds: int | None = None
    ttl_seconds: int = 86400
    key_claim: str = "key"
    labels: Mapping[str, str] = field(default_factory=dict)
    named: str | None = None
    refers: str | None = field(default=None, repr=False)
    is_api_key: bool = False
    may_wait: bool = False
    claims: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    address: KeysAddress | None = None


@dataclass(frozen=True, slots=True)
class ConsumerSource:
    """One consumer as it is kept, with its credentials."""

    consumer: Consumer
    credentials: tuple[CredentialSource, ...] = ()


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """A named set of our own signing keys: one active at a time, made with this algorithm on first use.

    With `file`, `url`, `secret`, `jwks` or `pem` the keys are somebody else's to make; of a JWK Set the first that fits
    `alg` signs. `certificate_file` holds the certificate of a key from a file. `rotate_seconds`: how long each signs.
    `published`: shown in our JWK Set. `signs_any_claims`: expressions may have it sign what they say.
    """

    name: str
    alg: str = "ES256"
    file: str | None = None
    url: str | None = None
    secret: KeyText | None = None
    jwks: KeyText | None = None
    pem: KeyText | None = None
    certificate_file: str | None = None
    rotate_seconds: int | None = None
    refresh_seconds: float = 300
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_certificate_file: str | None = None
    client_key_file: str | None = None
    fetching: Fetching = Fetching()
    published: bool = True
    signs_any_claims: bool = False


@dataclass(frozen=True, slots=True)
class SecretStore:
    """Somewhere secrets are kept: `kind` is `vault`, `aws` or `gcp`, `settings` what that kind needs.

    Members of `settings` that are secret themselves may be references to the environment or a file.
    """

    name: str
    kind: str
    settings: Mapping[str, JSON] = field(repr=False)
    refresh_seconds: float = 300
    max_stale_seconds: float = 7 * 24 * 3600
    may_be_away: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may use the Admin API: known by the SHA-256 of a token (hexadecimal), or by a client certificate."""

    name: str
    token_sha256: str | None = None
    certificate_subject: str | None = None
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class Administration:
    """Where the Admin API listens and who may use it."""

    host: str
    port: int
    operators: tuple[Operator, ...]
    certificate_file: str | None = None
    private_key_file: str | None = None
    client_ca_file: str | None = None
    page: bool = True
