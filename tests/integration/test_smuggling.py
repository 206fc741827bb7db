"""A corpus of requests that two readers might read in two ways: each is refused, or one reader's word goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.conformance.smuggling_cases import PASSED, REFUSED, Case

from .rig import Client, Gateway, Message, Upstream, gateway_and_upstream, request

PROBE = request("/open/probe")
_VALUE = rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?"
WELL_FORMED = re.compile(
    rb"[A-Z]+ /[!-\"$-;=-~]* HTTP/1\.1\r\n(?:[!#$%&'*+.^`|~0-9A-Za-z-]+: " + _VALUE + rb"\r\n)+\r\n"
)
PIECES = pytest.mark.parametrize("pieces", [1, 2, 5])


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream() as both:
        yield both


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Upstream:
    both[1].forget()
    return both[1]


def sent(client: Client, raw: bytes, pieces: int) -> None:
    """Send this in pieces of one size."""
    client.send(raw, *range(len(raw) // pieces or 1, len(raw), len(raw) // pieces or 1))


def check_well_formed(message: Message) -> None:
    assert WELL_FORMED.fullmatch(message.raw_head), message.raw_head
    names = [name.lower() for name, _ in message.fields]
    assert names.count(b"host") == 1
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    assert {b"connection", b"upgrade", b"te", b"trailer", b"http2-settings"}.isdisjoint(names)
    assert message.trailers == b""


@PIECES
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_has_two_readings_is_refused_and_ends_the_connection(
    both: tuple[Gateway, Upstream], upstream: Upstream, case: Case, pieces: int
) -> None:
    with Client(both[0].port) as client:
        sent(client, case.raw + PROBE, pieces)
        assert client.answer().status == case.status
        assert client.ended() in ("eof", "reset")
    assert [each.start for each in upstream.requests] == []


@PIECES
@pytest.mark.parametrize("case", PASSED, ids=lambda case: case.name)
def test_what_has_one_reading_goes_on_as_one_request(
    both: tuple[Gateway, Upstream], upstream: Upstream, case: Case, pieces: int
) -> None:
    with Client(both[0].port) as client:
        sent(client, case.raw + PROBE, pieces)
        assert [client.answer().status, client.answer().status] == [200, 200]
    first, probe = upstream.requests
    check_well_formed(first)
    assert first.start.split()[1] == case.target
    assert (first.body, first.complete) == (case.body, True)
    assert set(case.fields) <= set(first.fields)
    assert {b"x-user-id", b"a-never"}.isdisjoint(name.lower() for name, _ in first.fields)
    assert (probe.start, probe.body) == (b"GET /open/probe HTTP/1.1", b"")


def test_the_corpus_is_large_enough_and_names_each_case_once() -> None:
    names = [case.name for case in (*REFUSED, *PASSED)]
    assert len(names) >= 150
    assert len(set(names)) == len(names)
