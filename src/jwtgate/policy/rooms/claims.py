"""Every claim check (RFC 7519 section 4.1), the same for every token however it was verified.

Missing and null are two things, equality is typed, and a time is a JSON number of seconds and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import JSON
from jwtgate.policy.requirements import (
    ClaimPath,
    ClaimRule,
    Comparison,
    Introspection,
    Issuer,
    Slot,
    TimeClaims,
    Times,
)

Claims = Mapping[str, JSON]

MISSING = object()
"""What `find` gives where there is nothing: unlike null, which is a value."""

Time = int | float | None

_TEXTS = ("iss", "sub", "jti")
_FIRST_MILLISECONDS = 10**11

NOTHING_SHOWN: frozenset[str] = frozenset()
SHOWN_BY_DPOP = frozenset({"jkt"})


def check_claims(issuer: Issuer, slot: Slot, claims: Claims, *, now: int, expected: Claims | None = None) -> int | None:
    """The instant (NumericDate) these claims stop being good, if there is one. Refuses what does not hold.

    `expected`: claims that have to be there and equal these, `aud` one of these audiences.
    """
    audiences = slot.audiences if slot.audiences is not None else issuer.audiences
    shown = NOTHING_SHOWN if slot.dpop is None else SHOWN_BY_DPOP
    formed = _without_malformed(claims) if issuer.malformed_is_absent else claims
    good_until = check_registered(formed, iss=issuer.iss, audiences=audiences, times=issuer.times, now=now, shown=shown)
    if expected is not None:
        _check_expected_names(expected, claims)
    for rule in issuer.rules:
        check_rule(rule, claims)
    for rule in slot.rules:
        check_rule(rule, claims)
    if expected is not None:
        _check_equal(expected, claims)
    return good_until


def _without_malformed(claims: Claims) -> Claims:
    """The claims without registered ones of another form than RFC 7519 gives them."""
    malformed = {name for name in _TEXTS if not isinstance(claims.get(name, ""), str)}
    if _audiences(claims.get("aud", "")) is None:
        malformed.add("aud")
    return {name: value for name, value in claims.items() if name not in malformed} if malformed else claims


def _check_expected_names(expected: Claims, claims: Claims) -> None:
    """Refuses `issuer_wrong`, and what `check_audience` does."""
    if "iss" in expected and claims.get("iss") != expected["iss"]:
        raise TokenRefused("issuer_wrong", wanted=expected["iss"])
    if "aud" in expected:
        check_audience((str(expected["aud"]),), claims)


def _check_equal(expected: Claims, claims: Claims) -> None:
    """Refuses `claim_missing`, `claim_wrong`."""
    for name, wanted in expected.items():
        if name in ("iss", "aud"):
            continue
        if name not in claims:
            raise TokenRefused("claim_missing", claim=name)
        if not same(claims[name], wanted):
            raise TokenRefused("claim_wrong", claim=name, got=claims[name], expected=wanted)


def check_answer(issuer: Issuer, slot: Slot, claims: Claims, *, of: Claims, now: int) -> int | None:
    """As `check_claims`, for an answer about a token whose own claims, those `of` it, are checked too (SEC-68).

    The token has said whom it is for, what it grants and what it is bound to; an answer need not repeat that, and must
    not deny it.
    """
    if "aud" not in claims:
        issuer, slot = replace(issuer, audiences=None), replace(slot, audiences=None)
    reading = issuer.introspection or Introspection()
    good_until = check_claims(replace(issuer, rules=reading.rules), replace(slot, rules=()), claims, now=now)
    if "cnf" in claims and not same(claims["cnf"], of.get("cnf")):
        raise TokenRefused("claim_wrong", claim="cnf")
    return good_until


def check_registered(
    claims: Claims,
    *,
    iss: str | None,
    audiences: Collection[str] | None,
    times: Times,
    now: int,
    shown: frozenset[str] = NOTHING_SHOWN,
) -> int | None:
    """As `check_claims`, for the registered claims alone. None for `iss` or `audiences`: any will do.

    `shown` are the members of `cnf` that whoever asks has to prove afterwards, all of them.
    """
    if iss is not None and claims.get("iss") != iss:
        raise TokenRefused("issuer_wrong", wanted=iss)
    good_until = check_times(times, claims, now)
    check_audience(audiences, claims)
    for name in _TEXTS:
        if name in claims and not isinstance(claims[name], str):
            raise TokenRefused("claim_malformed", claim=name)
    # A token bound to a key is never good as a plain bearer token (RFC 7800, 8705, 9449); nor one that is bound in a
    # way nobody here understands.
    if "cnf" in claims:
        cnf = claims["cnf"]
        if not (shown and isinstance(cnf, dict) and cnf.keys() == shown):
            raise TokenRefused("proof_missing")
    return good_until


def check_times(times: Times, claims: Claims, now: int) -> int | None:
    """The instant from which these times no longer hold, leeway included; None when they never end.

    `now` is a NumericDate in whole seconds; the instant `exp` itself counts as expired (RFC 7519 4.1.4).
    """
    try:
        return _checked_times(times, claims, now)
    except TokenRefused as refusal:
        failing = _failing(times, claims, now)
        if len(failing) > 1:
            refusal.detail["times"] = failing
        raise


def _failing(times: Times, claims: Claims, now: int) -> dict[str, str]:
    """Why `exp` and `nbf` do not hold, each as if it were alone."""
    places, failing = times.held_in or TimeClaims(), {}
    alone = replace(times, max_age_seconds=None, max_lifetime_seconds=None, max_remaining_seconds=None)
    of_exp = TimeClaims(places.exp, None, None)
    of_nbf = TimeClaims(None, places.nbf, None, nbf_required=places.nbf_required)
    for name, held_in, needed in (("exp", of_exp, times.exp_required), ("nbf", of_nbf, False)):
        try:
            _checked_times(replace(alone, exp_required=needed, held_in=held_in), claims, now)
        except TokenRefused as refusal:
            failing[name] = refusal.reason
    return failing


def _checked_times(times: Times, claims: Claims, now: int) -> int | None:
    if times.held_in is None:
        exp, nbf, iat = _time(claims, "exp"), _time(claims, "nbf"), _time(claims, "iat")
        _time(claims, "auth_time")
    else:
        exp, nbf, iat = _times_held_in(times.held_in, claims)
    if exp == 0 and times.exp_zero_is_none:
        exp = None
    leeway = times.leeway_seconds
    if exp is None and times.exp_required:
        raise TokenRefused("time_missing", claim=_exp_of(times))
    if exp is not None and now >= exp + leeway:
        raise TokenRefused("token_expired", exp=exp)
    if nbf is not None and nbf > now + leeway:
        raise TokenRefused("token_not_yet_valid", nbf=nbf)
    if iat is not None and iat > now + leeway:
        raise TokenRefused("token_from_the_future", iat=iat)
    # Rounded down: a remembered outcome may end early, never late.
    end = None if exp is None else int(exp + leeway)
    if times.max_age_seconds is None and times.max_lifetime_seconds is None and times.max_remaining_seconds is None:
        return end
    _check_span(times, exp, iat, now=now)
    if times.max_age_seconds is None or iat is None:
        return end
    aged = int(iat + times.max_age_seconds + leeway)
    return aged if end is None else min(end, aged)


def _check_span(times: Times, exp: Time, iat: Time, *, now: int) -> None:
    """Refuses `token_too_old`, `token_lives_too_long`, and `time_missing` where one of them is needed to tell."""
    leeway = times.leeway_seconds
    if times.max_age_seconds is not None or times.max_lifetime_seconds is not None:
        if iat is None:
            raise TokenRefused("time_missing", claim="iat")
        if times.max_age_seconds is not None and now >= iat + times.max_age_seconds + leeway:
            raise TokenRefused("token_too_old", iat=iat)
    if times.max_lifetime_seconds is None and times.max_remaining_seconds is None:
        return
    if exp is None:
        raise TokenRefused("time_missing", claim=_exp_of(times))
    if times.max_lifetime_seconds is not None and iat is not None and exp - iat > times.max_lifetime_seconds:
        raise TokenRefused("token_lives_too_long", seconds=exp - iat)
    if times.max_remaining_seconds is not None and exp - now > times.max_remaining_seconds + leeway:
        raise TokenRefused("token_lives_too_long", seconds=exp - now)


def _exp_of(times: Times) -> str | ClaimPath | None:
    return "exp" if times.held_in is None else times.held_in.exp


def _times_held_in(places: TimeClaims, claims: Claims) -> tuple[Time, Time, Time]:
    """`exp`, `nbf` and `iat` where a document says they are; None for those it does not look at."""
    if places.iat is not None:
        _time(claims, "auth_time")
    exp, nbf, iat = (
        None if path is None else _read_time(find(claims, path), path) for path in (places.exp, places.nbf, places.iat)
    )
    if nbf is None and places.nbf_required:
        raise TokenRefused("time_missing", claim=places.nbf)
    return exp, nbf, iat


def _time(claims: Claims, name: str) -> Time:
    value = claims.get(name, MISSING)
    # What most tokens carry is told apart from all else at once.
    return value if type(value) is int and 0 <= value < _FIRST_MILLISECONDS else _read_time(value, name)


def _read_time(value: object, name: str | ClaimPath) -> Time:
    if value is MISSING:
        return None
    # By exact type: `True` is an int to `isinstance`, and JSON makes no other kinds of number.
    if (type(value) is not int and type(value) is not float) or not 0 <= value < 2**53:
        raise TokenRefused("time_malformed", claim=name)
    if value >= _FIRST_MILLISECONDS:
        raise TokenRefused("time_in_milliseconds", claim=name)
    return value


def check_audience(wanted: Collection[str] | None, claims: Claims) -> None:
    """Refuses unless `aud`, a string or a list of strings, names one of those wanted (RFC 7519 4.1.3).

    None: any audience will do, or none at all, but what is there still has to have its form.
    """
    aud = claims.get("aud", MISSING)
    if isinstance(aud, str) and wanted is not None and aud in wanted:
        return
    if aud is MISSING:
        if wanted is not None:
            raise TokenRefused("audience_missing", wanted=sorted(wanted))
        return
    named = _audiences(aud)
    if named is None:
        raise TokenRefused("claim_malformed", claim="aud")
    if wanted is not None and not any(name in wanted for name in named):
        raise TokenRefused("audience_wrong", wanted=sorted(wanted))


def _audiences(aud: object) -> list[str] | None:
    """What an `aud` names; None if it is neither a text nor a list of texts."""
    named = [aud] if isinstance(aud, str) else aud
    return named if isinstance(named, list) and all(isinstance(name, str) for name in named) else None


def check_rule(rule: ClaimRule, claims: Claims) -> None:
    """Refuses `claim_missing` or `claim_wrong` unless the claim this rule names satisfies it."""
    found = find(claims, rule.path)
    if found is MISSING and rule.if_present:
        return
    if found is MISSING:
        raise TokenRefused("claim_missing", claim=rule.path)
    if not _satisfied(rule, found):
        raise TokenRefused("claim_wrong", claim=rule.path)


def _satisfied(rule: ClaimRule, found: object) -> bool:
    match rule.comparison:
        case Comparison.PRESENT:
            return True
        case Comparison.EQUALS | Comparison.ONE_OF:
            return any(same(found, wanted) for wanted in rule.wanted)
        case Comparison.CONTAINS:
            return isinstance(found, list) and any(same(item, wanted) for item in found for wanted in rule.wanted)
        case Comparison.ANY_OF:
            items = found if isinstance(found, list) else (found,)
            return any(same(item, wanted) for item in items for wanted in rule.wanted)
        case Comparison.MATCHES:
            return isinstance(found, str) and rule.pattern is not None and rule.pattern(found)


def same(left: object, right: object) -> bool:
    """JSON equality: `1` and `1.0` are one number, but `1`, `"1"` and `true` are three things."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def find(claims: Claims, path: ClaimPath) -> object:
    """What lies at this path, or `MISSING`. Names walk into objects, whole numbers into lists."""
    first, *further = path
    value: object = claims.get(first, MISSING) if isinstance(first, str) else MISSING
    for step in further:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return MISSING
    return value
