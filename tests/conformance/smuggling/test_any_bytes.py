"""Whatever bytes come, in whatever pieces: nothing raises, and what goes on is whole requests and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.integration.rig import Message, Wire
from tests.unit.gateway.messages import pieces_of
from tests.unit.gateway.parts import OK, Gate, wire

from .case import Case
from .corpus import CASES, PASSED, REFUSED

REFUSALS = {400, 401, 404, 413, 431, 501}
_VALUE = rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?"
_HEAD = re.compile(rb"[A-Z]+ /[!-\"$-;=-~]* HTTP/1\.1\r\n(?:[!#$%&'*+\-.^`|~0-9A-Za-z]+: " + _VALUE + rb"\r\n)+\r\n")

_GOOD = st.sampled_from([case.raw for case in PASSED if not case.raw.startswith(b"HEAD ")])
_BAD = st.sampled_from([case.raw for case in REFUSED if len(case.raw) < 1000])
_TRICKS = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b";",
        b"0",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good request with something put in, taken out or doubled."""
    raw = draw(_GOOD)
    at, end = sorted(draw(st.tuples(st.integers(0, len(raw)), st.integers(0, len(raw)))))
    end = min(end, at + 20)
    middle = draw(st.one_of(_TRICKS, st.just(b""), st.just(raw[at:end] * 2), st.binary(max_size=4)))
    return raw[:at] + middle + raw[end if draw(st.booleans()) else at :]


BYTES = st.lists(st.one_of(_GOOD, _GOOD, mutated(), _BAD, st.binary(max_size=40)), min_size=1, max_size=4).map(b"".join)
CUTS = st.lists(st.integers(0, 400), max_size=5)


class Canned:
    """Bytes where a socket is expected."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def recv(self, _: int) -> bytes:
        data, self._data = self._data, b""
        return data

    def settimeout(self, _: float) -> None:
        """Nothing to wait for."""

    def setsockopt(self, *_: int) -> None:
        """Nothing to set."""


def messages(data: bytes) -> tuple[list[Message], bytes]:
    """The messages these bytes are, and what follows the last that is complete."""
    reader = Wire(Canned(data))  # type: ignore[arg-type]
    found: list[Message] = []
    while True:
        message = reader.message()
        if message is None or not message.complete:
            return found, b"" if message is None and not reader.ahead else message.raw_head if message else reader.ahead
        found.append(message)


@dataclass(frozen=True)
class Played:
    """What came of some bytes: the requests that were forwarded whole, and the final answers."""

    forwarded: tuple[tuple[bytes, bytes], ...]
    refusals: tuple[int, ...]


def play(data: bytes, cuts: Iterable[int]) -> Played:
    """Send these bytes in pieces to a gateway whose upstream answers every request it has read."""
    gate = Gate()
    for piece in pieces_of(data, cuts):
        gate.send(piece)
        answer_all(gate)
    assert gate.desk.bugs == []
    requests = [message for connection in gate.pool.made for message in messages(wire(connection).sent)[0]]
    for request in requests:
        assert _HEAD.fullmatch(request.raw_head), request.raw_head
    answers = [answer for answer in messages(gate.transport.sent)[0] if answer.status != 100]
    refusals = [answer for answer in answers if answer.status != 200]
    assert {answer.status for answer in refusals} <= REFUSALS
    assert all(answer.value("Connection") != "close" for answer in answers[:-1])
    assert len(answers) - len(refusals) == len(requests)
    if refusals and answers[-1].value("Connection") == "close":
        assert gate.transport.ended or gate.transport.is_closing()
    return Played(
        tuple((request.start, request.body) for request in requests),
        tuple(400 if answer.status == 501 else answer.status for answer in refusals),
    )


def answer_all(gate: Gate) -> None:
    """Answer each request that has reached an upstream, and those that were waiting behind it."""
    answered = True
    while answered:
        answered = False
        for connection in gate.pool.made:
            whole, _ = messages(wire(connection).sent)
            if connection.exchange is not None and len(whole) > asked(connection):
                connection.asked = asked(connection) + 1  # type: ignore[attr-defined]
                connection.data_received(OK)
                gate.settle()
                answered = True


def asked(connection: object) -> int:
    return getattr(connection, "asked", 0)


@settings(max_examples=400, deadline=None)
@given(BYTES, CUTS)
@example(b"\r", [])
@example(PASSED[0].raw * 50, [])
def test_sec_90_any_bytes_are_refused_or_go_on_as_whole_requests(data: bytes, cuts: list[int]) -> None:
    assert play(data, cuts) == play(data, [])


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.raw.startswith(b"HEAD ")], ids=lambda case: case.id
)
def test_sec_90_a_case_of_the_corpus_means_the_same_in_whatever_pieces_it_comes(case: Case) -> None:
    whole, size = play(case.raw, []), len(case.raw)
    step = size // 500 + 1  # nearly all of them are cut behind every byte
    assert play(case.raw, range(1, size, step)) == whole
    for mark in (b"\r", b"\r\n", b"\r\n\r"):
        assert play(case.raw, [found.end() for found in re.finditer(mark, case.raw)][:50]) == whole
