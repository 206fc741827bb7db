"""The claims of each token the upstream receives (RFC 7519 section 4.1).

This room describes a token; `state/issued_tokens.py` adds `iat`, `exp` and `jti` and signs it. The claims that
say who made the token, for whom and until when are ours and are never taken over from the caller's token.
"""

from __future__ import annotations

from jwtgate.jose.encoding import JSON
from jwtgate.policy.facts import IssuedToken, NeedIssuedToken, Steps, find_issued_token
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import Issue
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.claims import MISSING, Claims, find
from jwtgate.policy.rooms.identify import Principal, Proven
from jwtgate.policy.value import value_of

OURS = frozenset({"iss", "iat", "nbf", "exp", "jti"})
"""Claims the signer sets; no document may set them otherwise."""

NOT_COPIED_WHOLESALE = OURS | {"aud", "cnf", "x5c", "x5t", "x5t#S256"}
"""Claims about the incoming token itself, left out when a document copies all claims."""


def issue(
    route: Route, request: RequestView, principal: Principal, *, now: int
) -> Steps[list[tuple[Issue, IssuedToken]]]:
    """The tokens of this route whose slot was proven, each with its description."""
    issued = []
    for description in route.issue:
        proven = principal.tokens.get(description.slot)
        if proven is not None:
            claims = describe(description, request, principal, incoming=proven.token.claims)
            need = NeedIssuedToken(description, claims, not_after(description, proven, now))
            issued.append((description, (yield from find_issued_token(need))))
    return issued


def not_after(issue: Issue, proven: Proven, now: int) -> int | None:
    """The instant (NumericDate) the token may not outlive: the end of the one it is made from.

    Leeway is for clocks that differ and no longer life. Only a token that lives on nothing else passes it on.
    """
    if issue.may_outlive_incoming_token or proven.good_until is None:
        return None
    end = proven.good_until - proven.issuer.times.leeway_seconds
    return end if now < end else proven.good_until


def describe(issue: Issue, request: RequestView, principal: Principal, *, incoming: Claims) -> dict[str, JSON]:
    """The claims of this token, save those the signer adds."""
    claims: dict[str, JSON] = {}
    if issue.copy_all:
        claims.update((name, value) for name, value in incoming.items() if name not in NOT_COPIED_WHOLESALE)
    for path, name in issue.copy:
        value = find(incoming, path)
        if value is not MISSING:
            claims[name] = value  # type: ignore[assignment] # what lies in claims is JSON
    for name, source in issue.add:
        if name not in claims:
            _put(claims, name, value_of(source, request, principal))
    for name, source in issue.set:
        _put(claims, name, value_of(source, request, principal))
    for name in issue.remove:
        claims.pop(name, None)
    claims["iss"] = issue.iss
    if issue.audiences:
        claims["aud"] = issue.audiences[0] if len(issue.audiences) == 1 else list(issue.audiences)
    return claims


def _put(claims: dict[str, JSON], name: str, value: object) -> None:
    # A value that is not there leaves the claim out, and never a stale one in.
    if value is MISSING:
        claims.pop(name, None)
    else:
        claims[name] = value  # type: ignore[assignment] # values are JSON or MISSING
