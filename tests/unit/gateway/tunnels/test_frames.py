"""Frames are counted as they pass: what is held back is the head of one, and nothing else."""

from __future__ import annotations

import random
import struct

import pytest
from websockets.frames import Close, Frame, Opcode

from jwtgate.gateway.tunnels.frames import GOING_AWAY, Frames, close_frame

MASK = b"\x01\x02\x03\x04"


def a_frame(size: int, *, opcode: int = 2, fin: bool = True, masked: bool = False) -> bytes:
    """A frame of zeros, masked with nothing to see."""
    first = (0x80 if fin else 0) | opcode
    flag = 0x80 if masked else 0
    if size < 126:
        head = bytes([first, flag | size])
    elif size < 1 << 16:
        head = bytes([first, flag | 126]) + struct.pack("!H", size)
    else:
        head = bytes([first, flag | 127]) + struct.pack("!Q", size)
    return head + (MASK if masked else b"") + bytes(size)


MANY = [a_frame(size) for size in (0, 1, 125, 126, 127, 65_535, 65_536, 70_000)]


@pytest.mark.parametrize("masked", [True, False])
def test_whole_frames_pass_as_they_came(masked: bool) -> None:
    frames = Frames(masked=masked)
    for size in (0, 5, 125, 126, 65_535, 65_536):
        data = a_frame(size, masked=masked)
        assert frames.take(data) == data
        assert (frames.left_bytes, frames.broken, frames.closed) == (0, False, False)


@pytest.mark.parametrize("seed", range(20))
def test_no_byte_is_lost_or_doubled_however_a_stream_is_cut(seed: int) -> None:
    pick = random.Random(seed)
    stream = b"".join(pick.choices(MANY, k=6))
    frames, passed, at = Frames(masked=False), b"", 0
    while at < len(stream):
        end = at + pick.choice([1, 2, 3, 9, 10, 11, 200, 60_000])
        passed += frames.take(stream[at:end])
        at = end
    assert passed == stream
    assert (frames.left_bytes, frames.broken) == (0, False)


def test_a_head_is_held_back_until_it_is_whole() -> None:
    frames, data = Frames(masked=False), a_frame(70_000)
    for at in range(9):
        assert frames.take(data[at : at + 1]) == b""
    assert frames.take(data[9:10]) == data[:10]
    assert frames.left_bytes == 70_000


def test_what_is_left_of_a_frame_is_told() -> None:
    frames, data = Frames(masked=True), a_frame(100, masked=True)
    assert frames.take(data[:50]) == data[:50]
    assert frames.left_bytes == 56
    assert frames.take(data[50:60]) == data[50:60]
    assert frames.left_bytes == 46
    assert frames.take(data[60:]) == data[60:]
    assert frames.left_bytes == 0


def test_nothing_follows_a_close_frame() -> None:
    frames, closing = Frames(masked=False), a_frame(2, opcode=8)
    assert frames.take(a_frame(1) + closing[:3]) == a_frame(1) + closing[:3]
    assert not frames.closed
    assert frames.take(closing[3:] + a_frame(1)) == closing[3:]
    assert frames.closed
    assert frames.take(a_frame(1)) == b""
    assert not frames.broken


@pytest.mark.parametrize(
    "bad",
    [
        a_frame(1, opcode=3),
        a_frame(1, opcode=0xB),
        a_frame(1, masked=True),
        a_frame(1, opcode=9, fin=False),
        a_frame(126, opcode=8),
        b"\x82\x7e\x00\x7d",
        b"\x82\x7f" + struct.pack("!Q", 65_535),
        b"\x82\x7f" + struct.pack("!Q", 1 << 63),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=[
        *("an unknown opcode", "an unknown control frame", "a mask", "a ping in pieces", "a long close"),
        *("a length that is too long", "a long length too long", "a negative length", "another protocol"),
    ],
)
def test_sec_97_what_is_no_frame_of_a_server_is_not_passed_on(bad: bytes) -> None:
    frames = Frames(masked=False)
    assert frames.take(a_frame(3) + bad) == a_frame(3)
    assert (frames.broken, frames.left_bytes) == (True, 0)
    assert frames.take(a_frame(3)) == b""


def test_sec_97_a_client_masks_its_frames() -> None:
    frames = Frames(masked=True)
    assert frames.take(a_frame(1)) == b""
    assert frames.broken


@pytest.mark.parametrize("first", [0x82, 0xC2, 0x02, 0x00, 0x80])
def test_extensions_and_pieces_pass(first: int) -> None:
    data = bytes([first, 1]) + b"x"
    assert Frames(masked=False).take(data) == data


@pytest.mark.parametrize("mask", [b"", MASK])
def test_a_close_frame_is_the_one_others_write(mask: bytes) -> None:
    written = close_frame(GOING_AWAY, "going away", mask=mask)
    body = Close(GOING_AWAY, "going away").serialize()
    if not mask:
        assert written == Frame(Opcode.CLOSE, body).serialize(mask=False)
    else:
        assert written[:6] == bytes([0x88, 0x80 | len(body)]) + mask
        assert bytes(byte ^ mask[index % 4] for index, byte in enumerate(written[6:])) == body
