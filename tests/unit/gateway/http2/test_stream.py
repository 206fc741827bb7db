"""A stream as a transport: what it does for the protocol on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.gateway.http2.test_session import Taker

from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.http2.stream import Stream

CANCEL, NO_ERROR = 8, 0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Wire:
    """In the place of a session: sends up to a window, and writes down what it was asked."""

    is_full = False

    def __init__(self) -> None:
        self.window = 1_000_000
        self.sent: list[tuple[Any, ...]] = []
        self.resets: list[int] = []
        self.forgotten: list[int] = []
        self.credit = 0
        self.transport = self

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"

    def send(self, stream: Stream) -> None:
        while stream.has_more and stream.send_frame(self.window):
            pass
        stream.sent()

    def send_fields(self, number: int, fields: Any, *, last: bool) -> None:
        self.sent.append((*fields, last))

    def send_data(self, number: int, data: bytes, *, last: bool) -> None:
        self.window -= len(data)
        self.sent.append((len(data), last))

    def took(self, number: int, size: int) -> None:
        self.credit += size

    def reset(self, number: int, code: int) -> None:
        self.resets.append(code)

    def forget(self, stream: Stream, held: int) -> None:
        self.forgotten.append(held)

    def flush(self) -> None:
        """Everything is out."""


def a_stream() -> tuple[Stream, Wire, Taker]:
    wire, taker = Wire(), Taker()
    stream = Stream(wire, 1, broken=CANCEL)  # type: ignore[arg-type]
    stream.set_protocol(taker)
    return stream, wire, taker


def on_a_loop(moves: Callable[[], Any]) -> None:
    async def run() -> None:
        stepping = moves()
        for _ in stepping:
            await asyncio.sleep(0)

    asyncio.run(run())


def test_it_is_a_transport() -> None:
    stream, _, taker = a_stream()
    assert stream.get_protocol() is taker
    assert (stream.get_extra_info("peername"), stream.get_extra_info("socket")) == ("the peername", None)
    assert stream.can_write_eof()
    assert stream.is_reading()
    assert not stream.is_closing()


def test_a_whole_answer_ends_it() -> None:
    def moves() -> Any:
        stream, wire, taker = a_stream()
        stream.begin(b"head", 0, ended=True)
        stream.write(ANSWER)
        assert wire.sent == [((b":status", b"200"), (b"content-length", b"2"), False), (2, True)]
        assert (stream.is_closing(), wire.resets, wire.forgotten) == (True, [], [0])
        yield
        assert taker.lost == [None]

    on_a_loop(moves)


def test_an_answer_before_the_end_of_the_request_does_not_end_it() -> None:
    stream, wire, _ = a_stream()
    stream.begin(b"head", None, ended=False)
    stream.write(ANSWER)
    assert (stream.is_closing(), wire.forgotten) == (False, [])


@pytest.mark.parametrize("how", [Stream.write_eof, Stream.close])
def test_what_is_still_to_come_is_not_wanted_after_the_end(how: Callable[[Stream], None]) -> None:
    def moves() -> Any:
        stream, wire, taker = a_stream()
        stream.begin(b"head", None, ended=False)
        stream.write(ANSWER)
        how(stream)
        assert wire.resets == [NO_ERROR]
        yield
        assert taker.lost == [None]

    on_a_loop(moves)


@pytest.mark.parametrize("how", [Stream.write_eof, Stream.close])
def test_what_was_written_leaves_before_the_end(how: Callable[[Stream], None]) -> None:
    def moves() -> Any:
        stream, wire, _ = a_stream()
        wire.window = 1
        stream.begin(b"head", None, ended=False)
        stream.write(ANSWER)
        how(stream)
        assert wire.resets == []
        wire.window = 10
        wire.send(stream)
        assert wire.sent[1:] == [(1, False), (1, True)]
        assert wire.resets == [NO_ERROR]
        yield

    on_a_loop(moves)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"])
@pytest.mark.parametrize("how", [Stream.abort, Stream.close])
def test_rel_71_what_breaks_off_never_looks_complete(begun: bytes, how: Callable[[Stream], None]) -> None:
    def moves() -> Any:
        stream, wire, taker = a_stream()
        stream.begin(b"head", 0, ended=True)
        if begun:
            stream.write(begun)
        how(stream)
        assert wire.resets == [CANCEL]
        assert not any(part[-1] for part in wire.sent)
        how(stream)
        stream.write(b"more")
        yield
        assert taker.lost == [None]

    on_a_loop(moves)


def test_rel_16_whoever_writes_more_than_leaves_is_stopped() -> None:
    def moves() -> Any:
        stream, wire, taker = a_stream()
        wire.window = 0
        stream.set_write_buffer_limits(high=1_000_000)
        stream.begin(b"head", 0, ended=True)
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(65_536))
        assert (taker.paused, stream.get_write_buffer_size()) == (False, 65_536)
        stream.write(b"x")
        assert taker.paused
        wire.window = 16_384
        wire.send(stream)
        yield
        assert taker.paused
        wire.window = 40_000
        wire.send(stream)
        assert taker.paused  # never in the middle of something
        yield
        assert not taker.paused

    on_a_loop(moves)


def test_limits_may_be_lower() -> None:
    stream, wire, taker = a_stream()
    wire.window = 0
    stream.set_write_buffer_limits(high=10, low=5)
    stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + bytes(11))
    assert taker.paused


@pytest.mark.parametrize("ended", [True, False])
def test_a_body_comes_in_chunks_where_its_length_was_not_said(ended: bool) -> None:
    stream, wire, taker = a_stream()
    stream.begin(b"head|", None, ended=False)
    stream.take_data(b"hello", 7, ended=ended)
    assert taker.taken == b"head|5\r\nhello\r\n" + (b"0\r\n\r\n" if ended else b"")
    assert wire.credit == 7


def test_a_body_comes_as_it_is_where_its_length_was_said() -> None:
    stream, _, taker = a_stream()
    stream.begin(b"head|", 5, ended=False)
    stream.take_data(b"he", 2, ended=False)
    stream.take_data(b"llo", 3, ended=True)
    assert taker.taken == b"head|hello"


@pytest.mark.parametrize(("data", "ended"), [(b"hello!", False), (b"hello!", True), (b"hell", True)])
def test_sec_96_a_body_of_another_length_than_was_said_is_not_taken(data: bytes, ended: bool) -> None:
    stream, _, taker = a_stream()
    stream.begin(b"head|", 5, ended=False)
    with pytest.raises(Malformed):
        stream.take_data(data, len(data), ended=ended)
    assert taker.taken == b"head|"


def test_sec_96_trailers_do_not_end_a_body_early() -> None:
    stream, _, _ = a_stream()
    stream.begin(b"head|", 5, ended=False)
    with pytest.raises(Malformed):
        stream.take_trailers(b"x-a: b\r\n")


@pytest.mark.parametrize(("length", "taken"), [(None, b"head|0\r\nx-a: b\r\n\r\n"), (0, b"head|")])
def test_trailers_end_a_body(length: int | None, taken: bytes) -> None:
    stream, _, taker = a_stream()
    stream.begin(b"head|", length, ended=False)
    stream.take_trailers(b"x-a: b\r\n")
    assert taker.taken == taken


def test_an_interim_answer_comes_before_the_head() -> None:
    stream, _, taker = a_stream()
    stream.take_interim(b"interim|")
    stream.begin(b"head|", 0, ended=False)
    assert taker.taken == b"interim|head|"


def test_rel_16_interim_answers_that_nobody_reads_do_not_pile_up() -> None:
    stream, _, taker = a_stream()
    stream.pause_reading()
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: %b\r\n\r\n" % bytes(1000)
    for _ in range(60):
        stream.take_interim(hint)
    with pytest.raises(Malformed):
        stream.take_interim(60 * hint)
    assert taker.taken == b""


def test_what_came_while_nobody_read_comes_when_somebody_does() -> None:
    def moves() -> Any:
        stream, wire, taker = a_stream()
        stream.begin(b"head|", 4, ended=False)
        stream.pause_reading()
        assert not stream.is_reading()
        stream.take_data(b"ab", 2, ended=False)
        stream.take_data(b"cd", 2, ended=True)
        assert (taker.taken, wire.credit) == (b"head|", 0)
        stream.resume_reading()
        stream.resume_reading()
        assert taker.taken == b"head|"
        yield
        assert (taker.taken, wire.credit) == (b"head|abcd", 4)

    on_a_loop(moves)


def test_rel_16_what_is_held_is_one_piece_however_small_those_were_that_came() -> None:
    def moves() -> Any:
        stream, wire, taker = a_stream()
        stream.begin(b"head", 1000, ended=False)
        stream.pause_reading()
        for _ in range(1000):
            stream.take_data(b"x", 2, ended=False)
        assert (taker.taken, wire.credit) == (b"head", 0)
        stream.resume_reading()
        yield
        assert (taker.pieces, taker.taken[4:], wire.credit) == (2, b"x" * 1000, 2000)

    on_a_loop(moves)


def test_what_was_held_when_it_ends_is_given_back() -> None:
    def moves() -> Any:
        stream, wire, taker = a_stream()
        stream.begin(b"head|", 4, ended=False)
        stream.pause_reading()
        stream.take_data(b"ab", 2, ended=False)
        stream.lose(ConnectionResetError())
        stream.lose(None)
        assert wire.forgotten == [2]
        stream.resume_reading()
        yield
        assert isinstance(taker.lost[0], ConnectionResetError)
        assert (len(taker.lost), taker.taken) == (1, b"head|")

    on_a_loop(moves)


def test_an_answer_with_trailers_ends_with_them() -> None:
    stream, wire, _ = a_stream()
    stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-a: b\r\n\r\n")
    assert wire.sent == [((b":status", b"200"), False), (2, False), ((b"x-a", b"b"), True)]


def test_an_answer_without_them_ends_with_its_last_frame_or_an_empty_one() -> None:
    stream, wire, _ = a_stream()
    stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    stream.write(b"0\r\n\r\n")
    assert wire.sent[1:] == [(2, False), (0, True)]
