"""A client's connection: requests in, one after the other, and every way a client can misbehave."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gateway.messages import (
    CUTS,
    EDITS,
    Edits,
    edited,
    head_of,
    pieces_of,
    status_of,
    whole_request,
    without_dates,
)
from tests.unit.gateway.parts import OK, Gate, a_generation, a_plan, a_request, an_order, wire

from jwtgate.gateway.generation import Generation
from jwtgate.gateway.memory import Recent

PLAN = a_plan()
ENDED = {"request_malformed", "request_head_too_large", "path_not_canonical", "field_name_unusual"}
STATUSES = {200, 400, 401, 404, 413, 431, 501}


def later(seconds: float) -> float:
    return time.monotonic() + seconds


def serve(gate: Gate, pieces: list[bytes]) -> list[tuple[bytes, dict[bytes, bytes], bytes]]:
    """Send these pieces as reading allows, answer every request the upstream gets, and give those requests."""
    waiting, seen = deque(pieces), []
    while True:
        for connection in gate.pool.made:
            found = whole_request(wire(connection).sent) if not wire(connection).is_closing() else None
            if found is not None:
                seen.append(found[:3])
                assert found[3] == b"", "one request at a time"
                wire(connection).take()
                connection.data_received(OK[:-2] if found[0].startswith(b"HEAD ") else OK)
                gate.settle()
                break
        else:
            if not waiting or gate.transport.is_closing() or not gate.transport.reading:
                break
            gate.send(waiting.popleft())
    assert not waiting or gate.transport.is_closing() or gate.transport.ended, "reading never went on"
    assert gate.desk.bugs == []
    return seen


# Any bytes.

PATHS = st.text("abz019-._~", max_size=8).map(lambda text: f"/open/x{text}")
QUERIES = st.sampled_from(["", "?", "?a=b", "?a=%20&b", "?x=/../"])
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
LINES = st.lists(
    st.sampled_from([b"Accept: */*", b"Cookie: a=b", b"X-Real-IP: 1", b"connection: keep-alive"]), max_size=3
)
BODIES = st.binary(max_size=40)
Wanted = tuple[bytes, bytes]


@st.composite
def good_requests(draw: st.DrawFn) -> tuple[bytes, Wanted]:
    """A well-formed request, and the request line and body that are to reach the upstream."""
    start = f"{draw(METHODS)} {draw(PATHS)}{draw(QUERIES)}".encode()
    lines, body, framing = draw(LINES), draw(BODIES), draw(st.sampled_from(["none", "length", "chunks"]))
    wanted = start.removesuffix(b"?") + b" HTTP/1.1"
    if framing == "none":
        return a_request(*lines, start=start), (wanted, b"")
    if framing == "length":
        return a_request(*lines, b"Content-Length: %d" % len(body), start=start, body=body), (wanted, body)
    half = len(body) // 2
    parts = [part for part in (body[:half], body[half:]) if part]
    framed = b"".join(b"%X;x=y\r\n%b\r\n" % (len(part), part) for part in parts) + b"00\r\nX-User-Id: mallory\r\n\r\n"
    return a_request(*lines, b"Transfer-Encoding: chunked", start=start, body=framed), (wanted, body)


@settings(max_examples=150, deadline=None)
@given(st.lists(good_requests(), min_size=1, max_size=4), CUTS)
def test_sec_90_each_whole_request_is_forwarded_exactly_once_however_it_comes(
    requests: list[tuple[bytes, Wanted]], cuts: list[int]
) -> None:
    gate = Gate(a_generation(PLAN))
    seen = serve(gate, pieces_of(b"".join(raw for raw, _ in requests), cuts))
    assert [(first, body) for first, _, body in seen] == [wanted for _, wanted in requests]
    assert gate.outcomes == [(200, "")] * len(requests)
    assert not gate.transport.is_closing()


@settings(max_examples=150, deadline=None)
@given(st.lists(good_requests(), max_size=2), st.binary(min_size=1, max_size=80), CUTS)
def test_any_bytes_behind_whole_requests_are_refused_or_waited_on(
    requests: list[tuple[bytes, Wanted]], rest: bytes, cuts: list[int]
) -> None:
    gate = Gate(a_generation(PLAN))
    seen = serve(gate, pieces_of(b"".join(raw for raw, _ in requests) + rest, cuts))
    assert [(first, body) for first, _, body in seen] == [wanted for _, wanted in requests]
    assert all(status in STATUSES for status, _ in gate.outcomes)
    assert [reason for _, reason in gate.outcomes][: len(requests)] == [""] * len(requests)
    assert gate.transport.ended is (len(gate.outcomes) > len(requests))


STREAMS = st.lists(
    st.sampled_from(
        [
            a_request(),
            a_request(b"Cookie: a=b", b"Accept: */*", start=b"DELETE /open/b?c=d"),
            an_order(),
            an_order(b"X-Forwarded-For: 1.2.3.4", start=b"PUT /orders/2"),
            an_order(token="a.b.c"),
            a_request(b"Content-Length: 5", start=b"POST /open/a", body=b"GET /"),
            a_request(b"Transfer-Encoding: chunked", start=b"POST /open/a", body=b"3\r\nabc\r\n0\r\n\r\n"),
            a_request(b"Connection: close"),
            a_request(b"Connection: X-User-Id, Accept", b"Accept: x"),
            a_request(start=b"GET /nowhere"),
            a_request(start=b"GET http://gate.example/open/a"),
            a_request().replace(b"1.1", b"1.0"),
            b"\r\n",
        ]
    ),
    min_size=1,
    max_size=3,
).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(STREAMS, EDITS, CUTS, st.sampled_from(["192.0.2.7", "10.0.0.1"]))
def test_a_request_is_read_alike_whether_its_fields_are_known_or_not(
    stream: bytes, edits: Edits, cuts: list[int], peer: str
) -> None:
    data = edited(stream, edits)
    warm, cold = a_generation(TRUSTING), a_generation(FORGETFUL)
    cold.heads = cold.trusted_heads = Recent(0, most_bytes=0, size_of=lambda *_: 0)
    for known in (stream, data):
        for other in ("192.0.2.7", "10.0.0.1"):
            serve(Gate(warm, peer=other), [known])
    results = [everything(generation, pieces_of(data, cuts), peer) for generation in (warm, cold)]
    assert results[0] == results[1]


TRUSTING = a_plan(trusted_proxies=["10.0.0.0/8"])
FORGETFUL = replace(TRUSTING, limits=replace(TRUSTING.limits, remembered_outcomes=0))
IDENTITY = {b"x-user-id", b"x-jwt-assertion"}


def everything(generation: Generation, pieces: list[bytes], peer: str) -> tuple[object, ...]:
    """All that a client and its upstream see of these bytes; whatever they are, none of it is nonsense."""
    gate = Gate(generation, peer=peer)
    seen = serve(gate, pieces)
    for first, fields, _ in seen:
        assert first.split(b" ")[1].startswith((b"/open/", b"/orders/"))
        assert fields.keys() & IDENTITY == (IDENTITY if b" /orders/" in first else set())
        assert fields.get(b"x-user-id", b"alice") == b"alice"
    assert all(status in STATUSES for status, _ in gate.outcomes)
    reasons = [reason for _, reason in gate.outcomes]
    good = list(takewhile(lambda reason: reason not in ENDED, reasons))
    assert len(good) >= len(reasons) - 1
    assert len(good) == len(reasons) or gate.transport.ended or gate.transport.closed
    ends = (gate.transport.ended, gate.transport.closed, gate.transport.aborted, gate.transport.reading)
    return (seen, without_dates(gate.transport.sent), gate.outcomes, *ends)


def test_a_head_that_is_known_is_not_read_again() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request()).answer(OK)
    gate.send(a_request(start=b"PUT /open/b?c=d")).answer(OK)
    one, two = gate.desk.done
    assert two.head.fields is one.head.fields
    assert (two.head.method, two.head.path, two.head.query) == ("PUT", "/open/b", b"c=d")


@pytest.mark.parametrize("change", [(b"/open/a", b'/open/"'), (b"GET", b"BREW"), (b"/open/a", b"/open/" + b"a" * 9000)])
def test_a_known_head_excuses_no_request_line(change: tuple[bytes, bytes]) -> None:
    known, unknown = Gate(a_generation(PLAN)), Gate(a_generation(PLAN))
    known.send(a_request()).answer(OK)
    for gate in (known, unknown):
        gate.send(a_request().replace(*change))
    assert known.outcomes[1:] == unknown.outcomes
    assert known.outcomes[-1][0] in (400, 431, 501)


def test_sec_110_a_known_head_excuses_no_path() -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request()).answer(OK)
    gate.send(a_request(start=b"GET /open/%2e%2e/orders/1"))
    assert gate.outcomes[-1] == (400, "path_not_canonical")
    assert gate.desk.done[-1].head.path == ""
    assert gate.transport.ended


@pytest.mark.parametrize(
    "line",
    [b"Content-Length: 0", b"Connection: close", b"Expect: 100-continue", b"Upgrade: h2c", b"X_Y: 1", b"Host: b"],
)
def test_a_head_that_is_not_plain_is_not_remembered(line: bytes) -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(a_request(line))
    assert len(gate.generation.heads) == 0


def test_sec_114_a_head_of_a_trusted_client_means_nothing_for_another() -> None:
    generation = a_generation(TRUSTING)
    sent = a_request(b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-Proto: https")
    told = {}
    for peer in ("10.0.0.1", "192.0.2.7", "10.0.0.1"):
        ((_, fields, _),) = serve(Gate(generation, peer=peer), [sent])
        told[peer] = (fields[b"x-forwarded-for"], fields[b"x-forwarded-proto"])
    assert told == {"10.0.0.1": (b"1.2.3.4, 10.0.0.1", b"https"), "192.0.2.7": (b"192.0.2.7", b"http")}


# What is refused before it is a request.


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431, "request_head_too_large"),
        (a_request(*[b"X: 1"] * 100), 431, "request_head_too_large"),
        (a_request(start=b"GET /" + b"a" * 9000), 431, "request_head_too_large"),
        (a_request(start=b"BREW /open/a"), 501, "method_refused"),
        (a_request(start=b"TRACE /open/a"), 501, "method_refused"),
        (b"CONNECT gate.example:443 HTTP/1.1\r\nHost: gate.example:443\r\n\r\n", 501, "method_refused"),
        (b"\x16\x03\x01", 400, "request_malformed"),
        (b"\r\rGET", 400, "request_malformed"),
        (a_request(b"Host: other.example"), 400, "request_malformed"),
    ],
)
def test_sec_95_a_head_that_is_refused_ends_the_connection(sent: bytes, status: int, reason: str) -> None:
    gate = Gate(a_generation(PLAN))
    gate.send(sent)
    got = gate.transport.take()
    assert status_of(got) == status
    assert head_of(got)[1][b"connection"] == b"close"
    assert gate.outcomes == [(status, reason)]
    assert gate.transport.ended or gate.transport.closed
    gate.send(a_request())
    assert (gate.transport.take(), gate.pool.made) == (b"", [])
