"""Frames cut out of a stream of bytes, before anything reads them (RFC 9113 section 4).

Each frame goes to the HTTP/2 library by itself, so that what a frame asks for is done before the next one is looked
at, and each one can be counted, whatever the library makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator

DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
"""Types of frames (section 6)."""

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FRAME_SIZE_ERROR = 0, 1, 2, 6
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 7, 8, 11
"""Error codes (section 7)."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MOST_FRAME_BYTES = 16 * 1024
"""The largest payload of a frame in either direction: the least everybody must take (section 4.2)."""
LAST_STREAM = 2**31 - 1
_HEAD_BYTES = 9
_ACK = END_STREAM = 0x1
_END_HEADERS = 0x4
_PADDED = 0x8


class FrameTooLong(Exception):
    """A frame that is longer than we said we take."""


class FrameCutter:
    """Cuts whole frames out of what arrives. Holds less than one frame."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole now, each with its head. Raises `FrameTooLong`."""
        data, self._held, at = self._held + data, b"", 0
        while len(data) >= at + _HEAD_BYTES:
            length = int.from_bytes(data[at : at + 3])
            if length > MOST_FRAME_BYTES:
                raise FrameTooLong(f"a frame of {length} bytes")
            end = at + _HEAD_BYTES + length
            if len(data) < end:
                break
            frame, at = data[at:end], end
            yield frame
        self._held = data[at:]


def kind_of(frame: bytes) -> int:
    """The type of this frame."""
    return frame[3]


def length_of(frame: bytes) -> int:
    """How many bytes its payload has."""
    return len(frame) - _HEAD_BYTES


def brings_data(frame: bytes) -> bool:
    """Whether this DATA holds anything beside padding."""
    padding = 1 + frame[_HEAD_BYTES] if frame[4] & _PADDED and length_of(frame) else 0
    return length_of(frame) > padding


def is_acknowledgement(frame: bytes) -> bool:
    """Whether these SETTINGS, or this PING, only answer ours."""
    return bool(frame[4] & _ACK)


def ends_stream(frame: bytes) -> bool:
    """Whether nothing follows on the stream of this DATA or these HEADERS."""
    return bool(frame[4] & END_STREAM)


def ends_head(frame: bytes) -> bool:
    """Whether no CONTINUATION follows these HEADERS, or this CONTINUATION."""
    return bool(frame[4] & _END_HEADERS)


def goaway(last_stream: int, code: int, *, reason: bytes = b"") -> bytes:
    """A GOAWAY frame (section 6.8). Streams up to `last_stream` are, or may still be, answered."""
    payload = last_stream.to_bytes(4) + code.to_bytes(4) + reason
    return len(payload).to_bytes(3) + bytes((GOAWAY, 0)) + bytes(4) + payload


def read_goaway(frame: bytes) -> tuple[int, int] | None:
    """The last stream a GOAWAY frame says is answered, and its error code; None where it is no such frame."""
    if length_of(frame) < 8 or int.from_bytes(frame[5:9]) & LAST_STREAM:
        return None
    return int.from_bytes(frame[9:13]) & LAST_STREAM, int.from_bytes(frame[13:17])
