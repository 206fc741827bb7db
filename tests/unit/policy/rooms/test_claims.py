from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.policy.plans import AUDIENCE, GOOD, ISS, ISSUER, NOON, SLOT, reason, refusal

from jwtgate.errors import TokenRefused
from jwtgate.jose.encoding import JSON
from jwtgate.policy.requirements import ClaimPath, ClaimRule, Comparison, Dpop, TimeClaims, Times
from jwtgate.policy.rooms.claims import (
    MISSING,
    check_answer,
    check_audience,
    check_claims,
    check_registered,
    check_rule,
    check_times,
    find,
    same,
)

LEEWAY = Times().leeway_seconds


def rule(name: str, comparison: Comparison, *wanted: object) -> ClaimRule:
    return ClaimRule((name,), comparison, wanted)


# The claims as a whole.


def test_good_claims_hold_until_they_expire() -> None:
    assert check_claims(ISSUER, SLOT, GOOD, now=NOON) == GOOD["exp"] + LEEWAY


@pytest.mark.parametrize("iss", ["https://other.example", ISS + "/", None, 7, [ISS], {}])
def test_sec_43_the_issuer_is_the_one_the_key_belongs_to(iss: object) -> None:
    assert reason(lambda: check_claims(ISSUER, SLOT, {**GOOD, "iss": iss}, now=NOON)) == "issuer_wrong"


def test_a_slots_audiences_replace_those_of_the_issuer() -> None:
    slot = replace(SLOT, audiences=frozenset({"special"}))
    assert reason(lambda: check_claims(ISSUER, slot, GOOD, now=NOON)) == "audience_wrong"
    assert check_claims(ISSUER, slot, {**GOOD, "aud": "special"}, now=NOON)


def test_an_issuer_without_audiences_takes_any() -> None:
    anyone = replace(ISSUER, audiences=None)
    assert check_claims(anyone, SLOT, {**GOOD, "aud": "somebody"}, now=NOON)
    assert reason(lambda: check_claims(ISSUER, SLOT, {**GOOD, "aud": "somebody"}, now=NOON)) == "audience_wrong"


@pytest.mark.parametrize("claim", ["sub", "jti"])
@pytest.mark.parametrize("value", [None, 7, True, ["alice"], {}])
def test_sec_45_a_subject_and_an_id_are_text_where_they_are(claim: str, value: object) -> None:
    error = refusal(lambda: check_claims(ISSUER, SLOT, {**GOOD, claim: value}, now=NOON))
    assert (error.reason, error.detail) == ("claim_malformed", {"claim": claim})
    assert check_claims(ISSUER, SLOT, {**GOOD, claim: ""}, now=NOON)
    assert check_claims(ISSUER, SLOT, {name: GOOD[name] for name in GOOD if name != claim}, now=NOON)


@pytest.mark.parametrize("cnf", [{"jkt": "x"}, {"x5t#S256": "x"}, {}, None, "x"])
def test_sec_78_a_token_bound_to_a_key_is_no_bearer_token(cnf: object) -> None:
    assert reason(lambda: check_claims(ISSUER, SLOT, {**GOOD, "cnf": cnf}, now=NOON)) == "proof_missing"


@pytest.mark.parametrize("cnf", [{"x5t#S256": "x"}, {"jkt": "x", "x5t#S256": "x"}, {"jkt": "x", "y": 1}, {}, None, "x"])
def test_sec_78_a_token_bound_in_a_way_nobody_here_shows_is_refused(cnf: object) -> None:
    slot = replace(SLOT, dpop=Dpop(("ES256",)))
    assert check_claims(ISSUER, slot, {**GOOD, "cnf": {"jkt": "x"}}, now=NOON) == GOOD["exp"] + 30
    assert reason(lambda: check_claims(ISSUER, slot, {**GOOD, "cnf": cnf}, now=NOON)) == "proof_missing"


def test_sec_68_an_answer_does_not_bind_a_token_to_another_key() -> None:
    slot = replace(SLOT, dpop=Dpop(("ES256",)))
    bound: dict[str, JSON] = {"cnf": {"jkt": "x"}}

    def check(answer: dict[str, JSON]) -> int | None:
        return check_answer(ISSUER, slot, {**GOOD, **answer}, of={**GOOD, **bound}, now=NOON)

    assert check({}) == check(bound) == GOOD["exp"] + 30
    assert reason(lambda: check({"cnf": {"jkt": "y"}})) == "claim_wrong"


def test_the_rules_of_the_issuer_and_of_the_slot_both_hold() -> None:
    issuer = replace(ISSUER, rules=(rule("a", Comparison.EQUALS, 1),))
    slot = replace(SLOT, rules=(rule("b", Comparison.EQUALS, 2),))
    assert check_claims(issuer, slot, {**GOOD, "a": 1, "b": 2}, now=NOON)
    assert reason(lambda: check_claims(issuer, slot, {**GOOD, "a": 2, "b": 2}, now=NOON)) == "claim_wrong"
    assert reason(lambda: check_claims(issuer, slot, {**GOOD, "a": 1, "b": 1}, now=NOON)) == "claim_wrong"


def registered(claims: dict[str, object]) -> int | None:
    return check_registered(claims, iss=None, audiences=None, times=Times(), now=NOON)


def test_registered_claims_that_are_no_texts_may_count_as_absent() -> None:
    legacy = replace(ISSUER, malformed_is_absent=True)
    odd = {**GOOD, "sub": 7, "jti": ["a"]}
    assert check_claims(legacy, SLOT, odd, now=NOON) == GOOD["exp"] + LEEWAY
    assert check_claims(legacy, SLOT, GOOD, now=NOON)
    assert reason(lambda: check_claims(legacy, SLOT, {**odd, "iss": 7}, now=NOON)) == "issuer_wrong"
    assert reason(lambda: check_claims(legacy, SLOT, {**odd, "aud": [7]}, now=NOON)) == "audience_missing"
    anyone = replace(legacy, iss=None, audiences=None)
    for aud in (7, None, [AUDIENCE, 7], {}):
        assert check_claims(anyone, SLOT, {**odd, "iss": 7, "aud": aud}, now=NOON)
    expected = {"aud": AUDIENCE}
    found = reason(lambda: check_claims(anyone, SLOT, {**odd, "aud": [AUDIENCE, 7]}, now=NOON, expected=expected))
    assert found == "claim_malformed"
    assert reason(lambda: check_claims(anyone, SLOT, {**odd, "exp": "soon"}, now=NOON)) == "time_malformed"


def test_where_any_issuer_and_audience_will_do_they_may_be_left_out_but_not_be_malformed() -> None:
    assert registered({"exp": NOON + 1}) == NOON + 1 + LEEWAY
    assert registered({"exp": NOON + 1, "iss": "x", "aud": ["y", "z"]})
    for bad in ({"iss": 7}, {"iss": None}, {"aud": 7}, {"aud": None}, {"aud": ["x", None]}):
        assert reason(lambda bad=bad: registered({"exp": NOON + 1, **bad})) == "claim_malformed"


# Times.


def times(now: int = NOON, limits: Times | None = None, **claims: object) -> int | None:
    return check_times(limits or Times(), claims, now)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "auth_time"])
@pytest.mark.parametrize("value", ["1800000300", True, False, None, [], {}, -1, -0.5, 2**53, 1e300, math.inf, math.nan])
def test_sec_40_a_time_is_a_number_of_seconds(claim: str, value: object) -> None:
    error = refusal(lambda: times(**{"exp": NOON + 300, claim: value}))
    assert (error.reason, error.detail) == ("time_malformed", {"claim": claim})


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "auth_time"])
@pytest.mark.parametrize("value", [10**11, NOON * 1000, NOON * 1000 + 0.5, 2**53 - 1])
def test_sec_41_milliseconds_have_a_reason_of_their_own(claim: str, value: float) -> None:
    assert reason(lambda: times(**{"exp": NOON + 300, claim: value})) == "time_in_milliseconds"


def test_sec_40_times_may_have_fractions() -> None:
    assert times(NOON, exp=NOON + 0.5, nbf=NOON - 0.5, iat=NOON - 1.5, auth_time=0.0) == NOON + LEEWAY
    assert times(NOON + LEEWAY, exp=NOON + 0.5) == NOON + LEEWAY
    assert reason(lambda: times(NOON + LEEWAY + 1, exp=NOON + 0.5)) == "token_expired"


def test_the_largest_time_in_seconds_is_good() -> None:
    assert times(exp=10**11 - 1) == 10**11 - 1 + LEEWAY


def test_sec_41_the_instant_of_expiry_counts_as_expired() -> None:
    assert times(NOON + LEEWAY - 1, exp=NOON) == NOON + LEEWAY
    assert reason(lambda: times(NOON + LEEWAY, exp=NOON)) == "token_expired"
    assert reason(lambda: times(exp=0)) == "token_expired"


def test_sec_41_a_token_must_say_when_it_expires_unless_the_issuer_says_otherwise() -> None:
    assert reason(lambda: times(iat=NOON)) == "time_missing"
    assert times(limits=Times(exp_required=False)) is None
    assert reason(lambda: times(limits=Times(exp_required=False), exp=NOON - LEEWAY)) == "token_expired"


def test_sec_41_a_token_of_the_future_is_refused() -> None:
    assert times(exp=NOON + 300, nbf=NOON + LEEWAY, iat=NOON + LEEWAY)
    assert reason(lambda: times(exp=NOON + 300, nbf=NOON + LEEWAY + 1)) == "token_not_yet_valid"
    assert reason(lambda: times(exp=NOON + 300, nbf=NOON + LEEWAY + 0.5)) == "token_not_yet_valid"
    assert reason(lambda: times(exp=NOON + 300, iat=NOON + LEEWAY + 1)) == "token_from_the_future"


def test_sec_42_a_token_may_be_too_old() -> None:
    limits = Times(leeway_seconds=0, max_age_seconds=60)
    assert times(limits=limits, exp=NOON + 300, iat=NOON - 59) == NOON + 1
    assert times(limits=limits, exp=NOON + 10, iat=NOON) == NOON + 10
    assert reason(lambda: times(limits=limits, exp=NOON + 300, iat=NOON - 60)) == "token_too_old"
    error = refusal(lambda: times(limits=limits, exp=NOON + 300))
    assert (error.reason, error.detail) == ("time_missing", {"claim": "iat"})


def test_sec_42_an_age_limit_ends_a_token_that_never_expires() -> None:
    limits = Times(leeway_seconds=5, exp_required=False, max_age_seconds=60)
    assert times(limits=limits, iat=NOON) == NOON + 65


def test_sec_42_a_token_may_live_too_long() -> None:
    limits = Times(exp_required=False, max_lifetime_seconds=600)
    assert times(limits=limits, exp=NOON + 300, iat=NOON - 300)
    assert reason(lambda: times(limits=limits, exp=NOON + 301, iat=NOON - 300)) == "token_lives_too_long"
    for claims, missing in (({"exp": NOON + 300}, "iat"), ({"iat": NOON}, "exp"), ({}, "iat")):
        error = refusal(lambda claims=claims: times(limits=limits, **claims))
        assert (error.reason, error.detail) == ("time_missing", {"claim": missing})


@given(exp=st.floats(0, 10**10) | st.integers(0, 10**10), now=st.integers(0, 10**10))
def test_claims_hold_exactly_as_long_as_it_is_said(exp: float, now: int) -> None:
    until = times(0, exp=exp, limits=Times(leeway_seconds=1))
    assert until is not None
    if now < until:
        assert times(now, exp=exp, limits=Times(leeway_seconds=1)) == until
    if now > until:
        assert reason(lambda: times(now, exp=exp, limits=Times(leeway_seconds=1))) == "token_expired"


# The audience.

WANTED = frozenset({AUDIENCE, "billing"})


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["other", "billing"], [AUDIENCE, AUDIENCE]])
def test_sec_44_one_audience_of_those_wanted_is_enough(aud: object) -> None:
    check_audience(WANTED, {"aud": aud})


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, "audience_missing"),
        ({"aud": None}, "claim_malformed"),
        ({"aud": 7}, "claim_malformed"),
        ({"aud": {AUDIENCE: 1}}, "claim_malformed"),
        ({"aud": [AUDIENCE, 7]}, "claim_malformed"),
        ({"aud": [[AUDIENCE]]}, "claim_malformed"),
        ({"aud": ""}, "audience_wrong"),
        ({"aud": []}, "audience_wrong"),
        ({"aud": "order"}, "audience_wrong"),
        ({"aud": "orders billing"}, "audience_wrong"),
        ({"aud": "Orders"}, "audience_wrong"),
    ],
)
def test_sec_44_anything_else_is_refused(claims: dict[str, object], expected: str) -> None:
    assert reason(lambda: check_audience(WANTED, claims)) == expected


def test_sec_52_where_no_audience_is_wanted_none_is_good() -> None:
    assert reason(lambda: check_audience(frozenset(), {"aud": AUDIENCE})) == "audience_wrong"


# Rules.


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (rule("c", Comparison.PRESENT), None),
        (rule("c", Comparison.PRESENT), 0),
        (rule("c", Comparison.EQUALS, 1), 1.0),
        (rule("c", Comparison.EQUALS, None), None),
        (rule("c", Comparison.EQUALS, (1, "a")), [1, "a"]),
        (rule("c", Comparison.ONE_OF, "a", 2), 2),
        (rule("c", Comparison.CONTAINS, "b"), ["a", "b"]),
        (ClaimRule(("c",), Comparison.MATCHES, pattern=str.isdigit), "123"),
    ],
)
def test_a_rule_that_is_met_lets_pass(one: ClaimRule, found: object) -> None:
    check_rule(one, {"c": found})


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (rule("c", Comparison.EQUALS, 1), "1"),
        (rule("c", Comparison.EQUALS, 1), True),
        (rule("c", Comparison.EQUALS, "a"), ["a"]),
        (rule("c", Comparison.EQUALS, "a"), None),
        (rule("c", Comparison.ONE_OF, "a", "b"), "ab"),
        (rule("c", Comparison.CONTAINS, "a"), "abc"),
        (rule("c", Comparison.CONTAINS, "a"), {"a": 1}),
        (rule("c", Comparison.CONTAINS, "a"), [["a"]]),
        (ClaimRule(("c",), Comparison.MATCHES, pattern=str.isdigit), "12a"),
        (ClaimRule(("c",), Comparison.MATCHES, pattern=str.isdigit), 12),
    ],
)
def test_sec_46_a_rule_that_is_not_met_refuses(one: ClaimRule, found: object) -> None:
    error = refusal(lambda: check_rule(one, {"c": found}))
    assert (error.reason, error.detail) == ("claim_wrong", {"claim": ("c",)})


@pytest.mark.parametrize("comparison", [each for each in Comparison if each is not Comparison.PRESENT])
@pytest.mark.parametrize("found", ["a", ["a"], [], None])
def test_sec_52_a_rule_that_names_nothing_is_never_met(comparison: Comparison, found: object) -> None:
    assert reason(lambda: check_rule(rule("c", comparison), {"c": found})) == "claim_wrong"


@pytest.mark.parametrize("comparison", list(Comparison))
def test_sec_46_missing_is_not_null(comparison: Comparison) -> None:
    assert reason(lambda: check_rule(rule("c", comparison, None), {"d": None})) == "claim_missing"


# Equality.

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON_VALUES)
def test_every_value_equals_itself_and_not_itself_in_a_list(value: object) -> None:
    assert same(value, value)
    assert not same(value, [value])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (0, False),
        (1, "1"),
        (None, False),
        (None, 0),
        ("", None),
        ([1], [True]),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({}, []),
        (2**53, 2.0**53 + 2),
    ],
)
def test_sec_46_different_types_are_never_equal(left: object, right: object) -> None:
    assert not same(left, right)
    assert not same(right, left)


@pytest.mark.parametrize(
    ("left", "right"), [(1, 1.0), ([1, 2.0], (1.0, 2)), ({"a": 1, "b": [0]}, {"b": [0.0], "a": 1})]
)
def test_one_number_has_several_spellings(left: object, right: object) -> None:
    assert same(left, right)
    assert same(right, left)


# Paths.

DEEP = {"a": {"b": [{"c": 1}, None], "0": "zero"}, "a.b": "flat", "n": None, "t": "text"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", "b", 0, "c"), 1),
        (("a", "b", 1), None),
        (("a", "0"), "zero"),
        (("a.b",), "flat"),
        (("n",), None),
    ],
)
def test_sec_46_a_path_walks_objects_by_name_and_lists_by_index(path: ClaimPath, value: object) -> None:
    assert find(DEEP, path) == value


@pytest.mark.parametrize(
    "path",
    [
        ("x",),
        ("a", "x"),
        ("a", 0),
        ("a", "b", "0"),
        ("a", "b", 2),
        ("a", "b", -1),
        ("a", "b", "c"),
        ("n", "x"),
        ("t", 0),
        ("t", "x"),
        (0,),
    ],
)
def test_sec_46_a_path_that_leads_nowhere_finds_nothing(path: ClaimPath) -> None:
    assert find(DEEP, path) is MISSING


# Times elsewhere, and those that are not looked at.

LAX = Times(leeway_seconds=0, exp_required=False)


@pytest.mark.parametrize(
    ("claim", "value", "reason_of_strict"),
    [
        ("exp", 1, "token_expired"),
        ("exp", "soon", "time_malformed"),
        ("exp", None, "time_malformed"),
        ("nbf", NOON + 60, "token_not_yet_valid"),
        ("nbf", "later", "time_malformed"),
        ("iat", NOON + 60, "token_from_the_future"),
        ("iat", True, "time_malformed"),
    ],
)
def test_a_time_is_looked_at_unless_the_document_says_it_is_not(
    claim: str, value: object, reason_of_strict: str
) -> None:
    claims = {**GOOD, claim: value}
    others = [name for name in ("exp", "nbf", "iat") if name != claim]
    for read in (None, TimeClaims(), *(replace(TimeClaims(), **{other: None}) for other in others)):
        strict = replace(LAX, held_in=read)
        assert reason(lambda strict=strict: check_times(strict, claims, NOON)) == reason_of_strict
    unread = replace(LAX, held_in=replace(TimeClaims(), **{claim: None}))
    assert check_times(unread, claims, NOON) == (None if claim == "exp" else GOOD["exp"])


def test_auth_time_is_looked_at_with_iat() -> None:
    claims = {**GOOD, "auth_time": "noon"}
    assert reason(lambda: check_times(replace(LAX, held_in=TimeClaims(exp=None)), claims, NOON)) == "time_malformed"
    assert check_times(replace(LAX, held_in=TimeClaims(iat=None)), claims, NOON)


def test_a_time_may_lie_elsewhere_and_is_the_end_there() -> None:
    held_in = TimeClaims(exp=("life", "end"), nbf=("life", "begin"))
    elsewhere = Times(leeway_seconds=5, held_in=held_in)
    claims = {"exp": 1, "nbf": NOON + 999, "life": {"end": NOON + 100, "begin": NOON}}
    assert check_times(elsewhere, claims, NOON) == NOON + 105
    assert reason(lambda: check_times(elsewhere, claims, NOON + 105)) == "token_expired"
    assert reason(lambda: check_times(elsewhere, claims, NOON - 6)) == "token_not_yet_valid"
    error = refusal(lambda: check_times(elsewhere, {"exp": NOON + 100}, NOON))
    assert (error.reason, error.detail) == ("time_missing", {"claim": ("life", "end")})
    flat = {"life.end": NOON + 100, "life": {"end": "x"}}
    assert reason(lambda: check_times(elsewhere, flat, NOON)) == "time_malformed"


def test_a_token_may_end_too_far_ahead() -> None:
    limits = replace(LAX, max_remaining_seconds=600)
    assert check_times(limits, {"exp": NOON + 600}, NOON) == NOON + 600
    assert reason(lambda: check_times(limits, {"exp": NOON + 601}, NOON)) == "token_lives_too_long"
    assert check_times(replace(limits, leeway_seconds=1), {"exp": NOON + 601}, NOON) == NOON + 602
    assert reason(lambda: check_times(limits, {}, NOON)) == "time_missing"
    elsewhere = replace(limits, held_in=TimeClaims(exp=("end",)))
    assert reason(lambda: check_times(elsewhere, {"end": NOON + 601}, NOON)) == "token_lives_too_long"


def test_what_ends_first_ends_the_use_of_a_token() -> None:
    limits = Times(leeway_seconds=0, exp_required=False, max_age_seconds=60, max_remaining_seconds=600)
    assert check_times(limits, {"exp": NOON + 600, "iat": NOON}, NOON) == NOON + 60
    assert check_times(limits, {"exp": NOON + 30, "iat": NOON}, NOON) == NOON + 30


@pytest.mark.parametrize("found", ["a", "b", ["x", "b"], ["a"]])
def test_a_claim_or_one_element_of_it_is_among_those_wanted(found: object) -> None:
    check_rule(rule("aud", Comparison.ANY_OF, "a", "b"), {"aud": found})


@pytest.mark.parametrize("found", ["ab", "A", "", [], ["x"], [["a"]], {"a": 1}, None, True, 1])
def test_sec_46_anything_else_is_not(found: object) -> None:
    asked = rule("aud", Comparison.ANY_OF, "a", "b")
    assert reason(lambda: check_rule(asked, {"aud": found})) == "claim_wrong"
    assert reason(lambda: check_rule(asked, {})) == "claim_missing"
    check_rule(replace(asked, if_present=True), {})
    assert reason(lambda: check_rule(replace(asked, if_present=True), {"aud": found})) == "claim_wrong"


@pytest.mark.parametrize(
    ("claims", "failing"),
    [
        ({"exp": 1, "nbf": NOON + 9}, {"exp": "token_expired", "nbf": "token_not_yet_valid"}),
        ({"exp": 1, "nbf": "x"}, {"exp": "token_expired", "nbf": "time_malformed"}),
        ({"exp": "x"}, {"exp": "time_malformed", "nbf": "time_missing"}),
        ({}, {"exp": "time_missing", "nbf": "time_missing"}),
    ],
)
def test_a_refusal_knows_when_neither_time_holds(claims: dict[str, object], failing: dict[str, str]) -> None:
    strict = Times(leeway_seconds=0, held_in=TimeClaims(nbf_required=True))
    assert refusal(lambda: check_times(strict, claims, NOON)).detail["times"] == failing
    for name, good in (("exp", NOON + 1), ("nbf", NOON)):
        one = {**claims, name: good}
        error = refusal(lambda one=one: check_times(strict, one, NOON))
        assert error.reason == failing["nbf" if name == "exp" else "exp"]
        assert "times" not in error.detail


def test_a_token_may_have_to_say_when_it_begins() -> None:
    needed = replace(LAX, held_in=TimeClaims(nbf_required=True))
    error = refusal(lambda: check_times(needed, {}, NOON))
    assert (error.reason, error.detail) == ("time_missing", {"claim": ("nbf",)})
    assert check_times(needed, {"nbf": NOON}, NOON) is None
    assert check_times(LAX, {}, NOON) is None


def expected(claims: dict[str, JSON], **found: JSON) -> str:
    issuer = replace(ISSUER, iss=None, audiences=None)
    try:
        check_claims(issuer, SLOT, {**GOOD, **found}, now=NOON, expected=claims)
    except TokenRefused as error:
        return error.reason
    return ""


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": "alice"},
        {"sub": "alice", "n": 42, "deep": {"a": [1, {"b": None}]}, "none": None, "empty": []},
        {"iss": ISS, "aud": AUDIENCE},
    ],
)
def test_a_token_that_says_what_is_expected_is_good(claims: dict[str, JSON]) -> None:
    assert expected(claims, n=42.0, deep={"a": [1.0, {"b": None}]}, none=None, empty=[], more="x") == ""


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"missing": None}, "claim_missing"),
        ({"sub": "jane"}, "claim_wrong"),
        ({"sub": None}, "claim_wrong"),
        ({"n": "42"}, "claim_wrong"),
        ({"list": [2, 1]}, "claim_wrong"),
        ({"list": [1]}, "claim_wrong"),
        ({"iss": "https://other.example"}, "issuer_wrong"),
        ({"aud": "others"}, "audience_wrong"),
    ],
)
def test_sec_46_a_token_that_says_anything_else_is_refused(claims: dict[str, JSON], why: str) -> None:
    assert expected(claims, n=42, list=[1, 2]) == why


def test_an_expected_audience_is_one_of_the_tokens() -> None:
    assert expected({"aud": "A"}, aud=["Z", "A"]) == ""
    assert expected({"aud": "A"}, aud="Z") == "audience_wrong"
    issuer, claims = replace(ISSUER, iss=None, audiences=None), {"sub": "alice", "exp": NOON + 9}
    for name, why in (("iss", "issuer_wrong"), ("aud", "audience_missing")):
        call = lambda name=name: check_claims(issuer, SLOT, claims, now=NOON, expected={name: "x"})  # noqa: E731
        assert reason(call) == why


def test_the_log_learns_what_was_expected_and_what_came() -> None:
    error = refusal(lambda: check_claims(ISSUER, SLOT, GOOD, now=NOON, expected={"sub": "jane"}))
    assert error.detail == {"claim": "sub", "got": "alice", "expected": "jane"}


def test_times_come_first_then_names_then_rules_then_what_is_expected() -> None:
    asked = replace(SLOT, rules=(rule("role", Comparison.PRESENT),))
    wanted: dict[str, JSON] = {"iss": "https://other.example", "sub": "jane"}

    def why(claims: dict[str, JSON], expects: dict[str, JSON] = wanted) -> str:
        issuer = replace(ISSUER, iss=None)
        return reason(lambda: check_claims(issuer, asked, claims, now=NOON, expected=expects))

    assert why({**GOOD, "exp": NOON - 99}) == "token_expired"
    assert why(GOOD) == "issuer_wrong"
    assert why(GOOD, {"sub": "jane"}) == "claim_missing"
    assert why({**GOOD, "role": "r"}, {"sub": "jane"}) == "claim_wrong"


def test_an_exp_of_zero_is_none_where_the_document_says_so() -> None:
    limits = Times(exp_required=False, exp_zero_is_none=True)
    assert times(limits=limits, exp=0) is None
    assert times(limits=limits, exp=0.0) is None
    assert reason(lambda: times(limits=limits, exp=1)) == "token_expired"
    assert reason(lambda: times(limits=limits, exp="0")) == "time_malformed"
    assert reason(lambda: times(limits=replace(limits, exp_required=True), exp=0)) == "time_missing"
    assert reason(lambda: times(limits=Times(exp_required=False), exp=0)) == "token_expired"


def test_an_exp_of_zero_that_is_none_is_not_why_a_token_is_refused() -> None:
    limits = Times(exp_required=False, exp_zero_is_none=True)
    error = refusal(lambda: times(limits=limits, exp=0, nbf=NOON + 99))
    assert (error.reason, "times" in error.detail) == ("token_not_yet_valid", False)
