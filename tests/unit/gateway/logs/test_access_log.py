"""The lines of the access log: what stands in them, in which shape, and what happens when nobody reads them."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gateway.messages import pieces_of
from tests.unit.gateway.parts import OK, TOKEN, Gate, a_generation, a_plan, a_request, a_token, an_order

from jwtgate.gateway.exchange import Exchange
from jwtgate.gateway.logs.access_log import AccessLog

MEMBERS = [
    "time",
    "id",
    "route",
    "method",
    "path",
    "status",
    "reason",
    "issuer",
    "consumer",
    "client",
    "ms",
    "generation",
]


def lines_of(*exchanges: Exchange) -> bytes:
    """What the log holds after these exchanges."""
    reader, writer = os.pipe()
    log = AccessLog(writer)
    for exchange in exchanges:
        log.line(exchange, exchange.route.name if exchange.route else "", 0.0125)
    log.close()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read()


def logged(gate: Gate) -> list[dict[str, Any]]:
    """The lines of every exchange of this connection, each a JSON object."""
    return [json.loads(line) for line in lines_of(*gate.desk.done).splitlines()]


def test_a_line_says_who_asked_for_what_and_how_it_ended() -> None:
    gate = Gate(a_generation(number=4))
    gate.send(an_order(start=b"PUT /orders/1?secret=1")).answer(OK)
    (line,) = logged(gate)
    assert list(line) == MEMBERS
    assert line.pop("time").endswith("Z")
    assert line == {
        "id": "0000000000000001",
        "route": "orders",
        "method": "PUT",
        "path": "/orders/1",
        "status": 200,
        "reason": "",
        "issuer": "main",
        "consumer": "",
        "client": "192.0.2.7",
        "ms": 12.5,
        "generation": 4,
    }


@pytest.mark.parametrize(
    "target",
    [
        b"/open/%22%2C%22status%22%3A200",
        b"/open/%C3%A4%F0%9F%92%A9",
        b"/open/%1B%5B31m",
        b"/open/%0D%0Ax",
        b'/open/"',
        b"/open/%E2%80%A8",
        b"/open/" + b"x" * 5000,
        b"http://other.example/",
        b"/open/\\",
    ],
)
def test_sec_144_a_hostile_path_stays_one_line_of_ascii(target: bytes) -> None:
    gate = Gate()
    gate.send(a_request(start=b"GET " + target))
    if not gate.desk.done:
        gate.answer(OK)
    raw = lines_of(*gate.desk.done)
    assert raw.count(b"\n") == 1
    assert all(0x20 <= byte < 0x7F for byte in raw[:-1])
    assert len(raw) < 1500
    assert len(json.loads(raw)["path"]) <= 1024


def test_sec_144_no_line_holds_a_token_a_query_or_a_cookie() -> None:
    gate = Gate()
    wrong = a_token(aud="somebody-else")
    fields = (b"Cookie: session=c00kie", b"X-Token: t0ken", b"User-Agent: agent-7")
    gate.send(an_order(*fields, start=b"GET /orders/1?access_token=qu3ry")).answer(OK)
    gate.send(an_order(*fields, token=wrong, start=b"GET /orders/1?access_token=qu3ry"))
    gate.send(a_request(*fields, start=b"GET /nowhere?access_token=qu3ry"))
    gate.send(a_request(*fields, b"Bad Name: n0nsense"))
    raw = lines_of(*gate.desk.done).decode()
    assert [json.loads(line)["status"] for line in raw.splitlines()] == [200, 401, 404, 400]
    for secret in ("c00kie", "t0ken", "agent-7", "qu3ry", "n0nsense", *TOKEN.split("."), *wrong.split(".")):
        assert secret not in raw


@settings(max_examples=40)
@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=2))
def test_sec_144_whatever_comes_every_line_is_json(data: bytes, cuts: list[int]) -> None:
    gate = Gate(GENERATION)
    gate.send(*pieces_of(b"GET /open/" + data + b" HTTP/1.1\r\nHost: a\r\n\r\n", cuts))
    gate.transport.abort()
    gate.settle()
    lines = logged(gate)
    assert lines
    assert all(line["status"] in (400, 404, 499, 501) for line in lines)


GENERATION = a_generation()


def test_a_slow_reader_loses_lines_and_they_are_counted() -> None:
    gate = Gate()
    gate.send(a_request()).answer(OK)
    reader, writer = os.pipe()
    log = AccessLog(writer)
    log.flush()
    line = len(lines_of(*gate.desk.done))
    in_a_block = 70_000 // line  # more than a pipe takes, so that the thread waits in the first of them
    blocks = log.MOST_PENDING_BLOCKS + 3
    for _ in range(blocks):
        for _ in range(in_a_block):
            log.line(gate.desk.done[0], "open", 0.0)
        log.flush()
    assert log.lost
    assert log.lost % in_a_block == 0
    os.close(reader)
    log.close()
    os.close(writer)


def test_a_reader_that_is_gone_stops_nothing() -> None:
    gate = Gate()
    gate.send(a_request()).answer(OK)
    reader, writer = os.pipe()
    os.close(reader)
    log = AccessLog(writer)
    log.line(gate.desk.done[0], "open", 0.0)
    log.close()
    os.close(writer)
    assert log.lost == 0


def test_the_document_may_give_lines_another_shape() -> None:
    members = {
        "when": "time",
        "type": {"constant": "a 100% %(id)s"},
        "request": {"method": "method", "url": "url", "host": "host", "scheme": "scheme"},
        "status": "status",
        "took": "ms",
        "weight": "level",
    }
    gate = Gate(a_generation(a_plan(access_log={"members": members})))
    gate.send(an_order(start=b"PUT /orders/1?secret=1")).answer(OK)
    (line,) = logged(gate)
    assert list(line) == ["when", "type", "request", "status", "took", "weight"]
    assert line.pop("when").endswith("Z")
    asked = {"method": "PUT", "url": "http://gate.example/orders/1", "host": "gate.example", "scheme": "http"}
    assert line == {"type": "a 100% %(id)s", "request": asked, "status": 200, "took": 12.5, "weight": "info"}
    refused = Gate(a_generation(a_plan(access_log={"members": members})))
    refused.send(an_order(token="none"))
    assert logged(refused)[0]["weight"] == "error"


@settings(max_examples=40)
@given(st.binary(max_size=60))
def test_sec_144_whatever_comes_every_line_of_another_shape_is_json(data: bytes) -> None:
    gate = Gate(SHAPED)
    gate.send(b"GET /open/" + data + b" HTTP/1.1\r\nHost: " + data[:9] + b"\r\n\r\n")
    gate.transport.abort()
    gate.settle()
    lines = logged(gate)
    assert lines
    assert all(set(line) <= {"url", "host", "detail"} for line in lines)


SHAPED = a_generation(a_plan(access_log={"members": {"url": "url", "host": "host"}}))
