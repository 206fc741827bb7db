"""What the route asks of a caller it knows: scope (RFC 6749 section 3.3), a permission, conditions.

A scope belongs to its slot: what is asked of a token is asked whenever the token is there, and a slot that may be
empty asks nothing of a caller who presents nothing. A permission and a condition belong to the route and are asked of
everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from jwtgate.errors import AccessRefused, DependencyFault, ScopeRefused
from jwtgate.policy.provisions import Origin, PermissionNeed, Value
from jwtgate.policy.requirements import ScopeNeed
from jwtgate.policy.rooms.claims import MISSING, Claims, find
from jwtgate.policy.value import Known, holds, value_of

_OF_DOCUMENT = frozenset({Origin.CONSTANT, Origin.LANGUAGE})
_NO_WORD = frozenset({""})
_METHOD = re.compile("[A-Z][A-Z0-9-]{0,31}").fullmatch
_METHODS_MEANT_BY_ANY = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def check_permissions(known: Known) -> None:
    """Refuses what `check_scope` refuses, `permission_missing`, `method_not_permitted` and `condition_not_met`.

    Raises `Asks`, and fails, as values do.
    """
    route = known.route
    for slot in route.slots:
        proven = known.principal.tokens.get(slot.name)
        if proven is None:
            continue
        need = (proven.asked or slot).scope
        if need is not None:
            check_scope(need, proven.claims)
    if route.methods_permitted is not None and known.request.method not in route.methods_permitted:
        raise _not_permitted(known, "methods", sorted(route.methods_permitted))
    if route.permission is not None:
        _check_permission(route.permission, known)
    for condition in route.conditions:
        if not holds(condition, known):
            raise AccessRefused("condition_not_met", expression=condition.text)


def _check_permission(need: PermissionNeed, known: Known) -> None:
    method = known.request.method
    wanted = dict(need.by_method).get(method, need.otherwise)
    if wanted is None:
        raise _not_permitted(known, "permission", (name for name, _ in need.by_method))
    name = value_of(wanted, known)
    if wanted.origin is Origin.LANGUAGE:
        name = _of_method(name, known, wanted)
    # Only the document's own empty text asks for nothing; a value that is not there is a permission nobody has.
    asks_nothing = name == "" and wanted.origin in _OF_DOCUMENT
    if not isinstance(name, str) or (name not in known.principal.permissions and not asks_nothing):
        named = name if isinstance(name, str) else None
        raise AccessRefused("permission_missing", permission=named, granted=list(known.principal.permissions))


def _not_permitted(known: Known, by: str, permitted: Iterable[str]) -> AccessRefused:
    return AccessRefused("method_not_permitted", method=known.request.method, by=by, permitted=tuple(permitted))


def _meant(by_method: Mapping[str, str]) -> list[str]:
    """The methods an object names, and those its star stands for; of what a request brings, only what is a method."""
    named = {method for method in by_method if _METHOD(method)}
    return sorted(named | _METHODS_MEANT_BY_ANY if "*" in by_method else named)


def _of_method(found: object, known: Known, wanted: Value) -> str:
    """The permission an expression of an installed language names: text, or an object of texts by method.

    Anything else is a failure of it, never a permission that is not asked for.
    """
    method = known.request.method
    if isinstance(found, Mapping) and all(isinstance(name, str) for name in found.values()):
        by_method = {word.upper(): name for word, name in found.items()}
        if len(by_method) < len(found):
            raise _no_permission(wanted)  # one method with two permissions has neither
        found = by_method.get(method, by_method.get("*") if method in _METHODS_MEANT_BY_ANY else None)
        if found is None:
            raise _not_permitted(known, "permission", _meant(by_method))
    if not isinstance(found, str):
        raise _no_permission(wanted)
    return found


def _no_permission(wanted: Value) -> DependencyFault:
    text = wanted.language.text if wanted.language is not None else ""
    return DependencyFault("expression_failed", expression=text, cause="names no permission")


def check_scope(need: ScopeNeed, claims: Claims) -> None:
    """Refuses unless the claims grant all of `all_of` and, where there is one, one of `any_of`.

    `scope_missing` where the claim is not there, else `scope_insufficient`.
    """
    found = find(claims, need.path)
    granted = granted_scope(found)
    if need.all_of <= granted and (not need.any_of or any(words <= granted for words in need.any_of)):
        return
    wanted = sorted(need.all_of.union(*need.any_of))
    if found is MISSING:
        raise ScopeRefused("scope_missing", scope=wanted, claim=need.path)
    raise ScopeRefused("scope_insufficient", scope=wanted, granted=sorted(granted))


def granted_scope(found: object) -> frozenset[str]:
    """The scope tokens in a claim: a string split at single blanks, or a list of strings taken whole."""
    if isinstance(found, str):
        return frozenset(found.split(" ")) - _NO_WORD
    if isinstance(found, list):
        return frozenset(token for token in found if isinstance(token, str))
    return frozenset()
