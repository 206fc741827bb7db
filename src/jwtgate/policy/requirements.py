"""What is asked of a credential: where it may stand, who must have signed it, and what it must say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from jwtgate.jose.encoding import JSON

if TYPE_CHECKING:
    from jwtgate.policy.provisions import Value

ClaimPath = tuple[str | int, ...]
"""Where a claim lies: object members by name, list elements by index."""


class Comparison(Enum):
    """What a claim rule asks of the value it finds."""

    PRESENT = "present"
    EQUALS = "equals"
    ONE_OF = "one_of"
    CONTAINS = "contains"
    ANY_OF = "any_of"
    MATCHES = "matches"


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """One rule about one claim. `wanted` are the values allowed; `pattern` replaces them for `MATCHES`.

    `if_present`: a claim that is not there satisfies the rule.
    """

    path: ClaimPath
    comparison: Comparison
    wanted: tuple[JSON, ...] = ()
    pattern: Callable[[str], bool] | None = None
    if_present: bool = False


@dataclass(frozen=True, slots=True)
class TimeClaims:
    """Where a token holds its times. None: that one is not looked at. `auth_time` goes with `iat`."""

    exp: ClaimPath | None = ("exp",)
    nbf: ClaimPath | None = ("nbf",)
    iat: ClaimPath | None = ("iat",)
    nbf_required: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """What is asked of a token's times, in seconds. None: not limited.

    `max_remaining_seconds`: how far ahead of us `exp` may lie. `held_in` None: where RFC 7519 has them.
    `exp_zero_is_none`: an `exp` of 0 is none at all.
    """

    leeway_seconds: int = 30
    exp_required: bool = True
    max_age_seconds: int | None = None
    max_lifetime_seconds: int | None = None
    max_remaining_seconds: int | None = None
    held_in: TimeClaims | None = None
    exp_zero_is_none: bool = False


@dataclass(frozen=True, slots=True)
class Introspection:
    """How an answer about an opaque token is read and checked (RFC 7662 section 2.2).

    `moved` says where the answer holds what a JWT holds under a registered name. `jwt_claim`: the answer carries a
    JWT there whose claims stand for it; with `inner_unchecked` they do so without being looked at, and every check is
    made of the answer itself. `active_kept`: that the token is active is a claim of it.
    """

    times: Times = Times(exp_required=False)
    audiences: frozenset[str] | None = None
    moved: tuple[tuple[str, ClaimPath], ...] = ()
    jwt_claim: ClaimPath | None = None
    rules: tuple[ClaimRule, ...] = ()
    hint: str | None = "access_token"
    inner_unchecked: bool = False
    active_kept: bool = False


@dataclass(frozen=True, slots=True)
class CredentialLookup:
    """What names the consumer's credential a token is made with: a claim, else a parameter of its header.

    `api_key`: neither. What is presented is no token but the API key of a consumer. `base64`: a secret is text that
    has to be decoded first.
    """

    claim: ClaimPath | None = None
    header: str | None = None
    api_key: bool = False
    base64: bool = False


@dataclass(frozen=True, slots=True)
class Grants:
    """How claims become permissions.

    `permissions` and `roles` are the claims that hold them; `of_role` what a role grants, `*` standing for any role;
    `implied` what a permission grants besides itself, applied again to what it adds.
    """

    permissions: ClaimPath | None = None
    roles: ClaimPath | None = None
    of_role: Mapping[str, tuple[str, ...]] | None = None
    implied: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs the tokens we accept, and what every one of their tokens must satisfy.

    `types` empty: any `typ`. `audiences` None: the document says in words that any audience will do. `local_keys`: the
    document holds the keys itself. `credentials`: the tokens are made by consumers, each with the keys and the
    algorithms of its own credential. `iss` None: it is not looked at. `signature_unverified`: nor is the signature.
    `keys_again`: the keys are fetched again when none of them made a signature. `keys_by_kid_alone`: a token without a
    `kid` was made with the first key that has none. `malformed_is_absent`: a registered claim that is no text is as if
    it were not there.
    """

    name: str
    iss: str | None
    algorithms: frozenset[str]
    audiences: frozenset[str] | None
    types: frozenset[str] = frozenset()
    type_optional: bool = False
    times: Times = Times()
    rules: tuple[ClaimRule, ...] = ()
    keys_tried_without_kid: int = 1
    local_keys: bool = False
    refuse_header_addresses: bool = False
    signature_unverified: bool = False
    keys_again: bool = False
    keys_by_kid_alone: bool = False
    malformed_is_absent: bool = False
    credentials: CredentialLookup | None = None
    introspection: Introspection | None = None
    grants: Grants | None = None

    @property
    def takes_api_keys(self) -> bool:
        """Whether what it takes is no token at all."""
        return self.credentials is not None and self.credentials.api_key


class Place(Enum):
    """Where in a request a credential may stand."""

    AUTHORIZATION = "authorization"
    DPOP = "dpop"
    """`Authorization`, too, of the scheme `DPoP` (RFC 9449 section 7.1)."""
    FIELD = "header"
    COOKIE = "cookie"
    QUERY = "query"
    VALUE = "value"
    """Nowhere by itself: a value of the document finds it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One place a slot looks at. `name` is the field (lower case), cookie or parameter.

    `prefixes` stand before the credential in a field, one of them; the first that fits is taken off, with
    `blanks_after_prefix` together with any blanks behind it. A field with none of them holds no credential.
    `decoded`: what stands in the query is percent-decoded, which no token needs. `scheme` (lower case): of
    `Authorization`, everything after it, where None takes a bearer token and nothing else.
    """

    place: Place
    name: str = "authorization"
    prefixes: tuple[str, ...] = ("",)
    blanks_after_prefix: bool = False
    decoded: bool = False
    scheme: bytes | None = None
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class ScopeNeed:
    """The scope a slot asks for: all of one set, and all of at least one of others. Where there is none, nothing."""

    path: ClaimPath = ("scope",)
    all_of: frozenset[str] = frozenset()
    any_of: tuple[frozenset[str], ...] = ()


class ConsumerName(Enum):
    """What a consumer may be found by."""

    NAME = "name"
    EXTERNAL_ID = "external_id"
    ID = "id"


@dataclass(frozen=True, slots=True)
class ConsumerMapping:
    """Which claims name the consumer, and what they name it by; both are tried in order.

    `numbers`: a whole number counts as the text of its digits.
    """

    paths: tuple[ClaimPath, ...]
    by: tuple[ConsumerName, ...] = (ConsumerName.EXTERNAL_ID, ConsumerName.NAME)
    required: bool = True
    numbers: bool = False


class Introspect(Enum):
    """Which tokens of a slot its introspecting issuer is asked about."""

    OPAQUE = "opaque"
    """Those that are no JWT; a JWT is verified by its signature."""
    ALWAYS = "always"
    """Every token, in place of its signature."""
    ADDITIONALLY = "additionally"
    """Every token; a JWT after its signature and its claims held."""
    JWT_ADDITIONALLY = "jwt_additionally"
    """The same, and what is no JWT is no token."""


@dataclass(frozen=True, slots=True)
class Dpop:
    """What is asked of the proof that comes with a token bound to a key (RFC 9449 section 4.3).

    `algorithms` are in the order in which a challenge names them. Its `iat` lies at most `most_age_seconds` from now.
    `replayed`: the same proof is taken as often as it comes. `ec_called_ecdsa`: an EC key may say so of its type.
    `nonce_seconds`: it carries a nonce of ours, which changes so often; None: it need not.
    """

    algorithms: tuple[str, ...]
    most_age_seconds: int = 60
    replayed: bool = False
    ec_called_ecdsa: bool = False
    nonce_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A named place for one credential of a route. `audiences` None: the issuer's own rule holds.

    `issuers` are by their `iss`; `any_iss` takes the tokens of all others, `by_credential` those of consumers, and
    `introspector` is asked about tokens as `introspect` says. `introspected` stands for this slot wherever something
    is asked of a token that nothing but the word of its issuer proves. `original_field` carries the credential itself
    to the upstream. Two ways of some gateways: with `first_source_wins` the first source that holds something decides,
    with `equal_tokens_count_once` the same token in several places is one. `dpop`: the token is bound to a key, and a
    proof that the caller holds that key comes with it. `empty_is_absent`: an empty credential is none.
    `claims_equal`: an object whose members the token must have as claims.
    """

    name: str
    required: bool
    sources: tuple[Source, ...]
    issuers: Mapping[str, Issuer]
    audiences: frozenset[str] | None = None
    rules: tuple[ClaimRule, ...] = ()
    scope: ScopeNeed | None = None
    any_iss: Issuer | None = None
    by_credential: Issuer | None = None
    introspector: Issuer | None = None
    introspect: Introspect = Introspect.OPAQUE
    consumer: ConsumerMapping | None = None
    original_field: bytes | None = None
    first_source_wins: bool = False
    equal_tokens_count_once: bool = False
    empty_is_absent: bool = False
    claims_equal: Value | None = None
    introspected: Slot | None = None
    dpop: Dpop | None = None

    @property
    def looks_at_known(self) -> bool:
        """Whether a value takes part in it, which may look at the tokens of the slots before."""
        if self.claims_equal is not None:
            return True
        for source in self.sources:  # noqa: SIM110 - asked of every slot of every request
            if source.value is not None:
                return True
        return False
