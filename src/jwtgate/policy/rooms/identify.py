"""From proven tokens to a principal: who this request turned out to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from jwtgate.errors import TokenRefused
from jwtgate.jose.token import VerifiedToken
from jwtgate.policy.callers import Consumer
from jwtgate.policy.facts import Facts, Steps, find_consumer
from jwtgate.policy.plan import Route
from jwtgate.policy.requirements import ConsumerMapping, ConsumerName, Issuer, Slot
from jwtgate.policy.rooms.claims import Claims, find
from jwtgate.policy.rooms.grants import granted, unreadable
from jwtgate.policy.rooms.verify import Verified

MOST_NAME_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Proven:
    """One slot's token after every check, with the issuer it belongs to and the end of its use.

    `good_until` allows for clocks that differ, `lives_until` does not; NumericDates. Of one its
    issuer was asked about, the answer may be used again before `asked_until`, and what is made from it must end by
    `vouched_until`. `text` is the credential itself.
    A token made with a consumer's credential brings the consumer along, and the credential's name and labels. `asked`
    is the slot as it is for this token, if that is another; `judged` are the claims checks are of, if not the token's
    own.
    """

    issuer: Issuer
    token: VerifiedToken
    good_until: int | None
    lives_until: int | None = None
    asked_until: int | None = None
    vouched_until: int | None = None
    text: str = field(default="", repr=False)
    consumer: Consumer | None = None
    credential: str | None = None
    asked: Slot | None = None
    judged: Claims | None = field(default=None, repr=False)
    credential_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def claims(self) -> Claims:
        """The claims every check is of."""
        return self.token.claims if self.judged is None else self.judged


def proven(verified: Verified, text: str, good_until: int | None) -> Proven:
    """The token after every check; `good_until` is the end its claims give it, leeway included."""
    lives_until = None if good_until is None else good_until - verified.issuer.times.leeway_seconds
    credential = verified.credential
    return Proven(
        verified.issuer,
        verified.token,
        good_until,
        lives_until=lives_until,
        asked_until=verified.answer.until if verified.answer else None,
        vouched_until=verified.answer.vouched_until if verified.answer else None,
        text=text,
        consumer=credential.consumer if credential else None,
        credential=credential.name if credential else None,
        asked=verified.asked,
        judged=verified.judged,
        credential_labels=credential.labels if credential else {},
    )


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: the proven tokens by slot, the consumer it is known as, and what it is granted.

    A slot whose credential was absent is not in `tokens`.
    """

    tokens: Mapping[str, Proven]
    consumer: Consumer | None = None
    credential: str | None = None
    permissions: tuple[str, ...] = ()
    credential_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def good_until(self) -> int | None:
        """The instant (NumericDate) at which the first of the tokens stops being good."""
        return _first([proven.good_until for proven in self.tokens.values()])

    @property
    def asked_until(self) -> int | None:
        """The instant (NumericDate) at which the first of the issuers must be asked again."""
        return _first([proven.asked_until for proven in self.tokens.values()])

    @property
    def unreadable_grants(self) -> tuple[tuple[str, str, object], ...]:
        """The claims that grant nothing since they are of no use: slot, `permissions` or `roles`, and what is there."""
        return tuple(
            (slot, what, value)
            for slot, proven in self.tokens.items()
            if proven.issuer.grants is not None
            for what, value in unreadable(proven.issuer.grants, proven.claims)
        )


def _first(instants: Sequence[int | None]) -> int | None:
    if len(instants) == 1:
        return instants[0]
    return min((instant for instant in instants if instant is not None), default=None)


ANONYMOUS = Principal(MappingProxyType({}))


def identify(route: Route, tokens: Mapping[str, Proven], facts: Facts) -> Steps[Principal]:
    """The principal behind these tokens. Refuses `consumer_unknown`.

    The consumer is that of the first slot, in their order, which names one.
    """
    if not tokens and route.anonymous is None:
        return ANONYMOUS
    consumer, named_by = yield from _consumer(route, tokens, facts)
    return Principal(
        MappingProxyType(dict(tokens)),
        consumer,
        named_by.credential if named_by is not None else None,
        _permissions(route, tokens),
        credential_labels=named_by.credential_labels if named_by is not None else {},
    )


def so_far(route: Route, tokens: Mapping[str, Proven]) -> Principal:
    """What is known of the caller while only these tokens were looked at."""
    return Principal(MappingProxyType(dict(tokens)), permissions=_permissions(route, tokens))


def _permissions(route: Route, tokens: Mapping[str, Proven]) -> tuple[str, ...]:
    """What these tokens grant, in the order of their slots."""
    permissions: dict[str, None] = {}
    for slot in route.slots:
        proven = tokens.get(slot.name)
        if proven is not None and proven.issuer.grants is not None:
            permissions.update(dict.fromkeys(granted(proven.issuer.grants, proven.claims)))
    return tuple(permissions)


def _consumer(route: Route, tokens: Mapping[str, Proven], facts: Facts) -> Steps[tuple[Consumer | None, Proven | None]]:
    """The consumer; and the token that was made with a credential of it, if it is known by that."""
    for slot in route.slots:
        proven = tokens.get(slot.name)
        if proven is None:
            continue
        if proven.consumer is not None:
            return proven.consumer, proven
        mapping = (proven.asked or slot).consumer
        if mapping is not None:
            found = yield from _mapped(mapping, proven.claims, facts)
            if found is not None:
                return found, None
            if mapping.required:
                raise TokenRefused("consumer_unknown", slot=slot.name)
    if tokens or route.anonymous is None:
        return None, None
    anonymous = yield from find_consumer((ConsumerName.NAME, ConsumerName.ID), route.anonymous, facts=facts)
    if anonymous is None:
        raise TokenRefused("consumer_unknown", anonymous=route.anonymous)
    return anonymous, None


def _mapped(mapping: ConsumerMapping, claims: Claims, facts: Facts) -> Steps[Consumer | None]:
    for path in mapping.paths:
        name = find(claims, path)
        if mapping.numbers and type(name) is int:
            name = str(name)
        if isinstance(name, str) and 0 < len(name) <= MOST_NAME_CHARACTERS:
            found = yield from find_consumer(mapping.by, name, facts=facts)
            if found is not None:
                return found
    return None
