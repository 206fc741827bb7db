"""From a credential nobody here can read to a verified token: what its issuer says of it (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import JSON
from jwtgate.jose.token import UnverifiedToken, VerifiedToken
from jwtgate.policy.facts import Introspected, Steps, find_introspected
from jwtgate.policy.requirements import Introspection, Issuer
from jwtgate.policy.rooms.claims import MISSING, find


def introspect(issuer: Issuer, text: str, *, limit_bytes: int) -> Steps[tuple[VerifiedToken, Introspected]]:
    """The token as its issuer describes it, and the answer. Refuses `token_inactive`, `claim_malformed`."""
    answer = yield from find_introspected(issuer, text)
    if not answer.active:
        raise TokenRefused("token_inactive", issuer=issuer.name)
    return _described(issuer.introspection or Introspection(), answer.claims, limit_bytes=limit_bytes), answer


def _described(reading: Introspection, members: Mapping[str, JSON], *, limit_bytes: int) -> VerifiedToken:
    if reading.jwt_claim is not None:
        carried = find(members, reading.jwt_claim)
        if not isinstance(carried, str):
            raise TokenRefused("claim_malformed", claim=reading.jwt_claim)
        # Whoever answers us vouches for what the answer carries, as for every other member of it.
        return UnverifiedToken.parse(carried, limit_bytes=limit_bytes).vouched_for()
    claims = {name: value for name, value in members.items() if name != "active"}
    for name, path in reading.moved:
        value = find(members, path)
        if value is MISSING:
            claims.pop(name, None)
        else:
            claims[name] = value  # type: ignore[assignment] # what lies in an answer is JSON
    return VerifiedToken.described(claims)
