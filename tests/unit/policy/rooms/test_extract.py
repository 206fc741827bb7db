from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.plans import BEARER, SLOT, known, reason, refusal, request, told

from jwtgate.errors import CredentialMissing
from jwtgate.policy.request import RequestView
from jwtgate.policy.requirements import Dpop, Place, Slot, Source
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.rooms.extract import expected_claims, extract

FIELD = Source(Place.FIELD, "x-token")
PREFIXED = Source(Place.FIELD, "x-token", prefixes=("Token ",))
COOKIE = Source(Place.COOKIE, "t")
QUERY = Source(Place.QUERY, "t")
EVERY = (BEARER, FIELD, COOKIE, QUERY)


def slot(*sources: Source, required: bool = True) -> Slot:
    return replace(SLOT, sources=sources, required=required)


BY_BEARER = request(bearer="abc")
BY_FIELD = request((b"x-token", b"abc"))
BY_COOKIE = request((b"cookie", b"a=1; t=abc"))
BY_QUERY = request(query="a=1&t=abc")


@pytest.mark.parametrize(
    ("source", "view"), [(BEARER, BY_BEARER), (FIELD, BY_FIELD), (COOKIE, BY_COOKIE), (QUERY, BY_QUERY)]
)
def test_a_credential_is_found_where_the_slot_looks_and_nowhere_else(source: Source, view: RequestView) -> None:
    assert extract(slot(source), view) == "abc"
    others = [other for other in EVERY if other is not source]
    assert reason(lambda: extract(slot(*others), view)) == "credential_missing"
    assert extract(slot(*others, required=False), view) is None


def test_sec_141_an_absent_credential_is_named_so() -> None:
    error = refusal(lambda: extract(SLOT, request()))
    assert isinstance(error, CredentialMissing)
    assert (error.status, error.detail) == (401, {"slot": "access", "cause": "absent"})


@pytest.mark.parametrize(
    "fields",
    [
        ((b"authorization", b"Bearer abc"), (b"authorization", b"Bearer abc")),
        ((b"authorization", b"Bearer abc"), (b"authorization", b"Basic xyz")),
        ((b"authorization", b"Bearer abc,Bearer def"),),
        ((b"x-token", b"abc"), (b"x-token", b"abc")),
        ((b"cookie", b"t=abc; t=abc"),),
        ((b"cookie", b"t=abc"), (b"cookie", b"t=def")),
        ((b"cookie", b"t=abc; t="),),
        ((b"authorization", b"Bearer abc"), (b"x-token", b"abc")),
        ((b"x-token", b"abc"), (b"authorization", b"Bearer abc")),
        ((b"cookie", b"t=abc"), (b"x-token", b"abc")),
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_sec_18_a_second_credential_is_refused(fields: tuple[tuple[bytes, bytes], ...], required: bool) -> None:
    view = request(*fields)
    assert reason(lambda: extract(slot(*EVERY, required=required), view)) == "credential_repeated"


@pytest.mark.parametrize("query", ["t=abc&t=def", "t=abc&t=abc", "t=abc&%74=def", "t=abc&t"])
def test_sec_18_a_repeated_parameter_is_refused(query: str) -> None:
    assert reason(lambda: extract(slot(QUERY), request(query=query))) == "credential_repeated"


def test_sec_19_a_field_has_the_exact_prefix() -> None:
    assert extract(slot(PREFIXED), request((b"x-token", b"Token abc"))) == "abc"
    for value in (b"abc", b"token abc", b"Token", b"Bearer abc"):
        assert reason(lambda value=value: extract(slot(PREFIXED), request((b"x-token", value)))) == "credential_missing"
    # What comes after it is the credential, whatever it is; the token's own rules refuse a blank.
    assert extract(slot(PREFIXED), request((b"x-token", b"Token  abc"))) == " abc"


def test_of_several_prefixes_the_first_that_fits_is_taken_off() -> None:
    source = Source(Place.FIELD, "authorization", prefixes=("Bearer ", "JWT ", ""))
    for value in (b"Bearer abc", b"JWT abc", b"abc"):
        assert extract(slot(source), request((b"authorization", value))) == "abc"
    assert extract(slot(source), request((b"authorization", b"Basic abc"))) == "Basic abc"
    narrow = replace(source, prefixes=("Bearer ", "JWT "))
    assert reason(lambda: extract(slot(narrow), request((b"authorization", b"Basic abc")))) == "credential_missing"


def test_another_scheme_is_no_bearer_credential() -> None:
    basic = request((b"authorization", b"Basic YTpi"))
    assert reason(lambda: extract(SLOT, basic)) == "credential_missing"
    assert extract(slot(BEARER, required=False), basic) is None


@pytest.mark.parametrize(
    ("source", "view"),
    [
        (FIELD, request((b"x-token", b""))),
        (PREFIXED, request((b"x-token", b"Token "))),
        (COOKIE, request((b"cookie", b"t="))),
        (QUERY, request(query="t=")),
        (QUERY, request(query="t")),
    ],
)
def test_sec_52_an_empty_credential_is_not_an_absent_one(source: Source, view: RequestView) -> None:
    assert extract(slot(source, required=False), view) == ""


@pytest.mark.parametrize("view", [request((b"x-token", b"\xc3\xa9")), request((b"cookie", b"t=\xff"))])
def test_what_is_not_ascii_is_malformed(view: RequestView) -> None:
    assert reason(lambda: extract(slot(FIELD, COOKIE, required=False), view)) == "credential_malformed"


def test_a_bearer_field_without_a_token_is_malformed_also_where_it_may_be_absent() -> None:
    view = request((b"authorization", b"Bearer"))
    assert reason(lambda: extract(slot(BEARER, required=False), view)) == "credential_malformed"


def test_sec_52_a_slot_that_looks_nowhere_finds_nothing() -> None:
    assert reason(lambda: extract(slot(), BY_BEARER)) == "credential_missing"


def test_the_first_source_decides_where_the_document_says_so_and_a_worse_one_does_not_come_after_it() -> None:
    lenient = replace(slot(FIELD, QUERY), first_source_wins=True)
    assert extract(lenient, replace(BY_FIELD, query="t=other")) == "abc"
    assert extract(lenient, replace(BY_QUERY, fields=((b"x-token", b""),))) == ""
    assert extract(lenient, BY_QUERY) == "abc"
    assert reason(lambda: extract(lenient, replace(BY_QUERY, query="t=a&t=b"))) == "credential_repeated"


TWICE = request((b"x-token", b"abc"), (b"x-token", b"def"))


def test_where_the_first_source_decides_the_first_line_and_the_first_cookie_are_meant() -> None:
    lenient = replace(slot(FIELD, COOKIE), first_source_wins=True)
    assert extract(lenient, TWICE) == "abc"
    assert extract(lenient, request((b"cookie", b"t=abc; t=def"), (b"cookie", b"t=ghi"))) == "abc"
    assert extract(replace(lenient, sources=(COOKIE, FIELD)), TWICE) == "abc"
    for view in (TWICE, request((b"cookie", b"t=abc; t=def"))):
        assert reason(lambda view=view: extract(slot(FIELD, COOKIE), view)) == "credential_repeated"
    prefixed = replace(slot(PREFIXED, QUERY), first_source_wins=True)
    assert extract(prefixed, request((b"x-token", b"abc"), (b"x-token", b"Token def"), query="t=ghi")) == "ghi"
    assert reason(lambda: extract(lenient, request())) == "credential_missing"


EQUAL = replace(slot(*EVERY), equal_tokens_count_once=True)


def test_sec_18_a_second_authorization_an_upstream_may_read_is_refused_though_we_would_not() -> None:
    by_prefix = replace(slot(Source(Place.FIELD, "authorization", ("Bearer ",))), equal_tokens_count_once=True)
    held, other = (b"authorization", b"Bearer abc"), (b"authorization", b"BEARER forged")
    for lines in ((held, other), (other, held)):
        assert reason(lambda lines=lines: extract(by_prefix, request(*lines))) == "credential_repeated"
    assert extract(by_prefix, request(held, held, (b"authorization", b"Basic xyz"))) == "abc"


@pytest.mark.parametrize(
    "view",
    [
        request((b"x-token", b"abc"), (b"x-token", b"abc"), bearer="abc"),
        request((b"cookie", b"t=abc; t=abc"), (b"x-token", b"abc"), query="t=abc&t=abc"),
        request((b"authorization", b"Bearer abc"), (b"authorization", b"Basic xyz")),
        request((b"cookie", b"t="), (b"x-token", b""), query="t=&t=abc"),
    ],
)
def test_the_same_token_in_several_places_is_one_where_the_document_says_so(view: RequestView) -> None:
    assert extract(EQUAL, view) == "abc"
    assert reason(lambda: extract(slot(*EVERY), view)) == "credential_repeated"


@pytest.mark.parametrize(
    "view", [TWICE, request((b"cookie", b"t=abd"), bearer="abc"), request(query="t=abc&t=%61bc"), request(bearer="a,b")]
)
def test_sec_18_different_ones_are_refused_all_the_same(view: RequestView) -> None:
    assert reason(lambda: extract(EQUAL, view)) == "credential_repeated"


def test_there_an_empty_place_holds_none_and_a_bare_name_cannot_be_read() -> None:
    empty = request((b"x-token", b""), query="t=")
    assert reason(lambda: extract(EQUAL, empty)) == "credential_missing"
    assert extract(replace(EQUAL, required=False), empty) is None
    for query in ("t", "t=abc&t", "%74"):
        assert reason(lambda query=query: extract(EQUAL, request(query=query))) == "credential_malformed"


def test_blanks_may_follow_a_prefix_where_the_document_says_so() -> None:
    source = Source(Place.FIELD, "x-token", prefixes=("Bearer ", "bearer "), blanks_after_prefix=True)
    for value in (b"Bearer abc", b"bearer   abc", b"Bearer \t abc"):
        assert extract(slot(source), request((b"x-token", value))) == "abc"
    strict = replace(source, blanks_after_prefix=False)
    assert extract(slot(strict), request((b"x-token", b"bearer   abc"))) == "  abc"
    assert reason(lambda: extract(slot(source), request((b"x-token", b"BEARER abc")))) == "credential_missing"


def test_a_parameter_is_decoded_for_what_is_no_token() -> None:
    view = request(query="t=a%2Bb+c")
    assert extract(slot(replace(QUERY, decoded=True)), view) == "a+b c"
    assert extract(slot(QUERY), view) == "a%2Bb+c"


BOUND = replace(SLOT, sources=(Source(Place.DPOP),), dpop=Dpop(("ES256",)))
DPOP, PROOF = (b"authorization", b"DPoP abc"), (b"dpop", b"x.y.z")


def test_a_token_that_needs_a_proof_comes_with_one() -> None:
    assert extract(BOUND, request(DPOP, PROOF)) == "abc"
    assert extract(BOUND, request((b"authorization", b"dpop abc"), PROOF)) == "abc"


@pytest.mark.parametrize("proofs", [(), (PROOF, PROOF), (PROOF, (b"dpop", b""))])
@pytest.mark.parametrize("required", [True, False])
def test_sec_77_a_token_without_one_proof_is_missing_even_where_none_is_needed(proofs: Any, required: bool) -> None:
    error = refusal(lambda: extract(replace(BOUND, required=required), request(DPOP, *proofs)))
    assert (error.reason, error.detail["cause"]) == ("credential_missing", "proof")


def test_sec_78_a_proof_makes_no_other_scheme_one_of_bound_tokens() -> None:
    view = request(PROOF, bearer="abc")
    assert reason(lambda: extract(BOUND, view)) == "credential_missing"
    assert extract(replace(BOUND, required=False), view) is None
    assert reason(lambda: extract(SLOT, request(DPOP, PROOF))) == "credential_missing"


def test_a_second_bound_token_is_refused() -> None:
    assert reason(lambda: extract(BOUND, request(DPOP, DPOP, PROOF))) == "credential_repeated"
    assert (
        reason(lambda: extract(BOUND, request((b"authorization", b"DPoP a, DPoP b"), PROOF))) == "credential_repeated"
    )


SCHEME = Source(Place.AUTHORIZATION, scheme=b"bearer")


@pytest.mark.parametrize("value", [b"Bearer abc", b"bEaReR abc", b"bearer \t  abc ", b"BEARER abc"])
def test_what_follows_a_scheme_is_the_credential_whatever_its_case_and_blanks(value: bytes) -> None:
    assert extract(slot(SCHEME), request((b"authorization", value))) == "abc"


def test_what_follows_a_scheme_is_taken_as_it_stands() -> None:
    assert extract(slot(SCHEME), request(bearer="a, b c")) == "a, b c"
    assert extract(slot(SCHEME), request((b"authorization", b"Bearer"))) == ""
    basic = Source(Place.AUTHORIZATION, scheme=b"basic")
    assert extract(slot(basic), request((b"authorization", b"Basic dTpw"))) == "dTpw"


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ((), "absent"),
        (((b"authorization", b"Basic abc"),), "scheme_differs"),
        (((b"authorization", b"Bearerabc"),), "scheme_differs"),
        (((b"authorization", b"Bearer"),), "empty"),
        (((b"authorization", b"Bearer   "),), "empty"),
    ],
)
def test_the_log_learns_why_nothing_is_there(fields: Any, cause: str) -> None:
    asked = replace(slot(SCHEME), empty_is_absent=True)
    error = refusal(lambda: extract(asked, request(*fields)))
    assert (error.reason, error.detail) == ("credential_missing", {"slot": "access", "cause": cause})
    assert extract(replace(asked, required=False), request(*fields)) is None


def test_an_empty_credential_is_none_where_the_document_says_so() -> None:
    asked = replace(slot(*EVERY), empty_is_absent=True)
    assert extract(asked, request((b"x-token", b""), (b"cookie", b"t="), bearer="abc", query="t")) == "abc"
    assert reason(lambda: extract(asked, request((b"cookie", b"t=abc"), bearer="abc"))) == "credential_repeated"


def test_of_several_lines_of_a_scheme_one_is_not_chosen_unless_the_document_says_so() -> None:
    view = request((b"authorization", b"Bearer abc"), (b"authorization", b"Bearer def"))
    assert reason(lambda: extract(slot(SCHEME), view)) == "credential_repeated"
    assert extract(replace(slot(SCHEME), first_source_wins=True), view) == "abc"


def by_value(found: object, **changes: Any) -> Any:
    asked = replace(SLOT, sources=(Source(Place.VALUE, value=told(lambda _: found)),), **changes)
    return extract(asked, request(), known=known())


@pytest.mark.parametrize(("found", "text"), [("a.b.c", "a.b.c"), (" a ", " a "), (7, "7"), (7.0, "7"), (1.5, "1.5")])
@pytest.mark.parametrize("flag", ["required", "first_source_wins", "equal_tokens_count_once"])
def test_a_value_presents_its_text_or_its_digits(found: object, text: str, flag: str) -> None:
    assert by_value(found, **{flag: True}) == text


LONG = pytest.param(10**5000, id="10**5000")


@pytest.mark.parametrize(
    "found", [None, MISSING, "", "  ", True, ["a"], {"a": "b"}, float("inf"), float("-inf"), float("nan"), LONG]
)
def test_a_value_that_is_blank_or_neither_text_nor_a_number_presents_nothing(found: object) -> None:
    assert by_value(found, required=False) is None
    assert reason(lambda: by_value(found)) == "credential_missing"


@pytest.mark.parametrize("found", ["\u00e9", "a.b.\ud800", "a\u2028"])
def test_text_of_a_value_that_is_not_ascii_is_malformed_as_it_is_elsewhere(found: str) -> None:
    assert reason(lambda: by_value(found, required=False)) == "credential_malformed"


def test_where_nothing_is_known_a_value_presents_nothing() -> None:
    asked = replace(SLOT, sources=(Source(Place.VALUE, value=told(lambda _: "abc")),), required=False)
    assert extract(asked, request()) is None


def expecting(found: object) -> object:
    return expected_claims(replace(SLOT, claims_equal=told(lambda _: found)), known())


def test_a_slot_expects_the_claims_its_value_says() -> None:
    assert expected_claims(SLOT, known()) is None
    for said_so in ({}, {"sub": 7, "deep": {"a": [None]}}, {"iss": "i", "aud": "a"}):
        assert expecting(said_so) == said_so


@pytest.mark.parametrize("found", [None, MISSING, "sub", ["sub"], 7])
def test_sec_52_what_is_no_object_is_a_fault_and_never_nothing_to_expect(found: object) -> None:
    error = refusal(lambda: expecting(found))
    assert (error.reason, error.status) == ("expected_claims_malformed", 500)


@pytest.mark.parametrize("name", ["iss", "aud"])
@pytest.mark.parametrize("value", [1, None, ["a"], {}])
def test_an_expected_issuer_or_audience_that_is_no_text_is_a_fault(name: str, value: object) -> None:
    error = refusal(lambda: expecting({"sub": "a", name: value}))
    assert (error.reason, error.detail["claim"]) == ("expected_claims_malformed", name)
