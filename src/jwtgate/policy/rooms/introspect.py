"""From a credential nobody here can read to a verified token: what its issuer says of it (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import JSON
from jwtgate.jose.token import UnverifiedToken, VerifiedToken
from jwtgate.policy.facts import Introspected, Steps, find_introspected
from jwtgate.policy.requirements import Introspection, Issuer
from jwtgate.policy.rooms.claims import MISSING, Claims, find


@dataclass(frozen=True, slots=True)
class Described:
    """A token as its issuer describes it, and the answer. `judged` are the claims to check, if not the token's own."""

    token: VerifiedToken
    answer: Introspected
    judged: Claims | None = None

    @property
    def claims(self) -> Claims:
        """The claims every check is of."""
        return self.token.claims if self.judged is None else self.judged


def introspect(issuer: Issuer, text: str, *, limit_bytes: int) -> Steps[Described]:
    """The token as its issuer describes it. Refuses `token_inactive`, `claim_malformed`."""
    answer = yield from find_introspected(issuer, text)
    if not answer.active:
        raise TokenRefused("token_inactive", issuer=issuer.name)
    reading = issuer.introspection or Introspection()
    if reading.jwt_claim is None:
        return Described(VerifiedToken.described(_claims(reading, answer.claims)), answer)
    carried = find(answer.claims, reading.jwt_claim)
    if not isinstance(carried, str):
        raise TokenRefused("claim_malformed", claim=reading.jwt_claim)
    # Whoever answers us vouches for what the answer carries, as for every other member of it.
    inner = UnverifiedToken.parse(carried, limit_bytes=limit_bytes).vouched_for()
    return Described(inner, answer, _claims(reading, answer.claims) if reading.inner_unchecked else None)


def _claims(reading: Introspection, members: Mapping[str, JSON]) -> Claims:
    """What an answer says, each under the name a JWT has it."""
    claims = {name: value for name, value in members.items() if name != "active"}
    if reading.active_kept:
        claims["active"] = True
    for name, path in reading.moved:
        value = find(members, path)
        if value is MISSING:
            claims.pop(name, None)
        else:
            claims[name] = value  # type: ignore[assignment] # what lies in an answer is JSON
    return claims
