"""The claims of each token the upstream receives (RFC 7519 section 4.1).

This room describes a token; `state/issued_tokens.py` adds `iat`, `exp` and `jti` and signs it. The claims that
say who made the token, for whom and until when are ours and are not taken over from the caller's token, unless the
document says so for an upstream that wants them as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from jwtgate.jose.encoding import JSON
from jwtgate.policy.facts import (
    Facts,
    IssuedToken,
    NeedIssuedToken,
    Steps,
    find_claims,
    find_consumer,
    find_issued_token,
)
from jwtgate.policy.provisions import Issue
from jwtgate.policy.rooms.claims import MISSING, Claims, find
from jwtgate.policy.rooms.identify import MOST_NAME_CHARACTERS, Proven
from jwtgate.policy.value import Known, asking, holds, value_of

OURS = frozenset({"iss", "iat", "nbf", "exp", "jti"})
"""Claims the signer sets; no document may set them otherwise."""

NOT_COPIED_WHOLESALE = OURS | {"aud", "cnf", "x5c", "x5t", "x5t#S256"}
"""Claims about the incoming token itself, left out when a document copies all claims."""


def issue(known: Known, facts: Facts) -> Steps[list[tuple[Issue, IssuedToken]]]:
    """The tokens of this route whose slot was proven and whose condition holds, each with its description.

    Of several for one field it is the first.
    """
    issued: list[tuple[Issue, IssuedToken]] = []
    for description in known.route.issue:
        proven = known.principal.tokens.get(description.slot)
        if proven is None or (issued and any(other.field == description.field for other, _ in issued)):
            continue
        if description.when is not None and not holds(description.when, known):
            continue
        generated: Mapping[str, JSON] = {}
        if description.generator is not None:
            told = told_of_caller(description, known, proven.token.claims)
            others = yield from _told_consumers(description, known, facts)
            generated = yield from find_claims(description.generator, {**told, **others})
        describing = partial(describe, description, known, incoming=proven.token.claims, generated=generated)
        claims = (yield from asking(known, describing)) if known.route.asks else describing()
        need = NeedIssuedToken(description, claims, not_after(description, proven, known.now), _exp(proven))
        issued.append((description, (yield from find_issued_token(need))))
    return issued


def told_of_caller(issue: Issue, known: Known, claims: Claims) -> Mapping[str, JSON]:
    """What a plug-in is told: the caller with these claims, and nothing that would let it speak for somebody else."""
    principal = known.principal
    named = principal.credential
    return {
        "claims": dict(claims),
        "consumer": principal.consumer.members() if principal.consumer else None,
        "credential": None if named is None else {"name": named, "labels": dict(principal.credential_labels)},
        "permissions": list(principal.permissions),
        "route": known.route.name,
        "slot": issue.slot,
        "now": known.now,
        **({"request": {"method": known.request.method, "path": known.request.path}} if issue.tells_request else {}),
    }


def _told_consumers(issue: Issue, known: Known, facts: Facts) -> Steps[Mapping[str, JSON]]:
    """The records of the consumers a plug-in is told of besides; null for one that is not there."""
    found: dict[str, JSON] = {}
    for told in issue.told:
        name = yield from asking(known, partial(value_of, told.value, known))
        named = isinstance(name, str) and 0 < len(name) <= MOST_NAME_CHARACTERS
        consumer = (yield from find_consumer(told.by, f"{told.prefix}{name}", facts=facts)) if named else None
        found[told.name] = None if consumer is None else consumer.members()
    return {"consumers": found} if issue.told else {}


def _exp(proven: Proven) -> int | None:
    exp = proven.token.claims.get("exp")
    return int(exp) if isinstance(exp, int | float) else None


def not_after(issue: Issue, proven: Proven, now: int) -> int | None:
    """The instant (NumericDate) the token may not outlive: the end of the one it is made from (SEC-157).

    Leeway is for clocks that differ and no longer life. Only a token that lives on nothing else passes it on. What an
    issuer said of a token when it was asked is never stretched.
    """
    end, vouched_until = None, proven.vouched_until
    if not issue.may_outlive_incoming_token and proven.good_until is not None:
        lives_until = proven.lives_until
        end = lives_until if lives_until is not None and now < lives_until else proven.good_until
    return end if vouched_until is None else vouched_until if end is None else min(end, vouched_until)


def describe(
    issue: Issue, known: Known, *, incoming: Claims, generated: Mapping[str, JSON] = MappingProxyType({})
) -> dict[str, JSON]:
    """The claims of this token, save those the signer adds."""
    claims = _copied(issue, incoming)
    for name, source in issue.add:
        if name not in claims:
            _put(claims, name, value_of(source, known))
    for name, source in issue.set:
        _put(claims, name, value_of(source, known))
    for name, value in generated.items():
        if name not in OURS:
            claims.setdefault(name, value)
    for name in issue.remove:
        claims.pop(name, None)
    claims["iss"] = issue.iss
    if issue.audiences is not None or not issue.copy_registered:
        _put(claims, "aud", _audience(issue, incoming))
    for name in issue.omitted:
        claims.pop(name, None)
    return claims


def _copied(issue: Issue, incoming: Claims) -> dict[str, JSON]:
    claims: dict[str, JSON] = {}
    if issue.copy_registered:
        claims.update(incoming)
    elif issue.copy_all:
        claims.update((name, value) for name, value in incoming.items() if name not in NOT_COPIED_WHOLESALE)
    for path, name in issue.copy:
        value = find(incoming, path)
        if value is not MISSING:
            claims[name] = value  # type: ignore[assignment] # what lies in claims is JSON
    return claims


def _audience(issue: Issue, incoming: Claims) -> object:
    if issue.audiences is None:
        return incoming.get("aud", MISSING)
    if not issue.audiences:
        return MISSING
    return issue.audiences[0] if len(issue.audiences) == 1 else list(issue.audiences)


def _put(claims: dict[str, JSON], name: str, value: object) -> None:
    # A value that is not there leaves the claim out, and never a stale one in.
    if value is MISSING:
        claims.pop(name, None)
    else:
        claims[name] = value  # type: ignore[assignment] # values are JSON or MISSING
