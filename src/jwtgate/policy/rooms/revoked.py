"""Whether a token is good no longer although it has not ended (SEC-75)."""

from __future__ import annotations

from jwtgate.errors import TokenRefused
from jwtgate.policy.revocations import Revocations
from jwtgate.policy.rooms.identify import Principal


def check_revoked(revocations: Revocations, principal: Principal, *, now: int) -> None:
    """Refuses `token_revoked` if any of the tokens, or the consumer behind one, was revoked."""
    if not revocations:
        return
    for slot, proven in principal.tokens.items():
        # A token made with a credential is its own consumer's, whoever the caller is known as.
        consumer = proven.consumer or principal.consumer
        name = consumer.name if consumer else None
        token = proven.token
        entry = revocations.find(
            proven.issuer.name,
            text=proven.text,
            claims=token.claims,
            consumer=name,
            now=now,
            alg=token.alg if token.key else None,
        )
        if entry is not None:
            raise TokenRefused("token_revoked", slot=slot, by=entry.by.value, entry=entry.id)
