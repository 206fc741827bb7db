"""One stream as a transport: what speaks HTTP/1.1 on a connection speaks it here, and frames go in and out (RFC 9113).

What the protocol writes is taken out of its framing and sent as far as the peer's windows reach; what lies here beyond
a mark stops whoever writes. What arrives and is not wanted yet is held, and its part of our windows with it, so that a
stream never holds more than its window.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.http2.frames import NO_ERROR
from jwtgate.gateway.http2.outgoing import Outgoing

if TYPE_CHECKING:
    from jwtgate.gateway.http2.fields import Fields
    from jwtgate.gateway.http2.session import Session

WINDOW_BYTES = 64 * 1024 - 1
"""How much of a body may arrive on a stream that nobody has taken."""
_HIGH_BYTES = 64 * 1024


class Stream(asyncio.Transport):
    """A stream of a session, as the transport of a protocol. `broken`: the code a message that breaks off ends with."""

    outlives_its_end = False
    """Whether what came whole is still read when the peer has ended the stream."""

    def __init__(self, session: Session, number: int, *, broken: int) -> None:
        super().__init__()
        self._session = session
        self.number = number
        self._broken = broken
        self.protocol: asyncio.Protocol
        self.outgoing = Outgoing(self)
        self._queue = bytearray()
        self._end: Fields | None = None
        self._sent_end = False
        self._high, self._low = _HIGH_BYTES, _HIGH_BYTES // 4
        self._writer_paused = False
        self._reader_paused = False
        self._held = bytearray()
        self._held_size = 0
        self._received_end = False
        self._chunked = False
        self._left = 0
        self._wants_nothing = False
        self._closing = False
        self._lost = False

    # What a protocol asks of its transport.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        # Its socket is that of all streams, and not for one of them to set options of.
        return default if name == "socket" else self._session.transport.get_extra_info(name)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)  # noqa: S101
        self.protocol = protocol

    def is_closing(self) -> bool:
        return self._closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = min(_HIGH_BYTES, _HIGH_BYTES if high is None else high)
        self._low = self._high // 4 if low is None else min(low, self._high)

    def get_write_buffer_size(self) -> int:
        return len(self._queue)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        self.outgoing.take(bytes(data))
        self._session.send(self)
        if len(self._queue) > self._high:
            self.pause_writer()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Nothing more is written, and what the peer still sends is not wanted."""
        self._wants_nothing = True
        if not self.has_more:
            self._give_up(NO_ERROR)

    def close(self) -> None:
        self._closing = True
        if not self.has_more:
            self._give_up(NO_ERROR if self._sent_end else self._broken)

    def abort(self) -> None:
        self._queue.clear()
        self._give_up(self._broken)

    def pause_reading(self) -> None:
        self._reader_paused = True

    def resume_reading(self) -> None:
        if self._reader_paused:
            self._reader_paused = False
            # Never at once: whoever reads on may be in the middle of taking a piece.
            asyncio.get_running_loop().call_soon(self._read_on)

    def is_reading(self) -> bool:
        return not self._reader_paused and not self._closing

    # What comes out of the message that is written.

    def send_interim(self, fields: Fields) -> None:
        """An answer before the answer."""
        self._session.send_fields(self.number, fields, last=False)

    def send_head(self, fields: Fields, *, last: bool) -> None:
        """The head of the message."""
        self._sent_end = last
        self._session.send_fields(self.number, fields, last=last)

    def send_body(self, data: bytes) -> None:
        """Some of its body."""
        self._queue += data

    def send_end(self, trailers: Fields) -> None:
        """Its end."""
        self._end = trailers

    # What the session does.

    @property
    def has_more(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._queue) or self._end is not None

    def send_frame(self, window: int) -> bool:
        """Send one frame, of no more than the window; whether another could follow."""
        queue = self._queue
        if queue:
            if window <= 0:
                return False
            piece, rest = bytes(queue[:window]), len(queue) > window
            del queue[:window]
            last = not rest and self._end is not None and not self._end
            self._session.send_data(self.number, piece, last=last)
            self._sent_end = last
            if last:
                self._end = None
        elif self._end is not None:
            trailers, self._end, self._sent_end = self._end, None, True
            if trailers:
                self._session.send_fields(self.number, trailers, last=True)
            else:
                self._session.send_data(self.number, b"", last=True)
        return self.has_more

    def sent(self) -> None:
        """Something has left."""
        self.resume_writer()
        if self._sent_end and (self._closing or self._wants_nothing or self.is_over):
            self._give_up(NO_ERROR)

    def pause_writer(self) -> None:
        """Let nobody write for now."""
        if not self._writer_paused and not self._lost:
            self._writer_paused = True
            self.protocol.pause_writing()

    def resume_writer(self) -> None:
        """Let whoever writes go on, where there is room for more."""
        if self._writer_paused and len(self._queue) <= self._low and not self._session.is_full:
            self._writer_paused = False
            asyncio.get_running_loop().call_soon(self._write_on)

    @property
    def is_written(self) -> bool:
        """Whether all of the message is here, and some of it has not left."""
        return self.outgoing.done and self.has_more

    @property
    def wants_nothing(self) -> bool:
        """Whether nobody reads what still comes: it was answered, and not for that."""
        return self._wants_nothing or self._closing

    @property
    def is_over(self) -> bool:
        """Whether both sides have said all they had to say, and heard it."""
        return self._sent_end and self._received_end and not self._held

    def begin(self, head: bytes, length: int | None, *, ended: bool) -> None:
        """Take the head of what the peer sends, as HTTP/1.1, and how long its body is; None: it is in chunks."""
        self._chunked, self._left = length is None, length or 0
        self._received_end = ended
        self._give(head, 0)
        self._end_if_over()

    def take_interim(self, head: bytes) -> None:
        """Take the head of an answer before the answer, which no window limits. Raises `Malformed`: too many."""
        if len(self._held) + len(head) > WINDOW_BYTES:
            raise Malformed("too many answers before the answer")
        self._give(head, 0)

    def take_data(self, data: bytes, size: int, *, ended: bool) -> None:
        """Take some of its body, which cost `size` of the window. Raises `Malformed`: not as long as was said."""
        if self._chunked:
            data = (b"%x\r\n%b\r\n" % (len(data), data) if data else b"") + (b"0\r\n\r\n" if ended else b"")
        else:
            self._left -= len(data)
            if self._left < 0 or (ended and self._left):
                raise Malformed("a body of another length than was said")
        self._received_end = ended
        self._give(data, size)
        self._end_if_over()

    def take_trailers(self, lines: bytes) -> None:
        """Take its end, with these trailer fields. Raises `Malformed`: the body is shorter than was said."""
        if self._left:
            raise Malformed("a body that is shorter than was said")
        self._received_end = True
        self._give(b"0\r\n%b\r\n" % lines if self._chunked else b"", 0)
        self._end_if_over()

    def lose(self, error: Exception | None) -> None:
        """The stream is gone, as a connection would be."""
        if self._lost:
            return
        self._queue.clear()
        self._end = None
        size, self._held_size = self._held_size, 0
        self._session.forget(self, size)
        if self._held and self._received_end and self.outlives_its_end:
            return
        self._lost = self._closing = True
        self._held.clear()
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, error)

    # Within.

    def _give(self, data: bytes, size: int) -> None:
        if self._reader_paused or self._held or self._held_size:
            # However small the pieces are that arrive, they take no more room than one.
            self._held += data
            self._held_size += size
            return
        if data and not self._closing:
            self.protocol.data_received(data)
        if size:
            self._session.took(self.number, size)

    def _read_on(self) -> None:
        if self._reader_paused:
            return
        data, self._held = bytes(self._held), bytearray()
        size, self._held_size = self._held_size, 0
        self._give(data, size)
        self._end_if_over()
        self._session.flush()

    def _end_if_over(self) -> None:
        if self.is_over:
            self._give_up(NO_ERROR)

    def _write_on(self) -> None:
        if not self._lost and not self._writer_paused:
            self.protocol.resume_writing()

    def _give_up(self, code: int) -> None:
        """End the stream, saying so to a peer that may not know."""
        if not self._lost:
            self._held.clear()
            if not (self._sent_end and self._received_end):
                self._session.reset(self.number, code)
            self.lose(None)
