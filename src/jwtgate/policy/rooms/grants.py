"""What a token's claims grant: permissions it names, those of its roles, and all that they imply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jwtgate.policy.requirements import Grants
from jwtgate.policy.rooms.claims import MISSING, Claims, find

MOST_PERMISSIONS = 10_000
ANY_ROLE = "*"


def granted(grants: Grants, claims: Claims) -> tuple[str, ...]:
    """The permissions of these claims in the order they were found, each once (SEC-48).

    A claim that is neither text nor a list of texts grants nothing; see `unreadable`. `*` adds its permissions to those
    of any token that has the claim of roles at all.
    """
    found: dict[str, None] = {}
    if grants.permissions is not None:
        words = (word.strip() for word in _words(find(claims, grants.permissions)))
        found.update(dict.fromkeys(word for word in words if word))
    roles = MISSING if grants.roles is None else find(claims, grants.roles)
    if roles is not MISSING and grants.of_role is not None:
        for role in (*_words(roles), ANY_ROLE):
            found.update(dict.fromkeys(grants.of_role.get(role, ())))
    if grants.implied:
        _add_implied(tuple(found), grants.implied, found)
    return tuple(found)


def unreadable(grants: Grants, claims: Claims) -> tuple[tuple[str, object], ...]:
    """The claims that were to grant something and cannot: `permissions` or `roles`, and what is there instead."""
    looked_at = (("permissions", grants.permissions), ("roles", grants.roles))
    found = ((what, find(claims, path)) for what, path in looked_at if path is not None)
    return tuple((what, value) for what, value in found if value is not MISSING and not _is_words(value))


def _is_words(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(word, str) for word in value))


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word for word in value.split(" ") if word)
    return tuple(value) if isinstance(value, list) and _is_words(value) else ()


def _add_implied(names: Iterable[str], implied: Mapping[str, tuple[str, ...]], found: dict[str, None]) -> None:
    """Add what these permissions imply, and then what that implies; what is there already ends a circle."""
    waiting = [iter(names)]
    while waiting and len(found) < MOST_PERMISSIONS:
        name = next(waiting[-1], None)
        if name is None:
            waiting.pop()
            continue
        added = [new for new in dict.fromkeys(implied.get(name, ())) if new not in found]
        found.update(dict.fromkeys(added))
        waiting.append(iter(added))
