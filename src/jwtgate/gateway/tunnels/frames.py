"""Where the frames of a WebSocket begin and end, and nothing else of them (RFC 6455 section 5.2).

Payloads are never looked at. What a frame may not be ends the tunnel: an upgraded connection carries WebSocket or it
carries nothing.
"""

from __future__ import annotations

import struct

GOING_AWAY, PROTOCOL_ERROR, POLICY = 1001, 1002, 1008
"""Codes of close frames of ours (RFC 6455 section 7.4.1): we stop, no frame could be read, the token has ended."""

_CLOSE = 0x8
_FIN, _OPCODE, _MASKED, _LENGTH = 0x80, 0x0F, 0x80, 0x7F
_OPCODES = frozenset({0x0, 0x1, 0x2, _CLOSE, 0x9, 0xA})
_CONTROL = 0x8
_MASK_BYTES = 4
_SHORT, _LONG = 126, 127
_MOST_BYTES = 1 << 63


class Frames:
    """The frames of one direction. `masked`: those of a client, which has to mask them.

    The head of a frame is held back until it is whole, so that what was passed on ends inside a payload or between two
    frames. `left_bytes` tells which: what is still to come of the frame under way. `broken`: what came next was no
    frame that this side may send.
    """

    __slots__ = ("_closing", "_held", "_masked", "broken", "left_bytes")

    def __init__(self, *, masked: bool) -> None:
        self._masked = masked
        self._held = b""
        self._closing = False
        self.broken = False
        self.left_bytes = 0

    @property
    def closed(self) -> bool:
        """Whether a close frame has gone by, which is the last of its direction."""
        return self._closing and not self.left_bytes

    def take(self, data: bytes) -> bytes:
        """What of it, and of what was held back, may be passed on: nothing behind a close frame, or behind nonsense."""
        if self._held:
            data, self._held = self._held + data, b""
        at, end = self.left_bytes, len(data)
        while at < end and not self._closing and not self.broken:
            size = self._size(data, at)
            if not size:
                break
            at += size
        if at > end:
            self.left_bytes = at - end
            return data
        self.left_bytes = 0
        if at < end and not self._closing and not self.broken:
            self._held = data[at:]
        return data[:at]

    def _size(self, data: bytes, at: int) -> int:
        """The length of the frame that begins here, 0 while its head is not whole, or where there is none."""
        if len(data) < at + 2:
            return 0
        first, second = data[at], data[at + 1]
        opcode, size, head = first & _OPCODE, second & _LENGTH, 2
        wrongly_controls = opcode >= _CONTROL and (size >= _SHORT or not first & _FIN)
        if opcode not in _OPCODES or wrongly_controls or bool(second & _MASKED) is not self._masked:
            self.broken = True
            return 0
        if size >= _SHORT:
            head = 4 if size == _SHORT else 10
            if len(data) < at + head:
                return 0
            least = _SHORT if size == _SHORT else 1 << 16
            size = int.from_bytes(data[at + 2 : at + head], "big")
            if not least <= size < _MOST_BYTES:
                self.broken = True
                return 0
        self._closing = opcode == _CLOSE
        return head + size + (_MASK_BYTES if self._masked else 0)


def close_frame(code: int, reason: str, *, mask: bytes) -> bytes:
    """A close frame with this code and reason (RFC 6455 section 5.5.1). `mask`: four bytes, or none from a server."""
    body = struct.pack("!H", code) + reason.encode("ascii")
    if mask:
        body = bytes(byte ^ mask[index % _MASK_BYTES] for index, byte in enumerate(body))
    return bytes([_FIN | _CLOSE, (_MASKED if mask else 0) | len(body)]) + mask + body
