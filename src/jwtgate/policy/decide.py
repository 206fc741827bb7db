"""The order of the rooms. The only file that knows it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from jwtgate.errors import CredentialMissing, Fault, Refusal, RequestRefused, TokenRefused
from jwtgate.policy.calls.making import make_calls
from jwtgate.policy.facts import Facts, IssuedToken, Steps
from jwtgate.policy.outcome import Allowed, Failed, Outcome, Refused, Trail
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import Issue
from jwtgate.policy.request import RequestView
from jwtgate.policy.requirements import Slot
from jwtgate.policy.rooms.claims import Claims, check_answer, check_claims
from jwtgate.policy.rooms.extract import expected_claims, extract
from jwtgate.policy.rooms.identify import ANONYMOUS, identify, proven, so_far
from jwtgate.policy.rooms.issue import issue
from jwtgate.policy.rooms.limits import ask_allowance, check_allowance
from jwtgate.policy.rooms.match import match
from jwtgate.policy.rooms.permissions import check_permissions
from jwtgate.policy.rooms.proof import check_proof
from jwtgate.policy.rooms.revoked import check_known, check_revoked
from jwtgate.policy.rooms.rewrite import rewrite
from jwtgate.policy.rooms.verify import ask_besides, verify
from jwtgate.policy.value import Known, asking

ENDLESS_SECONDS = 300
"""How long an outcome is remembered that rests on a token without an end."""


def decide(plan: Plan, request: RequestView, facts: Facts, now: int, *, route: Route | None = None) -> Steps[Outcome]:
    """Walk one request through the rooms. `now` is a NumericDate, in seconds; `route` the one that was found before."""
    trail = Trail(request, now)
    try:
        route = trail.route = route or match(plan, request)
        known = trail.known = Known(route, request, ANONYMOUS, now)
        preflight = route.forward_cors_preflight and request.is_cors_preflight
        if not preflight:
            yield from _prove_all(route, trail, facts, plan=plan)
        trail.room, trail.slot = "identify", ""
        principal = trail.principal = yield from identify(route, trail.proven, facts)
        trail.room = "revoked"
        check_revoked(facts.revocations, principal, now=now)
        check_known(route, principal, facts)
        known.become(principal)
        if not preflight:
            trail.room = "permissions"
            (yield from asking(known, partial(check_permissions, known))) if route.asks else check_permissions(known)
        trail.room = "limits"
        trail.allowance = yield from ask_allowance(known)
        check_allowance(trail.allowance)
        if route.calls and not preflight:
            trail.room = "calls"
            yield from make_calls(known)
        trail.room = "issue"
        issued = yield from issue(known, facts)
        trail.room = "rewrite"
        rewriting = partial(rewrite, known, issued=issued)
        rewritten = (yield from asking(known, rewriting)) if route.asks else rewriting()
        # What was let through unasked is never remembered for who should have been asked.
        return Allowed(route, rewritten, trail, 0 if preflight else _good_until(trail, issued))
    except Refusal as refusal:
        _note(refusal, trail)
        return Refused(refusal, trail)
    except Fault as fault:
        _note(fault, trail)
        return Failed(fault, trail)


def _note(error: Refusal | Fault, trail: Trail) -> None:
    """Have what is known say what went wrong, and who the caller had turned out to be by then."""
    known = trail.known
    if known is not None:
        if trail.principal is ANONYMOUS and trail.proven:
            trail.principal = so_far(known.route, trail.proven)
            known.become(trail.principal)
        known.error, known.slot = error, trail.slot


def _good_until(trail: Trail, issued: Sequence[tuple[Issue, IssuedToken]]) -> int | None:
    """The instant (NumericDate) until which the same request ends in the same way; 0 if it may not the next time."""
    # A token that is refused now may be good in a moment, who has a limit is counted, and a proof is for one request.
    if (
        trail.allowance is not None
        or _is_proven_anew(trail)
        or not (trail.forgiven is None or isinstance(trail.forgiven, CredentialMissing))
    ):
        return 0
    principal = trail.principal
    ends = [token.reuse_until for _, token in issued]
    ends += [until for until in (principal.good_until, principal.asked_until) if until is not None]
    if principal.tokens and not ends:
        return trail.now + ENDLESS_SECONDS
    return min(ends, default=None)


def _is_proven_anew(trail: Trail) -> bool:
    return trail.route is not None and any(slot.dpop is not None for slot in trail.route.slots)


def _prove_all(route: Route, trail: Trail, facts: Facts, *, plan: Plan) -> Steps[None]:
    """Prove every slot. Where the document says so, a caller whose token is refused goes on as nobody."""
    try:
        if route.one_slot_is_enough:
            yield from _prove_one(route, trail, facts, plan=plan)
            return
        for slot in route.slots:
            yield from _prove(slot, trail, facts, plan=plan)
    except (CredentialMissing, RequestRefused, TokenRefused) as refusal:
        if not route.anonymous_for_refused:
            raise
        trail.proven.clear()
        trail.forgiven = refusal


def _prove_one(route: Route, trail: Trail, facts: Facts, *, plan: Plan) -> Steps[None]:
    """Prove the first slot that can be. Where none can, the refusal is that of a credential before that of its absence.

    What one slot cannot find out is a fault, for whoever comes next would be known as somebody else.
    """
    refused: list[tuple[Refusal, str, str]] = []
    for slot in route.slots:
        try:
            yield from _prove(slot, trail, facts, plan=plan)
        except (CredentialMissing, RequestRefused, TokenRefused) as refusal:
            refused.append((refusal, trail.room, trail.slot))
        if trail.proven:
            break
    first = min(refused, key=lambda each: isinstance(each[0], CredentialMissing), default=None)
    if first is None:
        return
    if not trail.proven:
        _, trail.room, trail.slot = first
        raise first[0]
    if not isinstance(first[0], CredentialMissing):
        trail.forgiven = first[0]


def _prove(slot: Slot, trail: Trail, facts: Facts, *, plan: Plan) -> Steps[None]:
    """Take one slot from its credential to a proven token; an absent credential proves nothing."""
    trail.room, trail.slot = "extract", slot.name
    text, expected = (yield from _values(slot, trail)) if slot.looks_at_known else (extract(slot, trail.request), None)
    if text is None:
        return
    trail.room = "verify"
    limit_bytes = plan.token_limit_bytes
    verified = yield from verify(slot, text, facts, client=trail.request.client, limit_bytes=limit_bytes)
    trail.room = "claims"
    asked = verified.asked or slot
    good_until = check_claims(verified.issuer, asked, verified.claims, now=trail.now, expected=expected)
    if slot.dpop is not None:
        trail.room = "proof"
        yield from check_proof(slot.dpop, trail.request, text, claims=verified.claims, paths=plan.paths, now=trail.now)
    trail.room = "introspect"
    verified = yield from ask_besides(slot, verified, text, limit_bytes=limit_bytes)
    if verified.described is not None:
        trail.room, (issuer, described) = "claims", verified.described
        said_until = check_answer(issuer, slot, described, of=verified.claims, now=trail.now)
        good_until = min((end for end in (good_until, said_until) if end is not None), default=None)
    trail.proven[slot.name] = proven(verified, text, good_until)


def _values(slot: Slot, trail: Trail) -> Steps[tuple[str | None, Claims | None]]:
    """The credential of a slot that asks with values, and what its claims have to equal."""
    known = trail.known
    assert known is not None  # noqa: S101 - it has been there since the route was found
    if trail.proven:
        known.become(so_far(known.route, trail.proven))
    text = yield from asking(known, lambda: extract(slot, trail.request, known=known))
    if text is None:
        return None, None
    return text, (yield from asking(known, lambda: expected_claims(slot, known)))
