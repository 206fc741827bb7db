"""Whether a token, or the consumer of a request without one, is good no longer (SEC-75), and whether that is known."""

from __future__ import annotations

from jwtgate.errors import DependencyFault, TokenRefused
from jwtgate.policy.facts import Facts
from jwtgate.policy.plan import Route
from jwtgate.policy.revocations import Revocations
from jwtgate.policy.rooms.identify import Principal


def check_revoked(revocations: Revocations, principal: Principal, *, now: int) -> None:
    """Refuses `token_revoked` if any of the tokens, the consumer behind one, or that of nobody was revoked."""
    if not revocations:
        return
    if principal.consumer is not None and not principal.tokens:
        entry = revocations.find_consumer(principal.consumer.name, now=now)
        if entry is not None:
            raise TokenRefused("token_revoked", by=entry.by.value, entry=entry.id)
    for slot, proven in principal.tokens.items():
        # A token made with a credential is its own consumer's, whoever the caller is known as.
        consumer = proven.consumer or principal.consumer
        name = consumer.name if consumer else None
        token = proven.token
        # What its issuer said of it names it as well as what it says itself.
        for claims in (token.claims,) if proven.judged is None else (token.claims, proven.judged):
            entry = revocations.find(
                proven.issuer.name,
                text=proven.text,
                claims=claims,
                consumer=name,
                now=now,
                alg=token.alg if token.key else None,
            )
            if entry is not None:
                raise TokenRefused("token_revoked", slot=slot, by=entry.by.value, entry=entry.id)


def check_known(route: Route, principal: Principal, facts: Facts) -> None:
    """Fails `revocations_unknown` for a caller who may have been revoked while the store is away (SEC-76)."""
    if facts.store_away and route.needs_store and (principal.tokens or principal.consumer is not None):
        raise DependencyFault("revocations_unknown")
