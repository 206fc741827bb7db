"""HTTP/1.1 as clients and upstreams speak it: framing, limits, persistence, interim answers (SEC-90 to 99)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .rig import (
    Client,
    Gateway,
    Served,
    Upstream,
    chunked,
    gateway_and_upstream,
    request,
    response,
    say,
    say_and_close,
    token,
    until,
)

CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    limits = {"head_bytes": 4096, "request_line_bytes": 1024, "fields": 20}
    with gateway_and_upstream(limits=limits, routes={"open": {"body_limit_bytes": 100_000}}) as both:
        yield both


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Iterator[Upstream]:
    both[1].forget()
    yield both[1]
    both[1].script = say(response())


@pytest.fixture
def client(both: tuple[Gateway, Upstream]) -> Iterator[Client]:
    with Client(both[0].port) as client:
        yield client


# One framing, whatever the pieces.


def test_sec_90_a_length_beside_a_coding_is_refused_and_the_connection_ends(client: Client, upstream: Upstream) -> None:
    answer = client.ask(request("/open/a", CHUNKED, method="POST", body=b"0\r\n\r\n"))
    assert (answer.status, answer.value("Connection")) == (400, "close")
    assert client.ended() == "eof"
    assert upstream.requests == []


def test_sec_90_a_length_is_kept_as_a_length(client: Client, upstream: Upstream) -> None:
    assert client.ask(request(method="POST", body=b"abc")).status == 200
    sent = upstream.one_request()
    assert (sent.value("Content-Length"), sent.value("Transfer-Encoding"), sent.body) == ("3", None, b"abc")


def test_sec_92_chunks_are_made_anew_without_extensions_and_trailers(client: Client, upstream: Upstream) -> None:
    body = b"2;a=b\r\nab\r\n0001\r\nc\r\n0;z\r\nX-User-Id: root\r\n\r\n"
    assert client.ask(request("/open/a", CHUNKED, method="POST") + body).status == 200
    sent = upstream.one_request()
    assert (sent.body, sent.complete, sent.trailers) == (b"abc", True, b"")


def test_sec_92_a_small_chunked_request_may_come_byte_by_byte(client: Client, upstream: Upstream) -> None:
    raw = request("/open/a", CHUNKED, method="POST") + chunked(b"ab", b"c")
    assert client.ask(raw, *range(1, len(raw))).status == 200
    assert upstream.one_request().body == b"abc"


def test_sec_98_a_small_chunked_answer_may_come_byte_by_byte(client: Client, upstream: Upstream) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n"
    upstream.script = say(*(raw[at : at + 1] for at in range(len(raw))))
    for _ in range(2):
        answer = client.ask(request())
        assert (answer.status, answer.body, answer.complete, answer.trailers) == (200, b"abc", True, b"")
        assert answer.value("A") == "b"
    assert len({served.number for served in upstream.connections if served.requests}) >= 1


def test_requests_sent_ahead_are_answered_in_their_order(client: Client, upstream: Upstream) -> None:
    upstream.script = lambda served, message: served.send(response(message.start + b"|" + message.body))
    sent = [
        request("/open/0"),
        request("/nowhere"),
        request("/open/2", method="POST", body=b"two"),
        request("/open/3", CHUNKED, method="POST") + chunked(b"th", b"ree"),
        request("/orders/4"),
        request("/open/5"),
    ]
    client.send(b"".join(sent))
    answers = [client.answer() for _ in sent]
    assert [answer.status for answer in answers] == [200, 404, 200, 200, 401, 200]
    assert answers[2].body == b"POST /open/2 HTTP/1.1|two"
    assert answers[3].body == b"POST /open/3 HTTP/1.1|three"
    assert answers[5].body == b"GET /open/5 HTTP/1.1|"


def test_sec_92_a_chunked_request_sent_ahead_of_its_turn_stays_one_request(client: Client, upstream: Upstream) -> None:
    inner = b"0\r\n\r\nGET /open/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    client.send(request("/open/first") + request("/open/second", CHUNKED, method="POST") + chunked(inner))
    assert [client.answer().status for _ in range(2)] == [200, 200]
    assert [message.start.split()[1] for message in upstream.requests] == [b"/open/first", b"/open/second"]
    assert upstream.requests[1].body == inner


def test_a_thousand_requests_sent_ahead_are_all_answered(client: Client, upstream: Upstream) -> None:
    client.send(request("/nowhere") * 1000)
    assert {client.answer().status for _ in range(1000)} == {404}


def test_the_last_of_requests_sent_ahead_may_end_the_connection(client: Client, upstream: Upstream) -> None:
    client.send(request("/open/1") + request("/open/2", "Connection: close") + request("/open/3"))
    answers = [client.answer(), client.answer()]
    assert [answer.value("Connection") for answer in answers] == [None, "close"]
    assert client.ended() in ("eof", "reset")
    assert len(upstream.requests) == 2


# What a request line and its fields may be.


def test_sec_93_an_absolute_target_must_agree_with_the_host(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("http://gate.example/open/a?b=c")).status == 200
    assert upstream.one_request().start == b"GET /open/a?b=c HTTP/1.1"
    assert client.ask(request("http://other.example/open/a")).status == 400


def test_sec_93_the_host_of_the_client_is_told_and_that_of_the_target_sent(client: Client, upstream: Upstream) -> None:
    client.ask(request(host="gate.example:8443"))
    sent = upstream.one_request()
    assert sent.value("Host") == f"127.0.0.1:{upstream.port}"
    assert sent.value("X-Forwarded-Host") == "gate.example:8443"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
def test_sec_93_methods_that_lead_elsewhere_are_refused(client: Client, upstream: Upstream, method: str) -> None:
    assert client.ask(request(method=method)).status == 501
    assert client.ended() == "eof"
    assert upstream.requests == []


def test_sec_94_fields_of_one_hop_stay_behind(client: Client, upstream: Upstream) -> None:
    hop = ["Keep-Alive: 5", "Proxy-Authorization: Basic x", "TE: trailers", "Upgrade: h2c", "Proxy-Connection: close"]
    client.ask(request("/open/a", "Connection: keep-alive, X-Hop", "X-Hop: 1", "X-Stays: 1", *hop))
    sent = upstream.one_request()
    assert sent.value("X-Stays") == "1"
    for name in ("Connection", "X-Hop", "Keep-Alive", "Proxy-Authorization", "TE", "Upgrade", "Proxy-Connection"):
        assert sent.values(name) == [], name


def test_sec_94_connection_takes_no_identity_and_no_security_field_away(client: Client, upstream: Upstream) -> None:
    names = "X-User-Id, X-JWT-Assertion, X-Forwarded-For, X-Request-Id, Host, Authorization"
    client.ask(request("/orders/1", f"Connection: {names}", bearer=token()))
    sent = upstream.one_request()
    assert sent.value("X-User-Id") == "alice"
    assert sent.value("X-Forwarded-For") == "127.0.0.1"
    for name in ("X-JWT-Assertion", "X-Request-Id", "Host"):
        assert sent.value(name), name


def test_sec_94_fields_of_one_hop_stay_behind_on_the_way_back(client: Client, upstream: Upstream) -> None:
    fields = ("Connection: X-Hop, keep-alive", "X-Hop: 1", "Keep-Alive: timeout=5", "X-Stays: 1", "Trailer: A")
    upstream.script = say(response(b"ok", *fields))
    answer = client.ask(request())
    assert answer.value("X-Stays") == "1"
    for name in ("Connection", "X-Hop", "Keep-Alive", "Trailer"):
        assert answer.values(name) == [], name


def test_sec_95_a_request_line_is_limited(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/open/" + "a" * 1000)).status == 200
    assert client.ask(request("/open/" + "a" * 1030)).status == 431
    assert client.ended() == "eof"


@pytest.mark.parametrize("ends", [True, False], ids=["a head that ends", "a head that does not"])
def test_sec_95_a_head_is_limited(client: Client, upstream: Upstream, ends: bool) -> None:
    head = request("/open/a", *(f"A-{number}: " + "x" * 500 for number in range(9)))
    assert client.ask(head if ends else head[:-2]).status == 431
    assert client.ended() in ("eof", "reset")
    assert upstream.requests == []


def test_sec_95_the_limit_of_a_head_is_not_that_of_what_follows_it(client: Client, upstream: Upstream) -> None:
    client.send(request(method="POST", body=b"x" * 20_000) + request() * 100)
    assert {client.answer().status for _ in range(101)} == {200}


def test_sec_95_fields_are_limited_in_number(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/open/a", *(f"A-{number}: b" for number in range(19)))).status == 200
    assert client.ask(request("/open/a", *(f"A-{number}: b" for number in range(20)))).status == 431


def test_sec_95_a_body_with_a_length_over_the_limit_is_refused_unseen(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/open/a", "Content-Length: 100001", method="POST")).status == 413
    assert client.ended() == "eof"
    assert upstream.requests == []


def test_sec_95_a_chunked_body_over_the_limit_is_cut(client: Client, upstream: Upstream) -> None:
    client.send(request("/open/a", CHUNKED, method="POST") + chunked(*[b"x" * 10_000] * 11))
    assert client.answer().status == 413
    assert client.ended() in ("eof", "reset")
    assert upstream.requests == []


def test_sec_95_a_body_of_exactly_the_limit_passes(client: Client, upstream: Upstream) -> None:
    assert client.ask(request(method="POST", body=b"x" * 100_000)).status == 200
    assert client.ask(request("/open/a", CHUNKED, method="POST") + chunked(*[b"x" * 10_000] * 10)).status == 200
    assert [len(message.body) for message in upstream.requests] == [100_000, 100_000]


# HTTP/2 is not spoken here.


def test_sec_96_an_http_2_preface_is_refused(client: Client, upstream: Upstream) -> None:
    assert client.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00").status == 400
    assert client.ended() in ("eof", "reset")


def test_sec_96_an_offer_of_http_2_is_passed_over(client: Client, upstream: Upstream) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ")
    assert client.ask(request("/open/a", *offer, method="POST", body=b"abc")).status == 200
    assert client.ask(request("/open/b")).status == 200
    first, second = upstream.requests
    assert (first.body, second.start) == (b"abc", b"GET /open/b HTTP/1.1")
    assert first.values("Upgrade") + first.values("Connection") + first.values("HTTP2-Settings") == []


# Answers are read as strictly.

_BAD_ANSWERS = {
    "no HTTP": b"SSH-2.0-x\r\n\r\n",
    "another version": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "version 0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status past 599": b"HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status below 100": b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
    "bare line ends": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "an empty line first": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a folded field": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    "a blank before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "a NUL": b"HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 2\r\n\r\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "a list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "length and coding": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nok\r\n0\r\n\r\n",
    "a chunk that is too long": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n",
    "an interim answer with a body": b"HTTP/1.1 103 Early\r\nContent-Length: 2\r\n\r\nok" + response(),
    "an unasked change of protocol": b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    "201 fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 201 + b"\r\n",
    "a head past 64 KiB": b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"x" * 1000 + b"\r\n") * 70 + b"\r\n",
}


@pytest.mark.parametrize("bad", _BAD_ANSWERS.values(), ids=_BAD_ANSWERS.keys())
def test_sec_98_an_answer_that_cannot_be_read_is_a_502(client: Client, upstream: Upstream, bad: bytes) -> None:
    upstream.play(say(bad))
    answer = client.ask(request())
    assert answer.status == 502
    assert b"ok" not in answer.body
    assert client.ask(request()).status == 200
    one, other = (
        next(each for each in upstream.connections if message in each.requests) for message in upstream.requests
    )
    assert one is not other


def test_sec_98_bytes_behind_an_answer_are_nobodys(client: Client, upstream: Upstream) -> None:
    upstream.play(say(response(b"mine") + response(b"stray")))
    assert client.ask(request()).body == b"mine"
    assert client.ask(request()).body == b"ok"


def test_sec_98_a_body_where_none_may_be_is_nobodys(client: Client, upstream: Upstream) -> None:
    upstream.play(say(response(b"stray")))
    assert client.ask(request(method="HEAD")).status == 200
    assert client.ask(request()).body == b"ok"


# What is left of a refused request.


def test_sec_99_the_body_of_a_refused_request_is_not_the_next_request(client: Client, upstream: Upstream) -> None:
    inner = request("/open/smuggled")
    client.send(request("/nowhere", method="POST", body=inner) + request("/open/next"))
    assert client.answer().status == 404
    assert client.answer().status == 200
    assert upstream.one_request().start == b"GET /open/next HTTP/1.1"


def test_sec_99_a_long_unwanted_body_ends_the_connection(client: Client, upstream: Upstream) -> None:
    answer = client.ask(request("/nowhere", "Content-Length: 70000", method="POST"))
    assert (answer.status, answer.value("Connection")) == (404, "close")
    client.send(b"x" * 70_000 + request("/open/never"))
    assert client.ended() in ("eof", "reset")
    assert upstream.requests == []


def test_sec_99_an_unwanted_chunked_body_ends_the_connection(client: Client, upstream: Upstream) -> None:
    client.send(request("/nowhere", CHUNKED, method="POST") + chunked(b"abc") + request("/open/never"))
    assert client.answer().status == 404
    assert client.ended() in ("eof", "reset")
    assert upstream.requests == []


def test_sec_99_an_answer_before_the_body_keeps_the_two_apart() -> None:
    with gateway_and_upstream() as (gateway, upstream), Client(gateway.port) as client:
        upstream.on_connect = lambda served: served.upto(b"\r\n\r\n") and served.send(response(b"early"))
        inner = request("/open/smuggled")
        client.send(request("/open/early", f"Content-Length: {len(inner)}", method="POST"))
        assert client.answer().body == b"early"
        upstream.on_connect = None
        client.send(inner + request("/open/next"))
        assert client.answer().status == 200
        assert upstream.one_request().start == b"GET /open/next HTTP/1.1"


# Answers of every shape.


def test_an_answer_to_head_has_a_length_and_no_body(client: Client, upstream: Upstream) -> None:
    upstream.script = say(response(b"", length=1234))
    for _ in range(3):
        answer = client.ask(request(method="HEAD"))
        assert (answer.status, answer.value("Content-Length")) == (200, "1234")
    upstream.script = say(response(b"body"))
    assert client.ask(request()).body == b"body"


@pytest.mark.parametrize(("status", "fields"), [("204 No Content", ()), ("304 Not Modified", ("ETag: x",))])
def test_an_answer_without_a_body_leaves_the_connection_usable(
    client: Client, upstream: Upstream, status: str, fields: tuple[str, ...]
) -> None:
    upstream.play(say("\r\n".join([f"HTTP/1.1 {status}", *fields]).encode() + b"\r\n\r\n"))
    answer = client.ask(request())
    assert answer.start == f"HTTP/1.1 {status}".encode()
    assert answer.values("Content-Length") + answer.values("Transfer-Encoding") == []
    assert client.ask(request()).body == b"ok"


def test_a_304_may_tell_the_length_it_would_have_had(client: Client, upstream: Upstream) -> None:
    upstream.play(say(response(b"", status="304 Not Modified", length=77)))
    assert client.ask(request()).value("Content-Length") == "77"
    assert client.ask(request()).body == b"ok"


def test_interim_answers_are_not_passed_on(client: Client, upstream: Upstream) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n"
    upstream.play(say(interim + response()), say(interim, response(b"later")))
    assert client.ask(request()).body == b"ok"
    answer = client.ask(request())
    assert (answer.body, answer.values("Link")) == (b"later", [])


def test_an_answer_that_ends_with_its_connection_is_made_chunks(client: Client, upstream: Upstream) -> None:
    upstream.play(say_and_close(b"HTTP/1.1 200 OK\r\n\r\nto the end"))
    answer = client.ask(request())
    assert (answer.body, answer.complete, answer.value("Transfer-Encoding")) == (b"to the end", True, "chunked")
    assert client.ask(request()).body == b"ok"


def test_an_old_upstream_is_understood(client: Client, upstream: Upstream) -> None:
    upstream.play(
        say_and_close(response(b"old", version="1.0")), say(response(b"n", "Connection: keep-alive", version="1.0"))
    )
    assert client.ask(request()).body == b"old"
    assert client.ask(request()).body == b"n"


def test_an_upstream_that_announces_its_end_is_left(client: Client, upstream: Upstream) -> None:
    upstream.play(say(response(b"last", "Connection: close")))
    assert client.ask(request()).body == b"last"
    assert client.ask(request()).body == b"ok"
    assert [len(served.requests) for served in upstream.connections if served.requests][-2:] != [2]


@pytest.mark.parametrize(
    "answer", [response(b"body"), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"body")]
)
def test_an_old_client_gets_what_it_understands(client: Client, upstream: Upstream, answer: bytes) -> None:
    upstream.play(say(answer))
    client.send(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
    message = client.answer()
    assert (message.body, message.value("Transfer-Encoding"), message.value("Connection")) == (b"body", None, "close")
    assert client.ended() == "eof"


def test_an_old_client_may_keep_its_connection(client: Client, upstream: Upstream) -> None:
    raw = request("/open/a", "Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0")
    for _ in range(2):
        assert client.ask(raw).value("Connection") == "keep-alive"
    assert upstream.requests[0].start.endswith(b"HTTP/1.1")


def test_connections_to_an_upstream_are_used_again(client: Client, upstream: Upstream) -> None:
    for _ in range(5):
        client.ask(request())
        client.ask(request(method="POST", body=b"abc"))
    assert max(len(served.requests) for served in upstream.connections) >= 10


# Expectations.


def test_a_body_that_waits_for_word_is_sent_for_once_there_is_an_upstream(client: Client, upstream: Upstream) -> None:
    client.send(request("/open/a", "Expect: 100-continue", "Content-Length: 3", method="POST"))
    assert client.answer().start == b"HTTP/1.1 100 Continue"
    client.send(b"abc")
    assert client.answer().status == 200
    sent = upstream.one_request()
    assert (sent.body, sent.values("Expect")) == (b"abc", [])


def test_a_chunked_body_may_wait_for_word_as_well(client: Client, upstream: Upstream) -> None:
    client.send(request("/open/a", "Expect: 100-Continue", CHUNKED, method="POST"))
    assert client.answer().start == b"HTTP/1.1 100 Continue"
    client.send(chunked(b"abc"))
    assert client.answer().status == 200


def test_sec_99_a_refused_request_is_not_told_to_go_on(client: Client, upstream: Upstream) -> None:
    client.send(request("/orders/a", "Expect: 100-continue", "Content-Length: 3", method="POST"))
    answer = client.answer()
    assert (answer.status, answer.value("Connection")) == (401, "close")
    assert client.ended() == "eof"
    assert upstream.requests == []


def test_a_request_without_body_is_not_told_to_send_one(client: Client, upstream: Upstream) -> None:
    assert client.ask(request("/open/a", "Expect: 100-continue")).status == 200


def test_an_old_client_is_never_told_to_go_on(client: Client, upstream: Upstream) -> None:
    raw = request("/open/a", "Expect: 100-continue", method="POST", body=b"abc").replace(b"HTTP/1.1", b"HTTP/1.0")
    assert client.ask(raw).status == 200


def test_an_idle_connection_an_upstream_speaks_on_is_not_used(client: Client, upstream: Upstream) -> None:
    def stray(served: Served, _: object) -> None:
        served.send(response(b"first"))
        until(lambda: len(upstream.requests) >= 1)
        served.send(response(b"stray"))

    upstream.play(stray)
    assert client.ask(request()).body == b"first"
    (used,) = [served for served in upstream.connections if upstream.requests[0] in served.requests]
    until(lambda: used.end)
    assert client.ask(request()).body == b"ok"
