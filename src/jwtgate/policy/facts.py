"""What a decision may look up without waiting, and what it asks for when that is not enough.

`Facts` is a snapshot in memory. A room that misses something yields a `Need` and goes on with the answer; one
that cannot be had is thrown into the walk as a `DependencyFault`. The loose typing of generator replies is
confined to the look-ups of this file.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from jwtgate.errors import DependencyFault, TokenRefused
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.calls.call import Called, NeedCall
from jwtgate.policy.provisions import Issue
from jwtgate.policy.requirements import ConsumerName, Issuer
from jwtgate.policy.revocations import Revocations


@dataclass(frozen=True, slots=True)
class NeedKeys:
    """The key set of an issuer, fetched again if it does not hold this `kid`. Answered by a `KeySet`.

    `distrusted`: it holds keys for it, none of which made a signature; fetched again all the same, if that may be.
    """

    issuer: str
    kid: str | None
    client: str = ""
    distrusted: bool = False


@dataclass(frozen=True, slots=True)
class NeedIssuedToken:
    """A token with these claims, signed. Answered by an `IssuedToken`.

    `not_after` bounds its `exp`; `incoming_exp` is that of the token it is made from. NumericDates.
    """

    issue: Issue
    claims: Mapping[str, JSON]
    not_after: int | None
    incoming_exp: int | None = None


@dataclass(frozen=True, slots=True)
class NeedCredential:
    """The consumers' credential of this name. Answered by a `Credential`, or None when there is none."""

    name: str


@dataclass(frozen=True, slots=True)
class NeedNewerCredential:
    """The consumers' credential of this name, its keys fetched again if they do not hold this `kid`.

    Answered by a `Credential`, or None when there is none or nothing newer is to be had yet.
    """

    name: str
    kid: str | None
    client: str = ""


@dataclass(frozen=True, slots=True)
class NeedConsumer:
    """The consumer known so; the names are tried in order. Answered by a `Consumer`, or None."""

    by: tuple[ConsumerName, ...]
    value: str


@dataclass(frozen=True, slots=True)
class NeedIntrospection:
    """What the issuer says of this token (RFC 7662). Answered by an `Introspected`."""

    issuer: str
    token: str = field(repr=False)
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class NeedClaims:
    """The claims a plug-in adds to a token, from what is known of the caller. Answered by a mapping."""

    generator: str
    context: Mapping[str, JSON] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NeedAllowance:
    """Leave to make one more request, of so many within a window. Answered by an `Allowance`; each asking counts.

    `counted` names what is counted together; `owner` the route or consumer whose limit it is.
    """

    owner: str
    counted: str
    requests: int
    window_seconds: int


@dataclass(frozen=True, slots=True)
class NeedSigned:
    """A token with exactly this header and these claims, for an expression. Answered by its compact text.

    `key` names our signing key; its algorithm is the `alg` whatever the header says, and a `typ` that is not there is
    `JWT`.
    """

    key: str
    header: Mapping[str, JSON] = field(repr=False)
    claims: Mapping[str, JSON] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NeedFirstUse:
    """Whether this is new to everybody here, and noted from now on for so many seconds. Answered by true or false.

    `owner` is whose it is: what is kept is bounded for each owner and for all of them together.
    """

    owner: str
    used: str
    seconds: int


@dataclass(frozen=True, slots=True)
class NeedNonces:
    """The nonces a proof may carry, which change every so many seconds. Answered by two texts, the newest first."""

    seconds: int


Need = (
    NeedKeys
    | NeedIssuedToken
    | NeedSigned
    | NeedFirstUse
    | NeedNonces
    | NeedCredential
    | NeedNewerCredential
    | NeedConsumer
    | NeedIntrospection
    | NeedClaims
    | NeedAllowance
    | NeedCall
)

Answer = TypeVar("Answer")
Steps = Generator[Need, Any, Answer]


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token of ours in compact form. It may be handed out again until `reuse_until` (NumericDate)."""

    text: str = field(repr=False)
    reuse_until: int


@dataclass(frozen=True, slots=True)
class Introspected:
    """An issuer's answer about a token: whether it is active, and its members.

    It may be used again before `until`; what is made from it must end by `vouched_until`, if that is set. NumericDates.
    """

    active: bool
    claims: Mapping[str, JSON] = field(repr=False)
    until: int
    vouched_until: int | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether one more request may be made, how many are left after it, and when the next window can begin."""

    granted: bool
    remaining: int
    reset_seconds: int


class Facts(Protocol):
    """What is known right now."""

    @property
    def revocations(self) -> Revocations:
        """Every token that was revoked."""

    @property
    def store_away(self) -> bool:
        """Whether nobody can tell what is revoked from now on."""

    def credential(self, name: str) -> Credential | None:
        """The consumers' credential of this name, if it is at hand."""

    def consumer(self, by: tuple[ConsumerName, ...], value: str) -> Consumer | None:
        """The consumer known so, if it is at hand."""

    def key_set(self, issuer: str) -> KeySet | None:
        """The issuer's usable key set, or None when there is none."""


def find_keys(issuer: Issuer, alg: str, kid: str | None, *, facts: Facts, client: str) -> Steps[tuple[Key, ...]]:
    """The keys this token may be verified with, at least one; asks once when we do not hold any.

    A token may leave `kid` out; the set must then offer no more candidates than the issuer's bound.
    """
    held = facts.key_set(issuer.name)
    keys = _candidates(issuer, held, alg, kid=kid) if held is not None else ()
    if not keys:
        held = yield NeedKeys(issuer.name, kid, client)
        keys = _candidates(issuer, held, alg, kid=kid)
    if not keys:
        of = {"set": "empty"} if held is not None and held.is_blank else {}
        raise TokenRefused("key_unknown", issuer=issuer.name, kid=kid, alg=alg, **of)
    return keys


def find_newer_keys(issuer: Issuer, alg: str, kid: str | None, *, facts: Facts, client: str) -> Steps[tuple[Key, ...]]:
    """The keys this token may be verified with once those we hold have failed: none unless there are others now."""
    held = facts.key_set(issuer.name)
    newer = yield NeedKeys(issuer.name, kid, client, distrusted=True)
    return () if newer is held else _candidates(issuer, newer, alg, kid=kid)


def _candidates(issuer: Issuer, held: KeySet, alg: str, *, kid: str | None) -> tuple[Key, ...]:
    # A PEM or a secret of the document has no name that a `kid` could contradict: there is one key, and it is meant.
    if issuer.keys_by_kid_alone:
        return held.named(alg, kid)
    if issuer.local_keys and held.is_one_unnamed_key:
        kid = None
    return held.candidates(alg, kid, most_tries=issuer.keys_tried_without_kid)


def find_credential_keys(
    credential: Credential, name: str, alg: str, *, kid: str | None, client: str
) -> Steps[tuple[Credential, tuple[Key, ...]]]:
    """The credential a token called by this name, and its keys the token may be verified with. Refuses `key_unknown`.

    Where they are published at an address, it asks once for a key that we do not hold.
    """
    keys = credential_keys(credential, alg, kid)
    if not keys and credential.fetched:
        newer = yield NeedNewerCredential(name, kid, client)
        if newer is not None:
            credential, keys = newer, credential_keys(newer, alg, kid)
    if not keys:
        raise TokenRefused("key_unknown", credential=credential.name, kid=kid, alg=alg)
    return credential, keys


def credential_keys(credential: Credential, alg: str, kid: str | None) -> tuple[Key, ...]:
    """The keys we hold of a consumer's credential that a token may be verified with; none when there are none."""
    # Only what stands beside the credential itself is meant whatever it is called; see `_candidates`.
    if not credential.fetched and credential.keys.is_one_unnamed_key:
        kid = None
    return credential.keys.candidates(alg, kid, most_tries=1)


def find_issued_token(need: NeedIssuedToken) -> Steps[IssuedToken]:
    """The token, signed now or handed out again."""
    token = yield need
    assert isinstance(token, IssuedToken)  # noqa: S101 - a driver that answers otherwise is a bug
    return token


def find_first_use(need: NeedFirstUse) -> Steps[bool]:
    """Whether nobody here has seen it. Fails with `requests_not_counted` where nobody keeps what was seen."""
    is_first = yield need
    if not isinstance(is_first, bool):
        raise DependencyFault("requests_not_counted")
    return is_first


def find_nonces(need: NeedNonces) -> Steps[tuple[str, str]]:
    """The nonce to use from now on, and the one before it."""
    nonces: tuple[str, str] = yield need
    return nonces


def find_credential(name: str, *, facts: Facts) -> Steps[Credential]:
    """The consumers' credential of this name. Refuses `credential_unknown`."""
    held = facts.credential(name)
    if held is None:
        held = yield NeedCredential(name)
    if held is None:
        raise TokenRefused("credential_unknown")
    return held


def find_consumer(by: tuple[ConsumerName, ...], value: str, *, facts: Facts) -> Steps[Consumer | None]:
    """The consumer known so, or None."""
    held = facts.consumer(by, value)
    if held is None:
        held = yield NeedConsumer(by, value)
    return held


def find_introspected(issuer: Issuer, token: str) -> Steps[Introspected]:
    """What the issuer says of this token, asked now or a moment ago."""
    answer = yield NeedIntrospection(issuer.name, token, issuer.introspection.hint if issuer.introspection else None)
    assert isinstance(answer, Introspected)  # noqa: S101 - a driver that answers otherwise is a bug
    return answer


def find_claims(generator: str, context: Mapping[str, JSON]) -> Steps[Mapping[str, JSON]]:
    """The claims a plug-in adds."""
    claims: Mapping[str, JSON] = yield NeedClaims(generator, context)
    return claims


def find_allowance(need: NeedAllowance) -> Steps[Allowance]:
    """Whether one more request may be made; it is counted. Fails with `requests_not_counted` where nobody counts."""
    allowance = yield need
    if not isinstance(allowance, Allowance):
        raise DependencyFault("requests_not_counted")
    return allowance


def find_called(need: NeedCall) -> Steps[Called]:
    """The answer to a call. An `UpstreamFault` where there is none, or none that was expected."""
    called = yield need
    assert isinstance(called, Called)  # noqa: S101 - a driver that answers otherwise is a bug
    return called
