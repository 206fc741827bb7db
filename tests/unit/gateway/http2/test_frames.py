"""Frames cut out of bytes, however those come."""

from __future__ import annotations

import pytest

from jwtgate.gateway.http2.frames import (
    GOAWAY,
    MOST_FRAME_BYTES,
    PING,
    FrameCutter,
    FrameTooLong,
    brings_data,
    ends_head,
    ends_stream,
    goaway,
    is_acknowledgement,
    kind_of,
    length_of,
    read_goaway,
)


def a_frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


FRAMES = [a_frame(PING, b"12345678"), a_frame(0, b"", stream=1), a_frame(0, bytes(MOST_FRAME_BYTES), stream=1)]


@pytest.mark.parametrize("size", [1, 2, 8, 9, 10, 17, 26, 1000, 100_000])
def test_frames_are_cut_the_same_however_they_come(size: int) -> None:
    cutter, data = FrameCutter(), b"".join(FRAMES)
    found = [frame for at in range(0, len(data), size) for frame in cutter.cut(data[at : at + size])]
    assert found == FRAMES


def test_what_is_not_whole_is_held() -> None:
    cutter = FrameCutter()
    assert list(cutter.cut(FRAMES[0] + FRAMES[0][:12])) == FRAMES[:1]


def test_sec_96_a_frame_that_is_too_long_is_not_waited_for() -> None:
    with pytest.raises(FrameTooLong, match="16385"):
        list(FrameCutter().cut((MOST_FRAME_BYTES + 1).to_bytes(3) + bytes(6)))


def test_what_a_frame_is_stands_in_its_head() -> None:
    frame = a_frame(1, b"abc", flags=0x5, stream=3)
    assert (kind_of(frame), length_of(frame), ends_stream(frame), ends_head(frame)) == (1, 3, True, True)
    other = a_frame(1, b"abc", stream=3)
    assert (ends_stream(other), ends_head(other), is_acknowledgement(other)) == (False, False, False)
    assert is_acknowledgement(a_frame(PING, b"12345678", flags=1))


@pytest.mark.parametrize(
    ("payload", "flags", "brings"),
    [
        (b"x", 0, True),
        (b"", 0, False),
        (b"\x00", 8, False),
        (b"\x00x", 8, True),
        (b"\x02ab", 8, False),
        (b"", 8, False),
    ],
)
def test_padding_is_no_data(payload: bytes, flags: int, brings: bool) -> None:
    assert brings_data(a_frame(0, payload, flags=flags, stream=1)) is brings


def test_a_farewell_is_read_as_it_was_written() -> None:
    frame = goaway(7, 11, reason=b"flood")
    assert (kind_of(frame), read_goaway(frame), frame[-5:]) == (GOAWAY, (7, 11), b"flood")
    assert read_goaway(goaway(2**31 - 1, 0)) == (2**31 - 1, 0)


def test_the_reserved_bit_of_a_farewell_is_ignored() -> None:
    assert read_goaway(a_frame(GOAWAY, b"\x80\x00\x00\x07" + bytes(4))) == (7, 0)


def test_a_short_farewell_is_none() -> None:
    assert read_goaway(a_frame(GOAWAY, bytes(7))) is None


def test_sec_96_a_goaway_on_a_stream_is_none() -> None:
    assert read_goaway(a_frame(GOAWAY, bytes(8), stream=1)) is None
