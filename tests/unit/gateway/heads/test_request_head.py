"""The head of a request: what is refused, what is read, and what is written for the upstream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.gateway.parts import a_plan, a_route

from jwtgate.errors import RequestRefused
from jwtgate.gateway.heads.fields import RequestFieldKinds
from jwtgate.gateway.heads.reading import IN_PYTHON, PLAIN_HEADS, PlainHeads
from jwtgate.gateway.heads.request_head import RequestHead
from jwtgate.gateway.worker import HostNames
from jwtgate.policy.plan import Plan
from jwtgate.policy.request import STRICT_PATHS

PLAN = a_plan()
KINDS = RequestFieldKinds(PLAN, trusted=False)
HOST = (b"Host", b"gate.example:8080")
Field = tuple[bytes, bytes]


def text(head: RequestHead) -> bytes:
    """What an upstream gets of it by a route that takes nothing out."""
    return head.written_for(PLAN.routes[0], host_line=b"Host: up\r\n", ours=b"X-Ours: 1\r\n", upgrading=False)


def read(
    *fields: Field, method: str = "GET", target: bytes = b"/open/a", http_11: bool = True, plan: Plan | None = None
) -> RequestHead:
    """A head with these fields, read."""
    kinds = KINDS if plan is None else RequestFieldKinds(plan, trusted=False)
    head = RequestHead(method, target, fields=list(fields), http_11=http_11)
    head.read(kinds, HostNames(), paths=STRICT_PATHS)
    return head


def refused(*fields: Field, **changes: Any) -> tuple[str, object]:
    """The reason a head is refused for, and its cause."""
    with pytest.raises(RequestRefused) as caught:
        read(*fields, **changes)
    return caught.value.reason, caught.value.detail.get("cause")


def written(*fields: Field, plan: Plan = PLAN, upgrading: bool = False, **changes: Any) -> bytes:
    """What the upstream gets for a head with these fields."""
    head = read(HOST, *fields, plan=plan, **changes)
    route = plan.router.find(head.method, head.host, head.path)
    assert route is not None
    return head.written_for(route, host_line=b"Host: up\r\n", ours=b"X-Ours: 1\r\n", upgrading=upgrading)


def test_a_plain_head_says_where_it_goes() -> None:
    head = read(HOST, target=b"/open/a?b=c")
    assert (head.path, head.query, head.host, head.host_value) == (
        "/open/a",
        b"b=c",
        "gate.example",
        b"gate.example:8080",
    )
    assert not head.has_body
    assert head.is_plain


@pytest.mark.parametrize("hosts", [(), (HOST, HOST), ((b"Host", b""),), ((b"Host", b""), HOST), (HOST, (b"host", b""))])
def test_sec_93_a_host_stands_there_exactly_once(hosts: tuple[Field, ...]) -> None:
    assert refused(*hosts) == ("request_malformed", "Host")


@pytest.mark.parametrize("value", [b"a b", b"a/b", b"user@a", b"a,b", b"a:b"])
def test_sec_93_a_host_that_is_none_is_refused(value: bytes) -> None:
    assert refused((b"Host", value)) == ("request_malformed", "Host")


@pytest.mark.parametrize(
    ("target", "host", "path", "query"),
    [
        (b"http://gate.example/a?b=c", b"gate.example", "/a", b"b=c"),
        (b"https://GATE.example", b"gate.example", "/", b""),
        (b"http://gate.example:8080/a?", b"Gate.Example:8080", "/a", b""),
    ],
)
def test_sec_93_an_absolute_target_agrees_with_the_host(target: bytes, host: bytes, path: str, query: bytes) -> None:
    head = read((b"Host", host), target=target)
    assert (head.path, head.query) == (path, query)


@pytest.mark.parametrize(
    "target",
    [
        b"http://other.example/a",
        b"http://gate.example:80/a",
        b"http://user@gate.example/a",
        b"ftp://gate.example/a",
        b"//gate.example/a",
        b"gate.example/a",
        b"http://[gate.example/a",
        b"*",
        b"",
        b"/a#b",
        b"/\xc3\xa4",
    ],
)
def test_sec_93_any_other_target_is_refused(target: bytes) -> None:
    reason, _ = refused((b"Host", b"gate.example"), target=target)
    assert reason == ("path_not_canonical" if target.startswith(b"//") else "request_malformed")


@pytest.mark.parametrize("path", [b"/a/%2e%2e/b", b"/a//b", b"/a%2fb", b"/a;b", b"/..", b"/%ff", b'/"', b"/a%00"])
def test_sec_110_a_path_with_two_readings_is_refused(path: bytes) -> None:
    assert refused(HOST, target=path)[0] == "path_not_canonical"


def test_sec_110_the_canonical_path_is_the_one_that_is_written() -> None:
    assert written(target=b"/open/./%61/../b%c3%a4?q=%61").startswith(b"GET /open/b%C3%A4?q=%61 HTTP/1.1\r\n")


LENGTH, CODING = (b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked")


def test_sec_90_a_body_is_framed_in_one_way() -> None:
    by_length, by_chunks, empty = read(HOST, LENGTH), read(HOST, CODING), read(HOST, (b"Content-Length", b"0"))
    assert (by_length.length, by_length.chunked, by_length.has_body) == (3, False, True)
    assert (by_chunks.length, by_chunks.chunked, by_chunks.has_body) == (None, True, True)
    assert (empty.length, empty.has_body) == (0, False)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ((LENGTH, CODING), "Transfer-Encoding"),
        ((CODING, LENGTH), "Content-Length"),
        ((LENGTH, LENGTH), "Content-Length"),
        (((b"Content-Length", b"+3"),), "Content-Length"),
        ((CODING, CODING), "Transfer-Encoding"),
        (((b"Transfer-Encoding", b"gzip, chunked"),), "Transfer-Encoding"),
        (((b"Transfer-Encoding", b"identity"),), "Transfer-Encoding"),
        (((b"Transfer-Encoding", b""),), "Transfer-Encoding"),
    ],
)
def test_sec_90_any_other_framing_is_refused(fields: tuple[Field, ...], cause: str) -> None:
    assert refused(HOST, *fields) == ("request_malformed", cause)


def test_sec_90_an_old_client_has_no_coding() -> None:
    assert refused(HOST, CODING, http_11=False) == ("request_malformed", "Transfer-Encoding")


def test_only_100_continue_is_expected_and_by_no_old_client() -> None:
    assert read(HOST, (b"Expect", b"100-Continue")).expects_continue
    assert not read(HOST, (b"Expect", b"100-continue"), http_11=False).expects_continue
    assert refused(HOST, (b"Expect", b"tea")) == ("request_malformed", "Expect")


def test_sec_113_an_unusual_name_is_refused_or_dropped() -> None:
    assert refused(HOST, (b"X_Other", b"1"))[0] == "field_name_unusual"
    dropping = a_plan(fields={"unusual_names": "drop"})
    assert b"Other" not in written((b"X_Other", b"1"), plan=dropping)


@pytest.mark.parametrize("fields", [(LENGTH,), (CODING,), ((b"Upgrade", b"x"),), ((b"Expect", b"100-continue"),)])
def test_a_head_that_changes_what_follows_is_not_plain(fields: tuple[Field, ...]) -> None:
    assert not read(HOST, *fields).is_plain
    assert not read(HOST, http_11=False).is_plain


def test_sec_18_of_several_authorizations_none_takes_the_place_of_the_first() -> None:
    lines = [(b"Authorization", b"Bearer first"), (b"authorization", b"Bearer 2"), (b"AUTHORIZATION", b"Bearer 3")]
    head = read(HOST, *lines)
    assert (head.authorization, head.authorization_repeated) == (b"Bearer first", True)
    assert not read(HOST, lines[0]).authorization_repeated


@pytest.mark.parametrize("heads", dict.fromkeys((IN_PYTHON, PLAIN_HEADS)), ids=lambda heads: heads.name)
def test_a_head_again_keeps_its_fields_and_nothing_of_its_request_line(heads: PlainHeads) -> None:
    first = read(HOST, (b"Authorization", b"Bearer a"), (b"Accept", b"*/*"), target=b"/open/a?b=c")
    text(first)
    again = first.again(b"DELETE /open/d HTTP/1.1\r\n", 100, heads)
    assert again is not None
    assert (again.method, again.target) == ("DELETE", b"/open/d")
    assert again.path == ("" if heads is IN_PYTHON else "/open/d")
    again.read_target(STRICT_PATHS)
    assert (again.path, again.query) == ("/open/d", b"")
    assert (again.authorization, again.host, again.forwarded) == (b"Bearer a", "gate.example", b"Accept: */*\r\n")
    assert (first.method, first.path, first.query) == ("GET", "/open/a", b"b=c")
    fields = b"Host: up\r\nAccept: */*\r\nX-Ours: 1\r\n\r\n"
    assert text(again) == b"DELETE /open/d HTTP/1.1\r\n" + fields
    assert text(first) == b"GET /open/a?b=c HTTP/1.1\r\n" + fields


@pytest.mark.parametrize("heads", dict.fromkeys((IN_PYTHON, PLAIN_HEADS)), ids=lambda heads: heads.name)
def test_a_head_again_says_everything_a_head_says(heads: PlainHeads) -> None:
    again = read(HOST).again(b"GET /open/d HTTP/1.1\r\n", 100, heads)
    assert again is not None
    assert [name for name in RequestHead.__slots__ if not hasattr(again, name)] == []
    assert again.is_plain


@pytest.mark.parametrize("heads", dict.fromkeys((IN_PYTHON, PLAIN_HEADS)), ids=lambda heads: heads.name)
def test_a_target_that_is_not_canonical_goes_on_as_the_one_it_is_read_as(heads: PlainHeads) -> None:
    for sent, meant in ((b"/a/./b", b"/a/b"), (b"/a?", b"/a"), (b"/%7Ea?b=%41", b"/~a?b=%41")):
        again = read(HOST).again(b"GET %b HTTP/1.1\r\n" % sent, 100, heads)
        assert again is not None
        again.read_target(STRICT_PATHS)
        assert text(again) == b"GET %b HTTP/1.1\r\nHost: up\r\nX-Ours: 1\r\n\r\n" % meant


def test_sec_18_parameters_are_taken_out_of_a_head_again() -> None:
    again = read(HOST).again(b"GET /open/d?access_token=x&a=b HTTP/1.1\r\n", 100)
    assert again is not None
    again.read_target(STRICT_PATHS)
    route = replace(PLAN.routes[0], removed_parameters=frozenset({"access_token"}))
    assert again.written_for(route, host_line=b"", ours=b"", upgrading=False) == b"GET /open/d?a=b HTTP/1.1\r\n\r\n"
    assert text(again).startswith(b"GET /open/d?access_token=x&a=b HTTP/1.1\r\n")


def test_sec_94_the_head_for_the_upstream_is_written_anew() -> None:
    assert written((b"accept", b"*/*"), (b"Keep-Alive", b"1"), (b"X-Real-IP", b"1.2.3.4")) == (
        b"GET /open/a HTTP/1.1\r\nHost: up\r\naccept: */*\r\nX-Ours: 1\r\n\r\n"
    )


def test_sec_94_what_connection_nominates_stays_behind_but_nothing_of_ours() -> None:
    fields = ((b"X-One", b"1"), (b"x-two", b"2"), (b"X-Three", b"3"), (b"X-One", b"4"))
    nominating = (b"Connection", b"keep-alive, X-One, X-TWO, x-ours")
    assert written(*fields, nominating) == b"GET /open/a HTTP/1.1\r\nHost: up\r\nX-Three: 3\r\nX-Ours: 1\r\n\r\n"


@pytest.mark.parametrize(
    "nomination", [b"Authorization", b"Cookie", b"Host", b"Content-Length", b"X-Ours", b"X-User-Id"]
)
def test_sec_94_connection_takes_no_credential_and_no_framing_away(nomination: bytes) -> None:
    fields = ((b"Authorization", b"Basic x"), (b"Cookie", b"a=b"), (b"Content-Length", b"0"))
    assert written(*fields, (b"Connection", nomination)) == written(*fields)


@pytest.mark.parametrize(
    "nomination", [b"X-Forwarded-For", b"Forwarded", b"X-Real-IP", b"x-client-cert", b"X-HTTP-Method-Override"]
)
def test_sec_94_connection_takes_away_nothing_a_trusted_proxy_said(nomination: bytes) -> None:
    head = RequestHead("GET", b"/open/a", fields=[HOST, (nomination, b"1"), (b"Connection", nomination)], http_11=True)
    head.read(RequestFieldKinds(PLAN, trusted=True), HostNames(), paths=STRICT_PATHS)
    sent = head.written_for(PLAN.routes[1], host_line=b"", ours=b"", upgrading=False)
    assert nomination + b": 1\r\n" in sent


@pytest.mark.parametrize("name", [b"X-User-Id", b"x_user_id", b"X.User.Id", b"X-JWT-Assertion"])
@pytest.mark.parametrize("target", [b"/open/a", b"/orders/1"])
def test_sec_112_no_client_sets_a_field_of_ours_on_any_route(name: bytes, target: bytes) -> None:
    assert b"mallory" not in written((name, b"mallory"), target=target)


def test_sec_116_a_bearer_stays_here_where_it_is_asked_for_and_goes_on_elsewhere() -> None:
    bearer = (b"Authorization", b"Bearer a.b.c")
    assert b"a.b.c" not in written(bearer, target=b"/orders/1")
    assert b"Authorization: Bearer a.b.c\r\n" in written(bearer)
    forwarding = a_plan(routes=a_route(forward_token=True))
    assert b"Authorization: Bearer a.b.c\r\n" in written(bearer, target=b"/orders/1", plan=forwarding)


def test_sec_112_an_authorization_we_set_on_one_route_comes_from_no_client_on_another() -> None:
    plan = a_plan(routes=a_route(issue={"audience": "internal", "header": "Authorization", "scheme": "Bearer"}))
    for target in (b"/open/a", b"/orders/1"):
        assert b"mallory" not in written((b"Authorization", b"Bearer mallory"), plan=plan, target=target)


def test_sec_116_tokens_are_taken_out_of_fields_cookies_and_query() -> None:
    places = ["bearer", {"header": "X-Token"}, {"cookie": "t"}, {"query": "t"}]
    plan = a_plan(routes=a_route(**{"from": places}))
    fields = ((b"X-Token", b"a.b.c"), (b"X-Other", b"1"), (b"Cookie", b"a=b; t=a.b.c"), (b"Cookie", b"t=a.b.c; c=d"))
    sent = written(*fields, plan=plan, target=b"/orders/1?x=1&t=a.b.c&y=2")
    assert sent == (
        b"GET /orders/1?x=1&y=2 HTTP/1.1\r\nHost: up\r\nX-Other: 1\r\nCookie: a=b; c=d\r\nX-Ours: 1\r\n\r\n"
    )
    assert b"Cookie" not in written((b"Cookie", b"t=a.b.c"), plan=plan, target=b"/orders/1?t=a")
    assert written(plan=plan, target=b"/orders/1?t=a").startswith(b"GET /orders/1 HTTP/1.1\r\n")


def test_cookies_of_several_fields_become_one() -> None:
    assert b"Cookie: a=b; c=d\r\n" in written((b"Cookie", b"a=b"), (b"cookie", b"c=d"))


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ((b"Content-Length", b"007"), b"Content-Length: 7\r\n"),
        ((b"Transfer-Encoding", b"Chunked"), b"Transfer-Encoding: chunked\r\n"),
    ],
)
def test_sec_94_the_framing_is_written_from_what_was_read(field: Field, line: bytes) -> None:
    assert line + b"X-Ours" in written(field)


def test_an_upgrade_is_passed_on_only_where_it_is_meant() -> None:
    fields = ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"), (b"Sec-WebSocket-Key", b"x"))
    assert b"Connection: Upgrade\r\nUpgrade: websocket\r\n" in written(*fields, upgrading=True)
    assert b"pgrade" not in written(*fields)


def test_the_host_of_the_client_goes_on_where_the_document_says() -> None:
    keeping = a_plan(upstreams={"echo": {"targets": ["http://127.0.0.1:9020"], "preserve_host": True}})
    assert b"Host: gate.example:8080\r\n" in written(plan=keeping)
    assert b"Host: up\r\n" in written()


def test_the_request_id_of_a_trusted_client_is_read_when_it_is_fit() -> None:
    for value, wanted in ((b"abc", "abc"), (b'a"b', None)):
        head = RequestHead("GET", b"/a", fields=[HOST, (b"X-Request-Id", value)], http_11=True)
        head.read(RequestFieldKinds(PLAN, trusted=True), HostNames(), paths=STRICT_PATHS)
        assert head.request_id == wanted


def test_the_decision_sees_names_in_lower_case() -> None:
    head = read(HOST, (b"X-One", b"A"), target=b"/a?b=C", method="POST")
    view = head.view("https", "192.0.2.7", fields=head.fields_told(KINDS, frozenset()))
    assert (view.method, view.scheme, view.host, view.path, view.query) == (
        "POST",
        "https",
        "gate.example",
        "/a",
        "b=C",
    )
    assert view.fields == ((b"host", b"gate.example:8080"), (b"x-one", b"A"))
    assert view.client == "192.0.2.7"


@pytest.mark.parametrize("name", [b"X-User-Id", b"x-user-id", b"X_User.Id", b"X-JWT-Assertion"])
def test_sec_112_the_decision_sees_no_identity_of_the_clients_own(name: bytes) -> None:
    fields = [HOST, (name, b"root"), (b"X-One", b"A")]
    head = RequestHead("GET", b"/open/a", fields=fields, http_11=True)
    assert head.fields_told(KINDS, frozenset()) == ((b"host", b"gate.example:8080"), (b"x-one", b"A"))
    assert (name.lower(), b"root") in head.fields_told(KINDS, frozenset({name.lower()}))


@pytest.mark.parametrize("name", [b"X-Forwarded-Proto", b"Forwarded", b"X-Original-URL", b"X-SSL-Client-Verify"])
def test_sec_114_the_decision_sees_what_a_proxy_says_only_where_it_is_trusted(name: bytes) -> None:
    head = RequestHead("GET", b"/open/a", fields=[HOST, (name, b"https")], http_11=True)
    assert len(head.fields_told(KINDS, frozenset())) == 1
    assert len(head.fields_told(RequestFieldKinds(PLAN, trusted=True), frozenset())) == 2


def test_sec_97_a_page_of_another_origin_is_refused() -> None:
    allowed = frozenset({b"https://app.example"})
    read(HOST).check_origin(allowed)
    read(HOST, (b"Origin", b"https://app.example")).check_origin(allowed)
    with pytest.raises(RequestRefused) as refusal:
        read(HOST, (b"ORIGIN", b"https://evil.example")).check_origin(allowed)
    assert (refusal.value.reason, refusal.value.status) == ("origin_refused", 403)


@pytest.mark.parametrize(
    ("fields", "asks"),
    [
        (((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")), True),
        (((b"Upgrade", b"websocket"),), False),
        (((b"Connection", b"Upgrade"), (b"Upgrade", b"h2c")), False),
        (((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"), (b"Content-Length", b"1")), False),
    ],
)
def test_sec_97_a_websocket_is_asked_for_in_one_way(fields: tuple[Field, ...], asks: bool) -> None:
    assert read(HOST, *fields).asks_for_websocket is asks


def test_the_upstream_is_asked_for_what_was_made_of_the_request_and_the_query_stays() -> None:
    head = read(HOST, target=b"/open/a?b=c")
    (route,) = [route for route in PLAN.routes if route.name == "open"]
    told = head.written_for(route, host_line=b"", ours=b"", upgrading=False, sent=("PUT", "/other"))
    assert told.startswith(b"PUT /other?b=c HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("path", "target"), [("/other?d=e", b"/other?d=e"), ("/other?", b"/other"), ("/other?d=e?", b"/other?d=e?")]
)
def test_a_query_of_its_own_takes_the_place_of_the_clients(path: str, target: bytes) -> None:
    head = read(HOST, target=b"/open/a?b=c")
    (route,) = [route for route in PLAN.routes if route.name == "open"]
    told = head.written_for(route, host_line=b"", ours=b"", upgrading=False, sent=("GET", path))
    assert told.startswith(b"GET %b HTTP/1.1\r\n" % target)


def test_sec_116_a_query_of_its_own_brings_no_token_back() -> None:
    plan = a_plan(routes=a_route(**{"from": {"query": "t"}}, rewrite={"query": {"request": "query"}}))
    head = read(HOST, plan=plan, target=b"/orders/1?x=1&t=a.b.c")
    (route,) = [route for route in plan.routes if route.name == "orders"]
    sent = ("GET", "/orders/1?x=1&t=a.b.c")
    told = head.written_for(route, host_line=b"", ours=b"", upgrading=False, sent=sent)
    assert told.startswith(b"GET /orders/1?x=1 HTTP/1.1\r\n")


def test_cookies_may_be_removed_as_a_whole() -> None:
    head = read(HOST, (b"Cookie", b"a=1"), (b"X-Kept", b"1"))
    (route,) = [route for route in PLAN.routes if route.name == "open"]
    removing = replace(route, removed_fields=frozenset({b"cookie"}))
    told = head.written_for(removing, host_line=b"", ours=b"", upgrading=False)
    assert b"Cookie" not in told
    assert b"X-Kept: 1" in told
