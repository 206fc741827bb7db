"""Scope the route asks for (RFC 6749 section 3.3).

A requirement belongs to its slot: what is asked of a token is asked whenever the token is there. A slot that may
be empty asks nothing of a caller who presents nothing.
"""

from __future__ import annotations

from jwtgate.errors import ScopeRefused
from jwtgate.policy.plan import Route
from jwtgate.policy.requirements import ClaimPath, ScopeNeed
from jwtgate.policy.rooms.claims import Claims, find
from jwtgate.policy.rooms.identify import Principal


def check_permissions(route: Route, principal: Principal) -> None:
    """Refuses `scope_insufficient` unless every proven token carries the scope its slot asks for."""
    for slot in route.slots:
        proven = principal.tokens.get(slot.name)
        if slot.scope is not None and proven is not None:
            check_scope(slot.scope, proven.token.claims)


def check_scope(need: ScopeNeed, claims: Claims) -> None:
    """Refuses unless the claims grant all of `all_of` and, where it is not empty, one of `any_of`."""
    granted = granted_scope(claims, need.path)
    if not need.all_of <= granted or (need.any_of and need.any_of.isdisjoint(granted)):
        raise ScopeRefused("scope_insufficient", scope=sorted(need.all_of | need.any_of), granted=sorted(granted))


def granted_scope(claims: Claims, path: ClaimPath) -> frozenset[str]:
    """The scope tokens at this path: a string split at single blanks, or a list of strings taken whole."""
    found = find(claims, path)
    if isinstance(found, str):
        return frozenset(token for token in found.split(" ") if token)
    if isinstance(found, list):
        return frozenset(token for token in found if isinstance(token, str))
    return frozenset()
