"""What becomes of each field name, in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.parts import a_plan, a_route

from jwtgate.gateway.heads.fields import (
    AUTHORIZATION,
    CACHE,
    CODING,
    CONNECTION,
    COOKIE,
    EXPECT,
    FORWARD,
    HOST,
    LENGTH,
    MOST_NAMES,
    REMOVE,
    REQUEST_ID,
    UNUSUAL,
    UPGRADE,
    CallFieldKinds,
    RequestFieldKinds,
    ResponseFieldKinds,
    content_length,
    host_name,
    nominated,
    request_id,
    status_line,
)

PLAN = a_plan()
UNTRUSTED = RequestFieldKinds(PLAN, trusted=False)
TRUSTED = RequestFieldKinds(PLAN, trusted=True)
RESPONSE = ResponseFieldKinds(PLAN)
ABOUT_THE_CLIENT = [
    b"Forwarded",
    b"X-Forwarded-For",
    b"x-forwarded-anything",
    b"X-Real-IP",
    b"X-Original-URL",
    b"X-Rewrite-Url",
    b"X-HTTP-Method",
    b"X-HTTP-Method-Override",
    b"X-Method-Override",
    b"X-Envoy-Original-Path",
    b"X-Client-IP",
    b"X-Cluster-Client-Ip",
    b"True-Client-IP",
    b"CF-Connecting-IP",
    b"SSL-Client-Cert",
    b"X-SSL-Client-S-DN",
    b"X-Client-Cert",
    b"X-Client-Verify",
    b"X-Client-DN",
    b"Client-Cert",
    b"Client-Cert-Chain",
    b"X-Arr-ClientCert",
    b"X-Amzn-Mtls-Clientcert",
]
HOP_BY_HOP = [
    b"Keep-Alive",
    b"Proxy-Connection",
    b"Proxy-Authenticate",
    b"Proxy-Authorization",
    b"TE",
    b"Trailer",
    b"HTTP2-Settings",
]
READ = {
    b"Host": HOST,
    b"Content-Length": LENGTH,
    b"Transfer-Encoding": CODING,
    b"Connection": CONNECTION,
    b"Expect": EXPECT,
    b"Upgrade": UPGRADE,
    b"Authorization": AUTHORIZATION,
    b"Cookie": COOKIE,
}


@pytest.mark.parametrize(
    "name",
    [b"X-User-Id", b"x-user-id", b"X_User.Id", b"x.user!id", b"X-USER_ID", b"X-JWT-Assertion", b"x_jwt_assertion"],
)
def test_sec_112_a_name_of_ours_is_dropped_however_it_is_written(name: bytes) -> None:
    assert [UNTRUSTED[name], TRUSTED[name], RESPONSE[name]] == [REMOVE] * 3


@pytest.mark.parametrize("name", [b"X-User", b"X-User-Id-2", b"XUserId", b"Accept", b"X-Anything", b"1"])
def test_sec_112_a_name_that_is_not_ours_goes_on(name: bytes) -> None:
    assert [UNTRUSTED[name], TRUSTED[name], RESPONSE[name]] == [FORWARD] * 3


@pytest.mark.parametrize("name", [b"X_Other", b"a.b", b"a!b", b"~"])
def test_sec_113_an_unusual_name_is_refused_or_dropped_as_the_document_says(name: bytes) -> None:
    dropping = a_plan(fields={"unusual_names": "drop"})
    assert UNTRUSTED[name] == TRUSTED[name] == UNUSUAL
    assert RequestFieldKinds(dropping, trusted=True)[name] == REMOVE


@pytest.mark.parametrize("name", ABOUT_THE_CLIENT)
def test_sec_114_only_a_trusted_peer_speaks_about_the_client(name: bytes) -> None:
    assert UNTRUSTED[name] == REMOVE
    assert TRUSTED[name] == FORWARD


def test_a_request_id_is_taken_from_a_trusted_peer_only() -> None:
    assert UNTRUSTED[b"X-Request-Id"] == REMOVE
    assert TRUSTED[b"X-Request-Id"] == REQUEST_ID
    assert RESPONSE[b"X-Request-ID"] == REMOVE


@pytest.mark.parametrize("name", HOP_BY_HOP)
def test_sec_94_fields_of_one_hop_stay_behind_both_ways(name: bytes) -> None:
    assert [UNTRUSTED[name], TRUSTED[name], RESPONSE[name]] == [REMOVE] * 3


@pytest.mark.parametrize("name", READ)
def test_fields_that_are_read_on_the_way_have_a_verdict_of_their_own(name: bytes) -> None:
    assert UNTRUSTED[name] == TRUSTED[name.upper()] == READ[name]


def test_an_authorization_we_set_on_one_route_is_still_read_on_every_route() -> None:
    plan = a_plan(routes=a_route(issue={"audience": "internal", "header": "Authorization", "scheme": "Bearer"}))
    assert b"authorization" in plan.identity_names
    assert RequestFieldKinds(plan, trusted=False)[b"Authorization"] == AUTHORIZATION
    assert RequestFieldKinds(plan, trusted=False)[b"Authorization_"] == UNUSUAL
    assert ResponseFieldKinds(plan)[b"Authorization"] == REMOVE


def test_sec_98_of_an_answer_only_its_framing_is_read() -> None:
    read = {name: RESPONSE[name] for name in READ}
    assert read == {
        b"Host": FORWARD,
        b"Content-Length": LENGTH,
        b"Transfer-Encoding": CODING,
        b"Connection": CONNECTION,
        b"Expect": FORWARD,
        b"Upgrade": UPGRADE,
        b"Authorization": FORWARD,
        b"Cookie": FORWARD,
    }
    assert RESPONSE[b"CACHE-control"] == CACHE
    assert RESPONSE[b"Set_Cookie"] == FORWARD


def test_rel_18_names_are_remembered_within_bounds() -> None:
    kinds = RequestFieldKinds(PLAN, trusted=False)
    long = b"x" * 65
    assert kinds[long] == FORWARD
    assert long not in kinds
    for number in range(MOST_NAMES + 10):
        assert kinds[b"x-%d" % number] == FORWARD
    assert len(kinds) == MOST_NAMES
    assert kinds[b"X_User.Id"] == REMOVE


@given(st.text("Xx_-.Uusi1E", min_size=1).map(str.encode) | st.sampled_from(ABOUT_THE_CLIENT) | st.binary(max_size=9))
def test_a_verdict_does_not_depend_on_case_or_on_being_asked_before(name: bytes) -> None:
    kinds = RequestFieldKinds(PLAN, trusted=False)
    assert kinds[name] == kinds[name] == kinds[name.upper()] == kinds[name.lower()]


def test_a_status_line_is_written_for_every_code() -> None:
    assert status_line(404) == b"HTTP/1.1 404 Not Found\r\n"
    assert status_line(599) == b"HTTP/1.1 599 \r\n"


@pytest.mark.parametrize(
    ("value", "host"),
    [
        (b"gate.example", "gate.example"),
        (b"GATE.Example:8080", "gate.example"),
        (b"gate.example.", "gate.example"),
        (b"127.0.0.1:1", "127.0.0.1"),
        (b"[::1]:8080", "[::1]"),
        (b"a" * 255, "a" * 255),
    ],
)
def test_sec_93_a_host_is_read_in_lower_case_without_its_port(value: bytes, host: str) -> None:
    assert host_name(value) == host


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b".",
        b"a b",
        b"a/b",
        b"user@a",
        b"a,b",
        b"a:",
        b"a:123456",
        b"a:x",
        b"[::1",
        b"::1",
        b"a" * 256,
        b"\xe4",
        b"a\n",
    ],
)
def test_sec_93_what_is_no_host_is_none(value: bytes) -> None:
    assert host_name(value) is None


@pytest.mark.parametrize(("value", "length"), [(b"0", 0), (b"17", 17), (b"007", 7), (b"9" * 18, 10**18 - 1)])
def test_sec_90_a_length_is_digits(value: bytes, length: int) -> None:
    assert content_length(value) == length


@pytest.mark.parametrize("value", [b"", b"+1", b"-1", b" 1", b"1 ", b"0x1", b"1_0", b"1,1", b"1.0", b"1" * 19, b"\xb2"])
def test_sec_90_what_is_no_length_is_none(value: bytes) -> None:
    assert content_length(value) is None


def test_sec_94_connection_nominates_names_but_none_that_guard_something() -> None:
    assert nominated(b"X-One, keep-alive ,\tx-TWO,, close") == {b"x-one", b"x-two"}
    assert nominated(b"X-Forwarded-For, x-real-ip, Upgrade") == {b"upgrade"}
    assert nominated(b"") == set()


@pytest.mark.parametrize("value", [b"a", b"A.b_c-1", b"x" * 128])
def test_a_fit_request_id_is_taken(value: bytes) -> None:
    assert request_id(value) == value.decode()


@pytest.mark.parametrize("value", [b"", b"x" * 129, b'a"b', b"a b", b"a\n", b"\xe4", b"a,b"])
def test_sec_144_an_unfit_request_id_is_none(value: bytes) -> None:
    assert request_id(value) is None


def test_of_an_answer_that_we_read_ourselves_every_field_counts_but_those_of_one_hop() -> None:
    kinds = CallFieldKinds()
    for name in (b"X-User-Id", b"X-Request-Id", b"Authorization", b"Cache-Control", b"odd_name", b"Set-Cookie"):
        assert kinds[name] == FORWARD
    assert {kinds[name] for name in (b"Keep-Alive", b"TE", b"Trailer", b"Proxy-Authenticate")} == {REMOVE}
    assert kinds[b"Content-Length"] == LENGTH


def test_the_field_that_tells_a_requests_id_is_the_documents() -> None:
    plan = a_plan(request_id_field="Trace-Id")
    for kinds in (RequestFieldKinds(plan, trusted=False), ResponseFieldKinds(plan)):
        assert (kinds[b"trace-ID"], kinds[b"X-Request-Id"]) == (REMOVE, FORWARD)
    trusted = RequestFieldKinds(plan, trusted=True)
    assert (trusted[b"Trace-Id"], trusted[b"X-Request-Id"]) == (REQUEST_ID, FORWARD)


def test_rel_3_no_upstream_says_which_generation_answered() -> None:
    kinds = ResponseFieldKinds(a_plan(generation_field="X-Generation"))
    assert (kinds[b"x-generation"], kinds[b"X-Request-Id"]) == (REMOVE, REMOVE)
    assert ResponseFieldKinds(a_plan())[b"x-generation"] == FORWARD
