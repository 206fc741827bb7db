"""Requests of HTTP/2 that would mean something else in HTTP/1.1, and an upstream that writes down what it gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from ..rig import Gateway, Upstream, gateway_and_upstream, token
from .frame_client import Fields, FrameClient, asked

PROTOCOL_ERROR = 1


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(listen=[{"address": "127.0.0.1:0", "http2": True}]) as both:
        yield both


@pytest.fixture
def gateway(both: tuple[Gateway, Upstream]) -> Gateway:
    return both[0]


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Upstream:
    both[1].forget()
    return both[1]


def field(name: bytes, value: bytes) -> Fields:
    return asked(b"/open/1", (name, value))


REFUSED = {
    "CR LF in a value": field(b"x-a", b"b\r\nx-user-id: mallory"),
    "LF in a value": field(b"x-a", b"b\nx-user-id: mallory"),
    "CR in a value": field(b"x-a", b"b\rc"),
    "NUL in a value": field(b"x-a", b"b\0c"),
    "a control byte in a value": field(b"x-a", b"b\x01c"),
    "DEL in a value": field(b"x-a", b"b\x7fc"),
    "a blank before a value": field(b"x-a", b" b"),
    "a blank behind a value": field(b"x-a", b"b "),
    "a tab behind a value": field(b"x-a", b"b\t"),
    "a whole request in a value": field(b"x-a", b"b\r\n\r\nGET /orders/2 HTTP/1.1\r\nhost: x\r\n\r\n"),
    "an upper-case name": field(b"X-A", b"b"),
    "a colon in a name": field(b"x-a:b", b"c"),
    "a colon behind a name": field(b"x-a:", b"c"),
    "a blank in a name": field(b"x a", b"b"),
    "a blank behind a name": field(b"x-a ", b"b"),
    "CR LF in a name": field(b"x-a: b\r\nx-user-id", b"mallory"),
    "a control byte in a name": field(b"x-\x01", b"b"),
    "a byte beyond ASCII in a name": field(b"x-\xe9", b"b"),
    "an empty name": field(b"", b"b"),
    "an underscore in a name": field(b"x_other", b"b"),
    "Connection": field(b"connection", b"close"),
    "Connection that names a field": field(b"connection", b"authorization"),
    "Keep-Alive": field(b"keep-alive", b"timeout=5"),
    "Proxy-Connection": field(b"proxy-connection", b"keep-alive"),
    "Transfer-Encoding": field(b"transfer-encoding", b"chunked"),
    "Transfer-Encoding identity": field(b"transfer-encoding", b"identity"),
    "Upgrade": field(b"upgrade", b"websocket"),
    "TE that is not trailers": field(b"te", b"gzip"),
    "TE that is more than trailers": field(b"te", b"trailers, chunked"),
    "a length and no body": field(b"content-length", b"5"),
    "two lengths": asked(b"/open/1", (b"content-length", b"0"), (b"content-length", b"0")),
    "a blank in the path": asked(b"/open/1 HTTP/1.1\r\nx-user-id: mallory\r\nx:"),
    "one blank in the path": asked(b"/open/a b"),
    "CR LF in the path": asked(b"/open/1\r\nx: y"),
    "NUL in the path": asked(b"/open/1\0"),
    "no slash before the path": asked(b"open/1"),
    "a whole address as the path": asked(b"http://orders.example/open/1"),
    "an address of another host as the path": asked(b"http://evil.example/open/1"),
    "an authority as the path": asked(b"//evil.example/open/1"),
    "an empty path": asked(b""),
    "a fragment in the path": asked(b"/open/1#x"),
    "encoded dots in the path": asked(b"/open/%2e%2e/orders/1"),
    "a star as the path": asked(b"*", method=b"OPTIONS"),
    "no path": asked(path=None),
    "no method": asked(b"/open/1", method=None),
    "no scheme": asked(b"/open/1", scheme=None),
    "neither authority nor Host": asked(b"/open/1", authority=None),
    "an empty method": asked(b"/open/1", method=b""),
    "a blank in the method": asked(b"/open/1", method=b"GET /orders/1 HTTP/1.1\r\nx:"),
    "CR LF in the method": asked(b"/open/1", method=b"GET\r\n"),
    "another scheme": asked(b"/open/1", scheme=b"ftp"),
    "CR LF in the scheme": asked(b"/open/1", scheme=b"http\r\nx: y"),
    "an empty authority": asked(b"/open/1", authority=b""),
    "CR LF in the authority": asked(b"/open/1", authority=b"orders.example\r\nx-user-id: mallory"),
    "a blank in the authority": asked(b"/open/1", authority=b"orders.example evil.example"),
    "a user in the authority": asked(b"/open/1", authority=b"mallory@orders.example"),
    "a path in the authority": asked(b"/open/1", authority=b"orders.example/x"),
    "a Host beside another authority": field(b"host", b"evil.example"),
    "two Hosts": asked(b"/open/1", (b"host", b"orders.example"), (b"host", b"orders.example"), authority=None),
    "CR LF in Host": asked(b"/open/1", (b"host", b"orders.example\r\nx: y"), authority=None),
    "a method twice": [(b":method", b"GET"), *asked()],
    "a path twice": [(b":path", b"/orders/1"), *asked()],
    "an authority twice": [(b":authority", b"evil.example"), *asked()],
    "a pseudo-header field behind others": [*asked(path=None), (b"x-a", b"b"), (b":path", b"/open/1")],
    "a second path behind others": [*asked(), (b"x-a", b"b"), (b":path", b"/orders/1")],
    "a status in a request": [(b":status", b"200"), *asked()],
    "a protocol without CONNECT": [(b":protocol", b"websocket"), *asked()],
    "a WebSocket (RFC 8441), which is not offered": [(b":protocol", b"websocket"), *asked(method=b"CONNECT")],
    "a pseudo-header field nobody knows": [(b":forwarded", b"x"), *asked()],
    "an empty pseudo-header field": [(b":", b"x"), *asked()],
}


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED.keys())
def test_sec_96_what_cannot_be_read_in_one_way_never_reaches_the_upstream(
    gateway: Gateway, upstream: Upstream, fields: Fields
) -> None:
    with FrameClient(gateway.port) as client:
        assert client.ask(fields).status == 400
        assert client.ask(asked(), stream=3).status == 200  # and only that stream is at fault
    assert [each.start for each in upstream.requests] == [b"GET /open/1 HTTP/1.1"]
    assert upstream.requests[0].values("x-user-id") == []


@pytest.mark.parametrize("length", [b"+0", b"-1", b"0 0", b"0, 0", b"0x0", b"", b"0_0", b"0;"])
def test_sec_90_a_length_that_is_no_number_is_refused(gateway: Gateway, upstream: Upstream, length: bytes) -> None:
    with FrameClient(gateway.port) as client:
        assert client.ask(field(b"content-length", length)).status == 400
        assert client.ask(stream=3).status == 200
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("method", [b"CONNECT", b"TRACE"])
def test_sec_93_connect_and_trace_are_refused(gateway: Gateway, upstream: Upstream, method: bytes) -> None:
    fields = asked(method=method) if method == b"TRACE" else asked(method=method, path=None, scheme=None)
    with FrameClient(gateway.port) as client:
        assert client.ask(fields).status == 501
    assert upstream.requests == []


def test_sec_96_a_body_longer_than_was_said_is_refused(gateway: Gateway, upstream: Upstream) -> None:
    fields = asked(b"/open/1", (b"content-length", b"5"), method=b"POST")
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, fields, "END_HEADERS"), DataFrame(1, b"0123456789", flags=("END_STREAM",)))
        assert client.answer().status == 400
        assert client.ask(stream=3).status == 200  # and only that stream is at fault
    upstream.requests.pop()
    assert all(len(each.body) <= 5 and not each.complete for each in upstream.requests)


def test_sec_96_a_body_that_goes_on_being_too_long_is_refused_once() -> None:
    fields = asked(b"/open/1", (b"content-length", b"3"), method=b"POST")
    windows = {SettingsFrame.INITIAL_WINDOW_SIZE: 0}
    with (
        gateway_and_upstream(listen=[{"address": "127.0.0.1:0", "http2": True}]) as (gateway, _),
        FrameClient(gateway.port, settings=windows) as client,
    ):
        client.put(client.head(1, fields, "END_HEADERS"), *(DataFrame(1, b"too long") for _ in range(5)))
        assert client.ask(asked(b"/nowhere", method=b"HEAD"), stream=3).status == 404
        assert [line["reason"] for line in gateway.log(2)] == ["request_malformed", "route_unknown"]


def test_sec_96_the_refusal_of_a_head_has_no_body(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        answer = client.ask(asked(b"/open/1", (b"connection", b"close"), method=b"HEAD"))
        assert (answer.status, answer.body) == (400, b"")


def test_sec_96_a_body_shorter_than_was_said_is_refused(gateway: Gateway, upstream: Upstream) -> None:
    fields = asked(b"/open/1", (b"content-length", b"10"), method=b"POST")
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, fields, "END_HEADERS"), DataFrame(1, b"01234", flags=("END_STREAM",)))
        assert client.answer().status == 400
        assert client.ask(stream=3).status == 200
    upstream.requests.pop()
    assert not any(each.complete for each in upstream.requests)


def test_sec_96_a_body_cut_short_by_trailers_is_refused(gateway: Gateway, upstream: Upstream) -> None:
    fields = asked(b"/open/1", (b"content-length", b"10"), method=b"POST")
    with FrameClient(gateway.port) as client:
        client.put(client.head(1, fields, "END_HEADERS"), DataFrame(1, b"01234"), client.head(1, [(b"x-a", b"b")]))
        answer = client.answer()
        assert answer.reset == PROTOCOL_ERROR or answer.status == 400
    assert not any(each.complete for each in upstream.requests)


def test_sec_92_the_trailers_of_a_request_are_dropped(gateway: Gateway, upstream: Upstream) -> None:
    trailers = [(b"x-user-id", b"mallory"), (b"x-a", b"b"), (b"authorization", b"Bearer x")]
    with FrameClient(gateway.port) as client:
        head = client.head(1, asked(method=b"POST"), "END_HEADERS")
        client.put(head, DataFrame(1, b"hello"), client.head(1, trailers))
        assert client.answer().status == 200
    sent = upstream.requests[0]
    assert (sent.body, sent.trailers, sent.values("x-a"), sent.values("x-user-id")) == (b"hello", b"", [], [])


@pytest.mark.parametrize(
    "trailers",
    [
        [(b":path", b"/orders/1")],
        [(b"x-a", b"b\r\n\r\nGET /orders/1 HTTP/1.1\r\nhost: x\r\n\r\n")],
        [(b"X-A", b"b")],
        [(b"transfer-encoding", b"chunked")],
    ],
    ids=["a pseudo-header field", "a request", "an upper-case name", "a field of a connection"],
)
def test_sec_96_trailers_that_cannot_be_read_end_the_request(
    gateway: Gateway, upstream: Upstream, trailers: Fields
) -> None:
    with FrameClient(gateway.port) as client:
        head = client.head(1, asked(method=b"POST"), "END_HEADERS")
        client.put(head, DataFrame(1, b"hello"), client.head(1, trailers))
        answer = client.answer()
        assert answer.reset == PROTOCOL_ERROR or answer.status == 400
    assert not any(each.complete for each in upstream.requests)


def test_sec_96_what_looks_like_chunks_in_a_body_stays_a_body(gateway: Gateway, upstream: Upstream) -> None:
    body = b"0\r\n\r\nGET /orders/1 HTTP/1.1\r\nhost: x\r\n\r\n"
    with FrameClient(gateway.port) as client:
        assert client.ask(asked(method=b"POST"), body=body).status == 200
    assert [(each.start, each.body) for each in upstream.requests] == [(b"POST /open/1 HTTP/1.1", body)]


def test_cookies_in_crumbs_are_one_cookie_again(gateway: Gateway, upstream: Upstream) -> None:
    crumbs = asked(b"/open/1", (b"cookie", b"a=1"), (b"x-a", b"b"), (b"cookie", b"b=2"))
    with FrameClient(gateway.port) as client:
        assert client.ask(crumbs).status == 200
    assert upstream.requests[0].value("cookie") == "a=1; b=2"


def test_a_host_that_repeats_the_authority_is_fine(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        assert client.ask(asked(b"/open/1", (b"host", b"orders.example"))).status == 200
        assert client.ask(asked(b"/open/1", (b"host", b"orders.example"), authority=None), stream=3).status == 200
    assert [each.value("x-forwarded-host") for each in upstream.requests] == ["orders.example"] * 2


def test_te_trailers_is_fine_and_stays_here(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        assert client.ask(asked(b"/open/1", (b"te", b"trailers"))).status == 200
    assert upstream.requests[0].values("te") == []


@pytest.mark.parametrize(
    "name",
    [b"x-user-id", b"x_user_id", b"x.user.id", b"x-jwt-assertion", b"x-forwarded-for", b"x-real-ip", b"x-original-url"],
)
def test_sec_112_nobody_says_who_they_are_by_themselves(gateway: Gateway, upstream: Upstream, name: bytes) -> None:
    with FrameClient(gateway.port) as client:
        assert client.ask(asked(b"/open/1", (name, b"mallory"))).status == 200
    assert b"mallory" not in upstream.requests[0].raw_head


def test_sec_116_the_token_does_not_go_on(gateway: Gateway, upstream: Upstream) -> None:
    fields = asked(b"/orders/1", (b"authorization", f"Bearer {token()}".encode()))
    with FrameClient(gateway.port) as client:
        assert client.ask(fields).status == 200
    assert upstream.requests[0].values("authorization") == []
    assert upstream.requests[0].value("x-user-id") == "alice"


def test_sec_91_one_field_split_between_frames_is_read_as_a_whole(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        block = client.encoder.encode(asked(b"/open/1", (b"x-a", b"b\r\nx-user-id: mallory")))
        half = HeadersFrame(1, block[:20], flags=("END_STREAM",))
        rest = b"\x00" * 0 + block[20:]
        client.put(half)
        client.send(len(rest).to_bytes(3) + b"\x09\x04" + (1).to_bytes(4) + rest)
        assert client.answer().status == 400
    assert upstream.requests == []
