"""A connection of HTTP/2 and its streams, whichever side opened it (RFC 9113).

The library keeps the state of the connection, its windows and its header tables. Frames are handed to it one by one,
and GOAWAY not at all: it takes one for the end of everything, while streams that are under way may well be finished.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hpack import HeaderTuple, NeverIndexedHeaderTuple

from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.http2.allowance import EARNED_BY_DATA, EARNED_BY_MESSAGE, GIVEN_UP, Allowance, cost_of
from jwtgate.gateway.http2.fields import Fields, trailer_lines
from jwtgate.gateway.http2.frames import (
    CONTINUATION,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    MOST_FRAME_BYTES,
    PROTOCOL_ERROR,
    FrameCutter,
    FrameTooLong,
    ends_head,
    goaway,
    kind_of,
    length_of,
    read_goaway,
)
from jwtgate.gateway.http2.library import begun_connection
from jwtgate.gateway.http2.stream import Stream
from jwtgate.gateway.upstream import WRITE_BUFFER_BYTES

_TABLE_BYTES = 4096
_KNOWN_SETTINGS = frozenset(SettingCodes)
LINGER_SECONDS = 10.0
_NEVER_INDEXED = frozenset({b"authorization", b"cookie", b"set-cookie", b"proxy-authorization"})
"""Fields that are worth guessing at, and so stay out of the header tables (RFC 7541 section 7.1.3)."""


class Session(asyncio.Protocol):
    """One connection. `head_bytes`: the largest head that is read; `streams`: how many the peer may open at once."""

    transport: asyncio.Transport
    most_queued_bytes = float("inf")
    """How much may wait to be sent on all streams before nobody is to write any more."""

    def __init__(self, *, client: bool, streams: int, head_bytes: int) -> None:
        self.streams: dict[int, Stream] = {}
        self.allowance = Allowance(time.monotonic())
        self.head_since = 0.0
        self.is_full = False
        self.waits_since = 0.0
        self._head_bytes = head_bytes
        self._head_size = 0
        self._cutter = FrameCutter()
        self._waiting: dict[int, Stream] = {}
        self._busy = False
        self._over = False
        self._write_paused = False
        self._unsent = 0
        self._library_is_open = True
        self._library = begun_connection(client=client, streams=streams, head_bytes=head_bytes)

    # What the transport does.

    # A stream protocol is only ever given a stream transport; the event loop's own are not subclasses of asyncio's.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self.flush()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._busy = True
        try:
            for frame in self._cutter.cut(data):
                self._take(frame)
                if self._over:
                    break
        except FrameTooLong as error:
            self.end(FRAME_SIZE_ERROR, "request_malformed", cause=str(error))
        finally:
            self._busy = False
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        for stream in list(self.streams.values()):
            stream.lose(exc or ConnectionResetError())

    def pause_writing(self) -> None:
        # Whoever takes nothing has nothing to ask: what it makes us say would pile up here.
        self._write_paused = True
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        self._write_paused = False
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self._send_waiting()

    # What each side says for itself.

    @abstractmethod
    def end(self, code: int, reason: str, *, cause: str) -> None:
        """End the connection because of what the peer did."""

    @abstractmethod
    def peer_leaves(self, last_stream: int, code: int) -> None:
        """The peer opens, or takes, no more streams."""

    @abstractmethod
    def was_reset(self, stream: Stream, code: int) -> None:
        """The peer, or the library, has ended a stream."""

    @abstractmethod
    def forgotten(self) -> None:
        """A stream has ended."""

    # Reading.

    def _take(self, frame: bytes) -> None:
        kind = kind_of(frame)
        if kind in (HEADERS, CONTINUATION) and not self._note_head(frame, kind):
            self.end(ENHANCE_YOUR_CALM, "frame_flood", cause="a head that is too large")
        elif not self.allowance.spend(cost_of(frame), time.monotonic()):
            self.end(ENHANCE_YOUR_CALM, "frame_flood", cause=f"frames of type {kind}")
        elif kind != GOAWAY:
            self._hand_over(frame)
        elif (said := read_goaway(frame)) is None:
            self.end(PROTOCOL_ERROR, "request_malformed", cause="GOAWAY")
        else:
            self.peer_leaves(*said)

    def _note_head(self, frame: bytes, kind: int) -> bool:
        """Note that a head goes on, and since when. False: it is larger than is allowed."""
        if kind == HEADERS:
            self._head_size, self.head_since = 0, time.monotonic()
        self._head_size += length_of(frame)
        if ends_head(frame):
            self.head_since = 0.0
        return self._head_size <= self._head_bytes

    def _hand_over(self, frame: bytes) -> None:
        try:
            events = self._library.receive_data(frame)
        except ProtocolError as error:
            self._flush()  # it has said GOAWAY
            self._library_is_open = False
            self.end(int(error.error_code), "request_malformed", cause=str(error)[:200])
            return
        for event in events:
            act = self._acts.get(type(event))
            if act is not None and not self._over:
                act(self, event)

    def _on_data(self, event: DataReceived) -> None:
        stream, size = self.streams.get(event.stream_id), event.flow_controlled_length
        if stream is None:
            self._acknowledge(event.stream_id, size)
            return
        try:
            stream.take_data(event.data, size, ended=event.stream_ended is not None)
        except Malformed as error:
            self._acknowledge(event.stream_id, size)
            self.malformed(stream, error)

    def _on_trailers(self, event: TrailersReceived) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            try:
                stream.take_trailers(trailer_lines(event.headers))
            except Malformed as error:
                self.malformed(stream, error)

    def _on_reset(self, event: StreamReset) -> None:
        stream = self.streams.get(event.stream_id)
        if stream is not None:
            self.was_reset(stream, int(event.error_code))
        if not event.remote_reset:  # the library found it at fault
            self.spend(GIVEN_UP)

    def _on_window(self, event: WindowUpdated) -> None:
        if not event.stream_id:
            self._send_waiting()
        elif event.stream_id in self._waiting:
            self.send(self._waiting[event.stream_id])

    def _on_settings(self, _event: RemoteSettingsChanged) -> None:
        # A peer may ask for a table of any size, and invent settings: both would be memory of ours.
        encoder, settings = self._library.encoder, self._library.remote_settings
        if encoder.header_table_size > _TABLE_BYTES:
            encoder.header_table_size = _TABLE_BYTES
        for unknown in [name for name in settings if name not in _KNOWN_SETTINGS]:
            del settings[unknown]
        self._send_waiting()

    _acts: ClassVar[dict[type[Event], Callable[..., None]]] = {
        DataReceived: _on_data,
        TrailersReceived: _on_trailers,
        StreamReset: _on_reset,
        WindowUpdated: _on_window,
        RemoteSettingsChanged: _on_settings,
    }

    # What streams do.

    def send(self, stream: Stream) -> None:
        """Send what of this stream its windows let pass."""
        while not self._write_paused and stream.has_more and stream.number in self.streams:
            if not stream.send_frame(self._window(stream.number)):
                break
        self._note_sent(stream)
        self._note_queued()
        self.flush()

    def _send_waiting(self) -> None:
        """Send for all streams that wait, a frame each in turn, so that none is left behind another."""
        turn = list(self._waiting.values())
        while turn and not self._write_paused:
            turn = [each for each in turn if each.number in self.streams and self._send_one(each)]
        self._note_queued()
        self.flush()

    def _send_one(self, stream: Stream) -> bool:
        """Send a frame; whether there are more, and room for them."""
        goes_on = stream.send_frame(self._window(stream.number))
        self._note_sent(stream)
        return goes_on and self._window(stream.number) > 0

    def _note_sent(self, stream: Stream) -> None:
        if stream.has_more and stream.number in self.streams:
            if not self._waiting:
                self.waits_since = time.monotonic()
            self._waiting[stream.number] = stream
        else:
            self._waiting.pop(stream.number, None)
        stream.sent()

    def _note_queued(self) -> None:
        """Stop whoever writes when too much waits, and let them go on when enough of it has left."""
        queued = sum(stream.get_write_buffer_size() for stream in self._waiting.values())
        if not self.is_full and queued > self.most_queued_bytes:
            self.is_full = True
            for stream in self.streams.values():
                stream.pause_writer()
        elif self.is_full and queued <= self.most_queued_bytes / 2:
            self.is_full = False
            for stream in self.streams.values():
                stream.resume_writer()

    def _window(self, number: int) -> int:
        window = self._library.local_flow_control_window(number)
        return min(window, self._library.max_outbound_frame_size, MOST_FRAME_BYTES)

    def send_fields(self, number: int, fields: Fields, *, last: bool) -> None:
        """Send a head, or trailer fields."""
        self._library.send_headers(number, [_indexed(*field) for field in fields], end_stream=last)
        if last:
            self.allowance.earn(EARNED_BY_MESSAGE)

    def send_data(self, number: int, data: bytes, *, last: bool) -> None:
        """Send some of a body, for which there is room."""
        self._library.send_data(number, data, end_stream=last)
        self.allowance.earn(EARNED_BY_MESSAGE if last else EARNED_BY_DATA)
        self._unsent += len(data)
        self.waits_since = time.monotonic()
        if self._unsent > WRITE_BUFFER_BYTES // 2:
            self._flush()

    def took(self, number: int, size: int) -> None:
        """What cost so much of our windows has been taken: as much may be sent again."""
        self._acknowledge(number, size)
        self.flush()

    def reset(self, number: int, code: int) -> None:
        """End a stream."""
        with suppress(ProtocolError):  # it may have ended by itself
            self._library.reset_stream(number, code)
        self.flush()

    def forget(self, stream: Stream, held: int) -> None:
        """A stream has ended, and gives back what it held of our windows."""
        self.streams.pop(stream.number, None)
        self._waiting.pop(stream.number, None)
        if not self._over:
            self._note_queued()
            self._acknowledge(stream.number, held)
            self.forgotten()

    def malformed(self, stream: Stream, error: Malformed) -> None:
        """What arrives on this stream cannot be read."""
        self.reset(stream.number, PROTOCOL_ERROR)
        stream.lose(error)
        self.spend(GIVEN_UP)

    def spend(self, cost: float) -> None:
        """The peer has cost us this much, and may have nothing left."""
        if not self.allowance.spend(cost, time.monotonic()) and not self._over:
            self.end(ENHANCE_YOUR_CALM, "frame_flood", cause="streams for nothing")

    def _acknowledge(self, number: int, size: int) -> None:
        if size and not self._over:
            self._library.acknowledge_received_data(size, number)

    # Writing.

    def flush(self) -> None:
        """Write what is to be said, unless more of it is about to come."""
        if not self._busy:
            self._flush()

    def _flush(self) -> None:
        self._unsent = 0
        if not self._over and not self.transport.is_closing() and (data := self._library.data_to_send()):
            self.transport.write(data)

    def say_goaway(self, last_stream: int, code: int, *, reason: str = "") -> None:
        """Tell the peer that streams after this one are not answered."""
        self._flush()
        self.transport.write(goaway(last_stream, code, reason=reason.encode()))

    def end_all(self, code: int, reason: str) -> None:
        """Tell the peer why, and close; streams that are under way are lost."""
        if self._over:
            return
        if self._library_is_open:
            self.say_goaway(self._library.highest_inbound_stream_id, code, reason=reason)
        self._over = True
        for stream in list(self.streams.values()):
            stream.lose(ConnectionResetError(reason))
        self.hang_up()

    def hang_up(self) -> None:
        """Close once what was written has left; when the peer does not take it, after a while."""
        self.transport.close()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.transport.abort)


def _indexed(name: bytes, value: bytes) -> HeaderTuple:
    return (NeverIndexedHeaderTuple if name in _NEVER_INDEXED else HeaderTuple)(name, value)
