"""The decision as a whole, played move by move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.oauth.proofs import BOUND, JKT, a_proof
from tests.unit.policy.plans import (
    ACME,
    GOOD,
    HELD,
    ISS,
    ISSUE,
    ISSUED,
    ISSUER,
    KEYS,
    NOON,
    NOTHING,
    OTHER_KEY,
    ROUTE,
    SLOT,
    Held,
    a_token,
    asks_for,
    finish,
    plan,
    request,
    told,
)

from jwtgate.errors import DependencyFault
from jwtgate.jose.encoding import JSON
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.callers import Credential, api_key_name
from jwtgate.policy.decide import ENDLESS_SECONDS, decide
from jwtgate.policy.facts import (
    Allowance,
    Facts,
    Introspected,
    NeedAllowance,
    NeedConsumer,
    NeedFirstUse,
    NeedIntrospection,
    NeedIssuedToken,
    NeedKeys,
    Steps,
)
from jwtgate.policy.outcome import Allowed, Failed, Outcome, Refused
from jwtgate.policy.plan import Route
from jwtgate.policy.provisions import IdentityField, Origin, PermissionNeed, Value
from jwtgate.policy.rate_limits import CountedBy, RateLimit
from jwtgate.policy.request import RequestView
from jwtgate.policy.requirements import (
    ClaimRule,
    Comparison,
    ConsumerMapping,
    CredentialLookup,
    Dpop,
    Grants,
    Introspect,
    Introspection,
    Issuer,
    Place,
    ScopeNeed,
    Slot,
    Source,
    TimeClaims,
    Times,
)
from jwtgate.policy.revocations import Revocation, RevokedBy
from jwtgate.policy.rooms.identify import ANONYMOUS
from jwtgate.policy.traffic.forwarding import TEXT, Respond, RespondRefusal, RespondWorded
from jwtgate.policy.value import Known

OPTIONAL = replace(ROUTE, slots=(replace(SLOT, required=False),))
CHANNEL = replace(SLOT, name="channel", sources=(Source(Place.FIELD, "x-channel"),))
NAMED = IdentityField(b"X-User", Value(Origin.CLAIM, slot="access", path=("sub",)))
FIXED = IdentityField(b"X-Via", Value(Origin.CONSTANT, constant="gate"))


def walk(view: RequestView, route: Route = ROUTE, *, facts: Facts = HELD, now: int = NOON) -> Steps[Outcome]:
    return decide(plan(route), view, facts, now)


def outcome(view: RequestView, route: Route = ROUTE, *, now: int = NOON) -> Outcome:
    """The outcome of a walk that asks for nothing."""
    return finish(walk(view, route, now=now))


def stopped(ended: Outcome) -> tuple[str, str, str]:
    """Why, in which room and at which slot the walk ended."""
    assert isinstance(ended, Refused)
    return ended.refusal.reason, ended.trail.room, ended.trail.slot


def test_a_good_token_is_allowed_without_asking_for_anything() -> None:
    allowed = outcome(request(bearer=a_token()))
    assert isinstance(allowed, Allowed)
    assert (allowed.route, allowed.rewrite.fields, allowed.good_until) == (ROUTE, (), GOOD["exp"] + 30)
    assert allowed.trail.proven["access"].token.claims["sub"] == "alice"
    assert allowed.trail.principal.tokens == allowed.trail.proven


def test_an_unknown_kid_is_asked_for_once_and_then_refused() -> None:
    view = request(bearer=a_token(key=OTHER_KEY.with_kid("k9")))
    moves = walk(view)
    assert next(moves) == NeedKeys("main", "k9", "192.0.2.7")
    assert stopped(finish(moves, [KEYS])) == ("key_unknown", "verify", "access")


def test_a_route_that_was_found_before_is_not_looked_for() -> None:
    found = finish(decide(plan(), request(path="/other", bearer=a_token()), HELD, NOON, route=ROUTE))
    assert isinstance(found, Allowed)
    assert found.route is ROUTE


def test_a_key_that_arrives_is_used() -> None:
    moves = walk(request(bearer=a_token()), facts=NOTHING)
    assert next(moves) == NeedKeys("main", "k1", "192.0.2.7")
    assert isinstance(finish(moves, [KEYS]), Allowed)


def test_sec_143_what_cannot_be_found_out_is_a_fault_and_never_a_refusal() -> None:
    moves = walk(request(bearer=a_token()), facts=NOTHING)
    next(moves)
    fault = DependencyFault("issuer_unreachable")
    with pytest.raises(StopIteration) as end:
        moves.throw(fault)
    failed = end.value.value
    assert isinstance(failed, Failed)
    assert (failed.fault, failed.fault.status, failed.trail.room) == (fault, 503, "verify")


def test_a_token_that_cannot_be_signed_is_a_fault() -> None:
    moves = walk(request(bearer=a_token()), replace(ROUTE, issue=(ISSUE,)))
    next(moves)
    with pytest.raises(StopIteration) as end:
        moves.throw(DependencyFault("signer_unavailable"))
    assert isinstance(end.value.value, Failed)
    assert end.value.value.trail.room == "issue"


@pytest.mark.parametrize(
    ("view", "ended"),
    [
        (request(path="/other"), ("route_unknown", "match", "")),
        (request(), ("credential_missing", "extract", "access")),
        (request(bearer="abc"), ("token_malformed", "verify", "access")),
        (request(bearer=a_token(key=OTHER_KEY)), ("signature_wrong", "verify", "access")),
        (request(bearer=a_token(exp=NOON - 30)), ("token_expired", "claims", "access")),
        (request(bearer=a_token(aud="other")), ("audience_wrong", "claims", "access")),
        (request(bearer=a_token(cnf={"jkt": "x"})), ("proof_missing", "claims", "access")),
    ],
)
def test_a_refusal_says_where_the_walk_ended(view: RequestView, ended: tuple[str, str, str]) -> None:
    assert stopped(outcome(view)) == ended


def test_scope_is_looked_at_when_the_caller_is_known() -> None:
    route = replace(ROUTE, slots=(replace(SLOT, scope=ScopeNeed(all_of=frozenset({"orders:read"}))),))
    assert stopped(outcome(request(bearer=a_token()), route)) == ("scope_missing", "permissions", "")
    assert stopped(outcome(request(bearer=a_token(scope="x")), route)) == ("scope_insufficient", "permissions", "")
    assert isinstance(outcome(request(bearer=a_token(scope="orders:read")), route), Allowed)


def test_sec_115_a_value_no_field_can_carry_is_refused_in_the_end() -> None:
    route = replace(ROUTE, identity=(replace(NAMED, value=replace(NAMED.value, path=("roles",))),))
    assert stopped(outcome(request(bearer=a_token(roles={})), route)) == ("field_value_unsafe", "rewrite", "")


def test_nothing_is_said_of_claims_before_the_signature_holds() -> None:
    assert stopped(outcome(request(bearer=a_token(exp=1, key=OTHER_KEY)))) == ("signature_wrong", "verify", "access")


def test_an_absent_credential_is_anonymous_where_it_is_optional() -> None:
    allowed = outcome(request(), replace(OPTIONAL, identity=(NAMED, FIXED), issue=(ISSUE,)))
    assert isinstance(allowed, Allowed)
    assert allowed.trail.principal is ANONYMOUS
    assert allowed.rewrite.fields == ((b"X-Via", b"gate"),)
    assert allowed.good_until is None


@pytest.mark.parametrize("bearer", ["abc", a_token(exp=1), a_token(key=OTHER_KEY), a_token(aud="other")])
def test_sec_52_a_bad_credential_is_refused_also_where_it_is_optional(bearer: str) -> None:
    assert isinstance(outcome(request(bearer=bearer), OPTIONAL), Refused)


def test_sec_111_a_route_that_asks_for_nothing_lets_everybody_pass() -> None:
    allowed = outcome(request(bearer="not a token"), replace(ROUTE, slots=()))
    assert isinstance(allowed, Allowed)
    assert allowed.trail.principal is ANONYMOUS


def test_every_slot_has_to_be_satisfied() -> None:
    route = replace(ROUTE, slots=(SLOT, CHANNEL))
    channel = (b"x-channel", a_token(sub="bob").encode())
    allowed = outcome(request(channel, bearer=a_token()), route)
    assert isinstance(allowed, Allowed)
    assert [proven.token.claims["sub"] for proven in allowed.trail.proven.values()] == ["alice", "bob"]
    assert stopped(outcome(request(bearer=a_token()), route)) == ("credential_missing", "extract", "channel")
    assert stopped(outcome(request(channel), route)) == ("credential_missing", "extract", "access")
    expired = (b"x-channel", a_token(exp=1).encode())
    assert stopped(outcome(request(expired, bearer=a_token()), route)) == ("token_expired", "claims", "channel")


def test_an_outcome_is_good_as_long_as_the_shortest_of_what_it_rests_on() -> None:
    route = replace(ROUTE, slots=(SLOT, CHANNEL))
    channel = (b"x-channel", a_token(exp=NOON + 100).encode())
    allowed = outcome(request(channel, bearer=a_token()), route)
    assert isinstance(allowed, Allowed)
    assert allowed.good_until == NOON + 130


def test_an_issued_token_is_asked_for_and_bounds_the_outcome() -> None:
    moves = walk(request(bearer=a_token()), replace(ROUTE, issue=(ISSUE,), identity=(NAMED,)))
    claims = {"iss": "https://gate.example", "aud": "internal"}
    assert next(moves) == NeedIssuedToken(ISSUE, claims, not_after=GOOD["exp"], incoming_exp=GOOD["exp"])
    allowed = finish(moves, [ISSUED])
    assert allowed.rewrite.fields == ((b"X-Jwt-Assertion", b"a.b.c"), (b"X-User", b"alice"))
    assert allowed.good_until == ISSUED.reuse_until


@pytest.mark.parametrize(
    "bearer", [a_token(key=OTHER_KEY), a_token(exp=1), a_token(aud="other"), a_token(cnf={}), "abc"]
)
def test_sec_158_nothing_is_issued_for_a_token_that_failed(bearer: str) -> None:
    assert isinstance(outcome(request(bearer=bearer), replace(ROUTE, issue=(ISSUE,))), Refused)


def test_sec_6_a_token_may_be_as_long_as_the_plan_says() -> None:
    token = a_token()
    for limit_bytes, expected in ((len(token), Allowed), (len(token) - 1, Refused)):
        strict = plan(token_limit_bytes=limit_bytes)
        assert isinstance(finish(decide(strict, request(bearer=token), HELD, NOON)), expected)


ORIGIN, ASKED = (b"origin", b"https://app.example"), (b"access-control-request-method", b"PUT")
PREFLIGHT = request(ORIGIN, ASKED, method="OPTIONS")
FORWARDING = replace(ROUTE, forward_cors_preflight=True, issue=(ISSUE,), identity=(NAMED, FIXED))


def test_sec_118_a_preflight_passes_without_a_token_where_the_route_says_so() -> None:
    allowed = outcome(PREFLIGHT, FORWARDING)
    assert isinstance(allowed, Allowed)
    assert allowed.trail.principal is ANONYMOUS
    assert allowed.rewrite.fields == ((b"X-Via", b"gate"),)


def test_sec_118_what_a_preflight_may_do_is_good_for_no_other_request() -> None:
    allowed = outcome(PREFLIGHT, FORWARDING)
    assert isinstance(allowed, Allowed)
    assert allowed.good_until == 0


@pytest.mark.parametrize("bearer", [a_token(), a_token(key=OTHER_KEY)])
def test_sec_118_nobody_is_asked_and_so_nobody_is_proven(bearer: str) -> None:
    allowed = outcome(request(ORIGIN, ASKED, method="OPTIONS", bearer=bearer), FORWARDING)
    assert isinstance(allowed, Allowed)
    assert allowed.trail.principal is ANONYMOUS


@pytest.mark.parametrize(
    ("view", "route"),
    [
        (PREFLIGHT, ROUTE),
        (request(ORIGIN, method="OPTIONS"), FORWARDING),
        (request(ASKED, method="OPTIONS"), FORWARDING),
        (request(ORIGIN, ASKED, method="GET"), FORWARDING),
    ],
)
def test_sec_118_anything_else_needs_its_token(view: RequestView, route: Route) -> None:
    assert stopped(outcome(view, route)) == ("credential_missing", "extract", "access")


def test_sec_52_a_rule_that_breaks_lets_nobody_pass() -> None:
    def broken(_: str) -> bool:
        raise RuntimeError("a mistake of ours")

    rule = ClaimRule(("sub",), Comparison.MATCHES, pattern=broken)
    with pytest.raises(RuntimeError):
        outcome(request(bearer=a_token()), replace(OPTIONAL, slots=(replace(SLOT, rules=(rule,)),)))


GUEST = replace(ROUTE, anonymous="acme", anonymous_for_refused=True)


@pytest.mark.parametrize("view", [request(), request(bearer="abc"), request(bearer=a_token(exp=1))])
def test_a_caller_whose_token_is_refused_goes_on_as_the_anonymous_consumer_where_the_document_says_so(
    view: RequestView,
) -> None:
    facts = Held({"main": KEYS}, consumers=[ACME])
    allowed = finish(walk(view, GUEST, facts=facts))
    assert isinstance(allowed, Allowed)
    assert (allowed.trail.principal.consumer, dict(allowed.trail.principal.tokens)) == (ACME, {})
    assert allowed.trail.forgiven is not None
    strict = replace(GUEST, anonymous_for_refused=False)
    assert isinstance(finish(walk(view, strict, facts=facts)), Refused)


def test_who_goes_on_as_nobody_is_looked_at_again_each_time() -> None:
    facts = Held({"main": KEYS}, consumers=[ACME])
    early = request(bearer=a_token(nbf=NOON + 60))
    forgiven = finish(walk(early, GUEST, facts=facts))
    assert isinstance(forgiven, Allowed)
    assert forgiven.good_until == 0
    welcome = finish(walk(early, GUEST, facts=facts, now=NOON + 60))
    assert isinstance(welcome, Allowed)
    assert welcome.trail.proven.keys() == {"access"}
    nobody = finish(walk(request(), GUEST, facts=facts))
    assert isinstance(nobody, Allowed)
    assert nobody.good_until is None


ANSWERED = Introspection(
    times=Times(exp_required=False, max_age_seconds=10),
    audiences=frozenset({"here"}),
    rules=(ClaimRule(("tenant",), Comparison.EQUALS, ("a",)),),
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"aud": "orders"}, "audience_wrong"),
        ({"aud": None}, "claim_malformed"),
        ({"iat": NOON - 60}, "token_too_old"),
        ({"tenant": "b"}, "claim_wrong"),
        ({"iss": "https://other.example"}, "issuer_wrong"),
        ({"cnf": {"jkt": "x"}}, "proof_missing"),
        ({"region": "eu"}, "claim_wrong"),
    ],
)
def test_sec_68_an_answer_is_checked_by_what_the_document_says_of_answers(change: dict[str, JSON], reason: str) -> None:
    us = ClaimRule(("region",), Comparison.EQUALS, ("us",), if_present=True)
    issuer = replace(ISSUER, algorithms=frozenset(), introspection=ANSWERED, rules=(us,))
    route = replace(ROUTE, slots=(replace(SLOT, issuers={}, introspector=issuer),))
    good: dict[str, JSON] = {"aud": "here", "iat": NOON, "tenant": "a"}

    def answered(members: dict[str, JSON]) -> Outcome:
        moves = walk(request(bearer="opaque"), route)
        next(moves)
        return finish(moves, [Introspected(True, members, NOON + 60)])

    assert isinstance(answered(good), Allowed)
    assert stopped(answered({**good, **change})) == (reason, "claims", "access")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"aud": "orders"}, "audience_wrong"),
        ({"iss": "https://other.example"}, "issuer_wrong"),
        ({"cnf": {"jkt": "x"}}, "proof_missing"),
        ({"exp": NOON - 60}, "token_expired"),
        ({"iat": NOON - 60}, "token_too_old"),
        ({"tenant": "b"}, "claim_wrong"),
    ],
)
def test_sec_68_an_answer_besides_a_signature_is_checked_too(change: dict[str, JSON], reason: str) -> None:
    us = ClaimRule(("region",), Comparison.EQUALS, ("us",))
    issuer = replace(ISSUER, introspection=ANSWERED, rules=(us,))
    slot = replace(SLOT, issuers={ISS: issuer}, introspector=issuer, introspect=Introspect.ADDITIONALLY)

    def answered(**members: JSON) -> Outcome:
        moves = walk(request(bearer=a_token(region="us")), replace(ROUTE, slots=(slot,)))
        next(moves)
        return finish(moves, [Introspected(True, members, NOON + 300)])

    good: dict[str, JSON] = {"iat": NOON, "tenant": "a"}
    for members in (good, {**good, "aud": "here", "iss": ISS, "exp": NOON + 10}):
        assert isinstance(answered(**members), Allowed)
    assert stopped(answered(**{**good, **change})) == (reason, "claims", "access")


@pytest.mark.parametrize(
    ("change", "reason"), [({"exp": NOON - 60}, "token_expired"), ({"aud": "x"}, "audience_wrong")]
)
def test_nobody_is_asked_about_a_token_that_is_refused_anyway(change: dict[str, JSON], reason: str) -> None:
    issuer = replace(ISSUER, introspection=Introspection())
    slot = replace(SLOT, issuers={ISS: issuer}, introspector=issuer, introspect=Introspect.ADDITIONALLY)
    refused = outcome(request(bearer=a_token(**change)), replace(ROUTE, slots=(slot,)))
    assert stopped(refused) == (reason, "claims", "access")


def test_what_an_answer_besides_a_signature_says_ends_ends_the_use_of_the_token() -> None:
    issuer = replace(ISSUER, introspection=Introspection())
    slot = replace(SLOT, issuers={ISS: issuer}, introspector=issuer, introspect=Introspect.ADDITIONALLY)

    def good_until(**members: JSON) -> int | None:
        moves = walk(request(bearer=a_token()), replace(ROUTE, slots=(slot,)))
        next(moves)
        outcome = finish(moves, [Introspected(True, members, NOON + 300)])
        assert isinstance(outcome, Allowed)
        return outcome.trail.proven["access"].good_until

    assert good_until() == good_until(exp=NOON + 500) == NOON + 330
    assert good_until(exp=NOON + 10) == NOON + 40


def test_what_cannot_be_found_out_is_never_forgiven() -> None:
    moves = walk(request(bearer=a_token()), GUEST, facts=Held({}, consumers=[ACME]))
    next(moves)
    with pytest.raises(StopIteration) as end:
        moves.throw(DependencyFault("issuer_unreachable"))
    assert isinstance(end.value.value, Failed)


def test_sec_75_a_revoked_token_is_refused_with_the_room_that_knew() -> None:
    facts = Held({"main": KEYS}, revocations=[Revocation("r", RevokedBy.SUBJECT, "alice")])
    assert stopped(finish(walk(request(bearer=a_token()), facts=facts))) == ("token_revoked", "revoked", "")


def test_sec_76_what_may_be_revoked_is_a_fault_only_where_nothing_is_known_against_it() -> None:
    sensitive, good = replace(ROUTE, needs_store=True), request(bearer=a_token())
    failed = finish(walk(good, sensitive, facts=Held({"main": KEYS}, store_away=True)))
    assert isinstance(failed, Failed)
    assert (failed.fault.reason, failed.trail.room) == ("revocations_unknown", "revoked")
    revoked = Held({"main": KEYS}, revocations=[Revocation("r", RevokedBy.SUBJECT, "alice")], store_away=True)
    assert stopped(finish(walk(good, sensitive, facts=revoked)))[0] == "token_revoked"


def test_sec_118_a_preflight_is_asked_for_no_permission_either() -> None:
    route = replace(FORWARDING, permission=PermissionNeed((), Value(Origin.CONSTANT, constant="read")))
    assert isinstance(outcome(PREFLIGHT, route), Allowed)
    assert stopped(outcome(request(bearer=a_token()), route))[0] == "permission_missing"


def test_the_credential_itself_goes_on_in_a_field_of_its_own_where_the_document_says_so() -> None:
    token = a_token()
    allowed = outcome(request(bearer=token), replace(ROUTE, slots=(replace(SLOT, original_field=b"X-Original"),)))
    assert isinstance(allowed, Allowed)
    assert allowed.rewrite.fields == ((b"X-Original", token.encode()),)


LIMITED = replace(ROUTE, rate_limit=RateLimit(3, 30))
LEFT, NONE_LEFT = Allowance(True, 2, 30), Allowance(False, 0, 12)


def asking_for_leave(route: Route = LIMITED, view: RequestView | None = None, facts: Facts = HELD) -> Steps[Outcome]:
    going = walk(request(bearer=a_token()) if view is None else view, route, facts=facts)
    assert isinstance(next(going), NeedAllowance)
    return going


def test_a_caller_with_a_limit_is_counted_before_anything_is_made_for_it_and_never_remembered() -> None:
    allowed = finish(asking_for_leave(), [LEFT])
    assert isinstance(allowed, Allowed)
    assert (allowed.good_until, allowed.trail.allowance) == (0, LEFT)
    with_token = asking_for_leave(replace(LIMITED, issue=(ISSUE,)))
    assert isinstance(with_token.send(LEFT), NeedIssuedToken)


def test_one_request_too_many_is_refused_with_what_is_left_in_the_trail() -> None:
    ended = finish(asking_for_leave(replace(LIMITED, issue=(ISSUE,))), [NONE_LEFT])
    assert stopped(ended) == ("rate_limit_exceeded", "limits", "")
    assert ended.trail.allowance == NONE_LEFT


def test_sec_143_who_cannot_be_counted_fails() -> None:
    going = asking_for_leave()
    with pytest.raises(StopIteration) as end:
        going.throw(DependencyFault("requests_not_counted"))
    assert isinstance(end.value.value, Failed)


def test_whoever_is_refused_before_is_not_counted() -> None:
    assert stopped(outcome(request(), LIMITED)) == ("credential_missing", "extract", "access")
    nobody = replace(LIMITED, permission=PermissionNeed(otherwise=Value(Origin.CONSTANT, constant="x")))
    assert stopped(outcome(request(bearer=a_token()), nobody)) == ("permission_missing", "permissions", "")


def test_the_anonymous_consumer_is_counted_by_its_own_limit() -> None:
    acme = replace(ACME, rate_limit=RateLimit(1, 60))
    going = walk(request(), replace(OPTIONAL, anonymous="acme"), facts=Held({}, consumers=[acme]))
    need = next(going)
    assert isinstance(need, NeedAllowance)
    assert (need.requests, need.window_seconds) == (1, 60)


# One slot that is proven may be enough.

EITHER = replace(ROUTE, slots=(SLOT, CHANNEL), one_slot_is_enough=True)
BOTH = replace(EITHER, one_slot_is_enough=False)
GOOD_CHANNEL = (b"x-channel", a_token(sub="bob").encode())
BAD_CHANNEL = (b"x-channel", a_token(exp=1).encode())


@pytest.mark.parametrize(
    ("view", "proven"),
    [
        (request(bearer=a_token()), {"access"}),
        (request(GOOD_CHANNEL), {"channel"}),
        (request(GOOD_CHANNEL, bearer=a_token(exp=1)), {"channel"}),
        (request(GOOD_CHANNEL, bearer="abc"), {"channel"}),
        (request(BAD_CHANNEL, bearer=a_token()), {"access"}),
        (request(GOOD_CHANNEL, bearer=a_token()), {"access"}),
    ],
)
def test_the_first_slot_that_is_proven_suffices_where_the_document_says_so(view: RequestView, proven: set[str]) -> None:
    allowed = outcome(view, EITHER)
    assert isinstance(allowed, Allowed)
    assert allowed.trail.principal.tokens.keys() == proven
    if view != request(GOOD_CHANNEL, bearer=a_token()):
        assert isinstance(outcome(view, BOTH), Refused) or proven == {"access"}


@pytest.mark.parametrize(
    ("view", "ended"),
    [
        (request(), ("credential_missing", "extract", "access")),
        (request(BAD_CHANNEL), ("token_expired", "claims", "channel")),
        (request(BAD_CHANNEL, bearer=a_token(aud="x")), ("audience_wrong", "claims", "access")),
        (request((b"x-channel", b"abc"), bearer=a_token(exp=1)), ("token_expired", "claims", "access")),
    ],
)
def test_where_none_is_proven_what_was_presented_is_refused_before_what_is_missing(
    view: RequestView, ended: tuple[str, str, str]
) -> None:
    assert stopped(outcome(view, EITHER)) == ended


def test_sec_52_a_bad_credential_is_refused_also_where_no_slot_is_required() -> None:
    slots = tuple(replace(slot, required=False) for slot in EITHER.slots)
    optional = replace(EITHER, slots=slots)
    assert isinstance(outcome(request(), optional), Allowed)
    assert stopped(outcome(request(BAD_CHANNEL), optional))[0] == "token_expired"
    assert isinstance(outcome(request(GOOD_CHANNEL), optional), Allowed)


def test_what_one_slot_cannot_find_out_is_a_fault_whatever_another_would_say() -> None:
    facts = Held({})
    moves = walk(request(GOOD_CHANNEL, bearer=a_token()), EITHER, facts=facts)
    next(moves)
    with pytest.raises(StopIteration) as end:
        moves.throw(DependencyFault("issuer_unreachable"))
    assert isinstance(end.value.value, Failed)


def test_a_slot_that_was_refused_is_looked_at_again_each_time() -> None:
    early = outcome(request(GOOD_CHANNEL, bearer=a_token(nbf=NOON + 60)), EITHER)
    assert isinstance(early, Allowed)
    assert early.good_until == 0
    assert early.trail.forgiven is not None
    absent = outcome(request(GOOD_CHANNEL), EITHER)
    assert isinstance(absent, Allowed)
    assert (absent.good_until, absent.trail.forgiven) == (GOOD["exp"] + 30, None)


def test_where_none_is_proven_the_anonymous_consumer_stands_in_if_the_document_says_so() -> None:
    facts = Held({"main": KEYS}, consumers=[ACME])
    guest = replace(EITHER, anonymous="acme", anonymous_for_refused=True)
    for view in (request(), request(BAD_CHANNEL), request(BAD_CHANNEL, bearer="abc")):
        allowed = finish(walk(view, guest, facts=facts))
        assert isinstance(allowed, Allowed)
        assert (allowed.trail.principal.consumer, dict(allowed.trail.principal.tokens)) == (ACME, {})
        assert isinstance(finish(walk(view, replace(guest, anonymous_for_refused=False), facts=facts)), Refused)
    repeated = request((b"authorization", b"Bearer a"), (b"authorization", b"Bearer b"), BAD_CHANNEL)
    assert finish(walk(repeated, guest, facts=facts)).good_until == 0


# What legacy issuers are not asked, and how long that holds.


def of(issuer: Issuer, **slot: Any) -> Route:
    return replace(ROUTE, slots=(replace(SLOT, issuers={ISS: issuer}, **slot),))


def test_an_outcome_without_an_end_is_remembered_for_a_while_and_not_for_ever() -> None:
    endless = replace(ISSUER, times=Times(exp_required=False))
    allowed = outcome(request(bearer=a_token(exp=None)), of(endless))
    assert isinstance(allowed, Allowed)
    assert (allowed.good_until, allowed.trail.principal.good_until) == (NOON + ENDLESS_SECONDS, None)
    unread = replace(ISSUER, times=Times(exp_required=False, held_in=TimeClaims(exp=None)))
    past = outcome(request(bearer=a_token(exp=1)), of(unread))
    assert isinstance(past, Allowed)
    assert past.good_until == NOON + ENDLESS_SECONDS
    assert stopped(outcome(request(bearer=a_token(exp=1)), of(endless)))[0] == "token_expired"
    aged = replace(unread, times=replace(unread.times, max_age_seconds=60))
    young = outcome(request(bearer=a_token(exp=1, iat=NOON)), of(aged))
    assert isinstance(young, Allowed)
    assert young.good_until == NOON + 90


def test_an_outcome_ends_with_the_claim_that_says_so() -> None:
    elsewhere = replace(ISSUER, times=Times(0, held_in=TimeClaims(exp=("life", "end"))))
    allowed = outcome(request(bearer=a_token(exp=1, life={"end": NOON + 10})), of(elsewhere))
    assert isinstance(allowed, Allowed)
    assert allowed.good_until == NOON + 10
    late = outcome(request(bearer=a_token(life={"end": NOON})), of(elsewhere))
    assert stopped(late) == ("token_expired", "claims", "access")


def test_sec_75_a_token_nobody_verified_can_be_revoked_all_the_same() -> None:
    trusting = of(replace(ISSUER, algorithms=frozenset(), signature_unverified=True))
    facts = Held({}, revocations=[Revocation("r", RevokedBy.SUBJECT, "alice")])
    view = request(bearer=a_token(key=OTHER_KEY))
    assert isinstance(finish(walk(view, trusting)), Allowed)
    assert stopped(finish(walk(view, trusting, facts=facts)))[0] == "token_revoked"
    assert stopped(outcome(request(bearer=a_token(key=OTHER_KEY, exp=1)), trusting))[0] == "token_expired"


# Tokens that were introspected may be asked for something else.

TENANT = ClaimRule(("tenant",), Comparison.EQUALS, ("a",))
BY_SUB = ConsumerMapping((("sub",),))


def introspecting(instead: dict[str, Any] | None, **reading: Any) -> Route:
    issuer = replace(ISSUER, introspection=Introspection(audiences=None, **reading), audiences=None)
    slot = replace(SLOT, issuers={ISS: issuer}, introspector=issuer, rules=(TENANT,), consumer=BY_SUB)
    slot = replace(slot, scope=ScopeNeed(all_of=frozenset({"jwt"})))
    plain = replace(slot, rules=(), scope=None, consumer=None)
    return replace(ROUTE, slots=(replace(slot, introspected=None if instead is None else replace(plain, **instead)),))


def answered(route: Route, **members: JSON) -> Outcome:
    moves = walk(request(bearer="opaque"), route, facts=Held({"main": KEYS}, consumers=[ACME]))
    next(moves)
    return finish(moves, [Introspected(True, members, NOON + 60)])


def test_an_introspected_token_is_asked_for_what_its_slot_says_of_those_instead() -> None:
    nothing = answered(introspecting({}), sub="nobody")
    assert isinstance(nothing, Allowed)
    assert nothing.trail.principal.consumer is None
    same = introspecting(None)
    assert stopped(answered(same, sub="nobody"))[0] == "claim_missing"
    assert stopped(answered(same, tenant="a", sub="ext-1"))[0] == "scope_missing"
    other = introspecting(
        {
            "rules": (replace(TENANT, wanted=("b",)),),
            "scope": ScopeNeed(any_of=(frozenset({"op", "aque"}),)),
            "consumer": ConsumerMapping((("client",),)),
        }
    )
    good: dict[str, JSON] = {"tenant": "b", "scope": "aque op", "client": "ext-1"}
    allowed = answered(other, **good)
    assert isinstance(allowed, Allowed)
    assert allowed.trail.principal.consumer == ACME
    assert stopped(answered(other, **{**good, "tenant": "a"}))[0] == "claim_wrong"
    assert stopped(answered(other, **{**good, "scope": "op"}))[0] == "scope_insufficient"
    assert stopped(answered(other, **{**good, "client": "x"}))[0] == "consumer_unknown"


def test_a_jwt_of_the_same_slot_is_asked_for_what_the_slot_says() -> None:
    route, facts = introspecting({}), Held({"main": KEYS}, consumers=[ACME])
    good = {"tenant": "a", "scope": "jwt", "sub": "ext-1"}
    assert isinstance(finish(walk(request(bearer=a_token(**good)), route, facts=facts)), Allowed)
    for change in ({"tenant": "b"}, {"scope": "x"}):
        token = a_token(**{**good, **change})
        assert isinstance(finish(walk(request(bearer=token), route, facts=facts)), Refused)


def test_a_jwt_in_an_answer_may_be_passed_on_unseen_and_the_answer_is_checked() -> None:
    scope = {"scope": ScopeNeed(all_of=frozenset({"a"})), "consumer": BY_SUB}
    unseen = introspecting(scope, jwt_claim=("jwt",), inner_unchecked=True)
    inner = a_token(exp=1, sub="inner", scope="none")
    good: dict[str, JSON] = {"jwt": inner, "scope": "a", "sub": "ext-1", "exp": NOON + 50}
    allowed = answered(unseen, **good)
    assert isinstance(allowed, Allowed)
    assert allowed.trail.proven["access"].token.claims["sub"] == "inner"
    assert (allowed.trail.principal.consumer, allowed.good_until) == (ACME, NOON + 60)
    assert stopped(answered(unseen, **{**good, "exp": NOON - 60}))[0] == "token_expired"
    assert stopped(answered(unseen, **{**good, "scope": "b"}))[0] == "scope_insufficient"
    assert stopped(answered(unseen, **{**good, "sub": "nobody"}))[0] == "consumer_unknown"
    assert stopped(answered(unseen, **{**good, "jwt": "x"}))[0] == "token_malformed"
    seen = introspecting(scope, jwt_claim=("jwt",))
    assert stopped(answered(seen, **good))[0] == "token_expired"


def test_an_api_key_is_good_while_its_consumer_is_there() -> None:
    door = Issuer("keys", None, frozenset(), None, credentials=CredentialLookup(api_key=True))
    door = replace(door, times=Times(exp_required=False, held_in=TimeClaims(exp=None)))
    route = replace(ROUTE, slots=(replace(SLOT, issuers={}, by_credential=door),))
    held = Credential(api_key_name("s3cret"), "k-1", ACME, frozenset(), KeySet([]))
    allowed = finish(walk(request(bearer="s3cret"), route, facts=Held({}, credentials=[held])))
    assert isinstance(allowed, Allowed)
    assert (allowed.trail.principal.consumer, allowed.good_until) == (ACME, NOON + ENDLESS_SECONDS)
    moves = walk(request(bearer="other"), route, facts=Held({}, credentials=[held]))
    next(moves)
    assert stopped(finish(moves, [None])) == ("credential_unknown", "verify", "access")
    revoked = Held({}, credentials=[held], revocations=[Revocation("r", RevokedBy.CONSUMER, "acme")])
    assert stopped(finish(walk(request(bearer="s3cret"), route, facts=revoked)))[0] == "token_revoked"


BOUND_SLOT = replace(SLOT, sources=(Source(Place.DPOP),), dpop=Dpop(("ES256",), 10))
BOUND_ROUTE = replace(ROUTE, slots=(BOUND_SLOT,))


def with_proof(token: str, scheme: str = "DPoP", **changes: Any) -> RequestView:
    proof = (b"dpop", a_proof(token, **changes).encode())
    return request((b"host", b"api.example"), (b"authorization", f"{scheme} {token}".encode()), proof)


def test_a_token_bound_to_a_key_is_taken_with_a_new_proof_and_never_remembered() -> None:
    moves = walk(with_proof(a_token(cnf=BOUND)), BOUND_ROUTE)
    assert next(moves) == NeedFirstUse(JKT, "e1j3V_bKic8", 21)
    allowed = finish(moves, [True])
    assert isinstance(allowed, Allowed)
    assert allowed.good_until == 0


def test_sec_79_the_same_proof_is_not_taken_again() -> None:
    moves = walk(with_proof(a_token(cnf=BOUND)), BOUND_ROUTE)
    next(moves)
    assert stopped(finish(moves, [False])) == ("proof_wrong", "proof", "access")


def test_sec_77_a_proof_is_looked_at_after_the_token_and_before_anybody_is_asked() -> None:
    issuer = replace(ISSUER, introspection=Introspection())
    slot = replace(BOUND_SLOT, issuers={ISS: issuer}, introspector=issuer, introspect=Introspect.ADDITIONALLY)
    route = replace(ROUTE, slots=(slot,))
    expired = a_token(cnf=BOUND, exp=NOON - 60)
    assert stopped(outcome(with_proof(expired, htm="PUT"), route)) == ("token_expired", "claims", "access")
    good = a_token(cnf=BOUND)
    assert stopped(outcome(with_proof(good, htm="PUT"), route)) == ("proof_wrong", "proof", "access")
    moves = walk(with_proof(good), route)
    assert isinstance(next(moves), NeedFirstUse)
    assert moves.send(True) == NeedIntrospection("main", good, "access_token")
    assert isinstance(finish(moves, [Introspected(True, {"cnf": BOUND}, NOON + 60)]), Allowed)


def test_a_token_nobody_here_can_read_is_bound_by_what_its_issuer_says() -> None:
    issuer = replace(ISSUER, algorithms=frozenset(), introspection=ANSWERED)
    route = replace(ROUTE, slots=(replace(BOUND_SLOT, issuers={}, introspector=issuer),))

    def answered(cnf: JSON) -> Steps[Outcome]:
        moves = walk(with_proof("opaque"), route)
        next(moves)
        said: dict[str, JSON] = {"aud": "here", "iat": NOON, "tenant": "a", "cnf": cnf}
        moves.send(Introspected(True, said, NOON + 60))
        return moves

    assert isinstance(finish(answered(BOUND), [True]), Allowed)
    with pytest.raises(StopIteration) as ended:
        answered({"jkt": "x"})
    assert stopped(ended.value.value) == ("proof_wrong", "proof", "access")


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (with_proof(a_token()), ("proof_wrong", "proof", "access")),
        (with_proof(a_token(cnf={"x5t#S256": JKT})), ("proof_missing", "claims", "access")),
        (with_proof(a_token(cnf=BOUND), "Bearer"), ("credential_missing", "extract", "access")),
        (with_proof(a_token(cnf=BOUND), key=OTHER_KEY), ("proof_wrong", "proof", "access")),
    ],
)
def test_sec_78_nothing_but_a_bound_token_with_its_proof_will_do(view: RequestView, reason: tuple[str, ...]) -> None:
    assert stopped(outcome(view, BOUND_ROUTE)) == reason


def test_sec_78_beside_a_slot_for_proofs_a_bearer_token_is_still_none_that_is_bound() -> None:
    route = replace(ROUTE, slots=(BOUND_SLOT, replace(SLOT, name="plain")), one_slot_is_enough=True)
    assert isinstance(outcome(request(bearer=a_token()), route), Allowed)
    assert stopped(outcome(with_proof(a_token(cnf=BOUND), "Bearer"), route)) == ("proof_missing", "claims", "plain")


def test_a_preflight_has_no_proof_and_is_let_through_where_the_route_says_so() -> None:
    asks = ((b"origin", b"https://a.example"), (b"access-control-request-method", b"GET"))
    preflight = request(*asks, method="OPTIONS")
    allowed = outcome(preflight, replace(BOUND_ROUTE, forward_cors_preflight=True))
    assert isinstance(allowed, Allowed)
    assert allowed.good_until == 0
    assert stopped(outcome(preflight, BOUND_ROUTE)) == ("credential_missing", "extract", "access")


def test_nobody_who_can_tell_whether_a_proof_is_new_is_a_fault() -> None:
    moves = walk(with_proof(a_token(cnf=BOUND)), BOUND_ROUTE)
    next(moves)
    with pytest.raises(StopIteration) as ended:
        moves.throw(DependencyFault("requests_not_counted"))
    assert isinstance(ended.value.value, Failed)
    assert ended.value.value.trail.room == "proof"


# What expressions of installed languages look at, and what they ask for.

WANTED = NeedConsumer((), "wanted")


def saying(value: Value) -> Route:
    return replace(ROUTE, sent_fields=(IdentityField(b"X-Said", value),))


def test_an_expression_may_ask_while_the_request_is_rewritten() -> None:
    asking = walk(request(bearer=a_token()), saying(told(asks_for(WANTED))))
    assert next(asking) == WANTED
    allowed = finish(asking, ["it"])
    assert isinstance(allowed, Allowed)
    assert allowed.rewrite.fields == ((b"X-Said", b"it"),)
    assert allowed.trail.known is not None
    assert allowed.trail.known.answers == {WANTED: "it"}


def test_an_expression_may_ask_for_the_permission_that_is_needed() -> None:
    route = replace(ROUTE, permission=PermissionNeed(otherwise=told(asks_for(WANTED))))
    asking = walk(request(bearer=a_token()), route)
    assert next(asking) == WANTED
    assert stopped(finish(asking, ["admin"])) == ("permission_missing", "permissions", "")


def test_an_expression_may_ask_for_a_claim_and_for_what_is_counted() -> None:
    issue = replace(ISSUE, set=(("said", told(asks_for(WANTED))),))
    asking = walk(request(bearer=a_token()), replace(ROUTE, issue=(issue,)))
    assert next(asking) == WANTED
    need = asking.send("it")
    assert isinstance(need, NeedIssuedToken)
    assert need.claims["said"] == "it"
    limit = RateLimit(1, 60, CountedBy.VALUE, told(asks_for(WANTED)))
    asking = walk(request(bearer=a_token()), replace(ROUTE, rate_limit=limit))
    assert next(asking) == WANTED
    assert isinstance(asking.send("it"), NeedAllowance)


def test_an_answer_of_ones_own_may_ask() -> None:
    respond = RespondWorded(told(lambda _: 201), told(asks_for(WANTED)), Value(Origin.CONSTANT))
    asking = walk(request(bearer=a_token()), replace(ROUTE, respond=respond))
    assert next(asking) == WANTED
    allowed = finish(asking, ["it"])
    assert isinstance(allowed, Allowed)
    assert allowed.rewrite.respond == Respond(201, TEXT, b"it")


def test_an_expression_that_fails_is_a_fault_of_ours() -> None:
    ended = outcome(request(bearer=a_token()), saying(told(lambda known: known.principal.nothing)))  # type: ignore[attr-defined]
    assert isinstance(ended, Failed)
    assert (ended.fault.reason, ended.fault.status, ended.trail.room) == ("expression_failed", 500, "rewrite")


def test_a_route_may_refuse_whoever_may_use_it() -> None:
    route = replace(ROUTE, respond=RespondRefusal("route_unknown"))
    assert stopped(outcome(request(), route)) == ("credential_missing", "extract", "access")
    ended = outcome(request(bearer=a_token()), route)
    assert stopped(ended) == ("route_unknown", "rewrite", "")
    assert isinstance(ended, Refused)
    assert ended.refusal.status == 404


def test_a_refusal_is_known_with_its_slot_and_the_tokens_before_it() -> None:
    granting = replace(ISSUER, grants=Grants(permissions=("may",)))
    first = replace(SLOT, issuers={ISS: granting})
    route = replace(ROUTE, slots=(first, CHANNEL))
    ended = finish(walk(request(BAD_CHANNEL, bearer=a_token(may=["a"])), route))
    assert stopped(ended) == ("token_expired", "claims", "channel")
    known = ended.trail.known
    assert known is not None
    assert (known.error, known.slot) == (ended.refusal, "channel")
    assert list(known.principal.tokens) == ["access"]
    assert known.principal.permissions == ("a",)
    assert ended.trail.principal is known.principal


def test_what_a_later_slot_looks_at_is_known_of_the_slots_before() -> None:
    seen = []

    def compute(known: Known) -> object:
        seen.append((list(known.principal.tokens), known.principal.permissions))
        return known.principal.tokens["access"].text

    again = replace(CHANNEL, sources=(Source(Place.VALUE, "", value=told(compute)),))
    ended = finish(walk(request(bearer=a_token()), replace(ROUTE, slots=(SLOT, again))))
    assert isinstance(ended, Allowed)
    assert seen == [(["access"], ())]
    assert list(ended.trail.proven) == ["access", "channel"]


def test_after_everything_held_nothing_is_known_of_a_refusal() -> None:
    allowed = outcome(request(bearer=a_token()))
    assert allowed.trail.known is not None
    assert (allowed.trail.known.error, allowed.trail.known.slot) == (None, "")
    assert allowed.trail.known.principal is allowed.trail.principal


def by_values(**changes: Any) -> Route:
    """A route with the usual slot and, behind it, one whose credential is a value."""
    second = Slot("second", True, (Source(Place.VALUE, value=told(lambda _: a_token(sub="bob"))),), {ISS: ISSUER})
    return replace(ROUTE, slots=(SLOT, replace(second, **changes)))


def decided(route: Route) -> Outcome:
    outcome = finish(decide(plan(route), request(bearer=a_token()), HELD, NOON))
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_value_is_a_credential_as_any_other() -> None:
    outcome = decided(by_values())
    assert isinstance(outcome, Allowed)
    assert [proven.token.claims["sub"] for proven in outcome.trail.proven.values()] == ["alice", "bob"]


def test_what_is_expected_is_worked_out_before_the_token_is_read_and_compared_after_it() -> None:
    for credential, expected, why in (
        ("nonsense", {"sub": "a"}, "token_malformed"),
        ("nonsense", "none", "expected_claims_malformed"),
        (a_token(exp=1), {"sub": "a"}, "token_expired"),
        (a_token(), {"sub": "a"}, "claim_wrong"),
        (None, "none", "credential_missing"),
    ):
        sources = (Source(Place.VALUE, value=told(lambda _, credential=credential: credential)),)
        route = by_values(sources=sources, claims_equal=told(lambda _, expected=expected: expected))
        outcome = decided(route)
        assert isinstance(outcome, Refused | Failed)
        error = outcome.refusal if isinstance(outcome, Refused) else outcome.fault
        assert (error.reason, outcome.trail.slot) == (why, "second")


def test_a_slot_that_looks_at_nothing_is_asked_for_nothing() -> None:
    assert not SLOT.looks_at_known
    assert isinstance(decided(replace(ROUTE, slots=(replace(SLOT, claims_equal=None),))), Allowed)


def test_what_is_expected_may_ask_for_something_first() -> None:
    need = NeedAllowance("x", "y", 1, 1)
    route = replace(ROUTE, slots=(replace(SLOT, claims_equal=told(asks_for(need))),))
    walk = decide(plan(route), request(bearer=a_token()), HELD, NOON)
    assert next(walk) == need
    outcome = finish(walk, [{"sub": "alice"}])
    assert isinstance(outcome, Allowed)
