"""A client of HTTP/2 that sends whatever frames it is told to, and reads what comes back."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from hpack import Decoder, Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PATIENCE_SECONDS = 30.0
Fields = list[tuple[bytes, bytes]]


def asked(
    path: bytes | None = b"/open/1", *more: tuple[bytes, bytes], method: bytes = b"GET", **said: bytes | None
) -> Fields:
    """The fields of a request; `authority=None` and the like leave a pseudo-header field out."""
    pseudo = {"method": method, "scheme": b"http", "authority": b"orders.example", "path": path, **said}
    return [(b":" + name.encode(), value) for name, value in pseudo.items() if value is not None] + list(more)


@dataclass
class Answer:
    """What came on one stream."""

    heads: list[dict[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.heads[0][b":status"])

    @property
    def is_over(self) -> bool:
        return self.ended or self.reset is not None


class FrameClient:
    """A connection, open inside `with`. With `settings=None` it says nothing of its own."""

    def __init__(
        self,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        settings: dict[int, int] | None = None,
        quiet: bool = False,
    ) -> None:
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = tls.wrap_socket(sock, server_hostname="localhost") if tls else sock
        self.encoder, self._decoder = Encoder(), Decoder()
        self.answers: dict[int, Answer] = {}
        self.settings: dict[int, int] = {}
        self.goaways: list[tuple[int, int, bytes]] = []
        self.pongs: list[bytes] = []
        self.updates: dict[int, int] = {}
        self.ended = False
        self._ahead = b""
        if not quiet:
            self.send(PREFACE)
            self.put(SettingsFrame(0, settings=settings or {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()

    # Out.

    def send(self, data: bytes) -> None:
        """Send these bytes, as far as anybody takes them."""
        try:
            self.sock.sendall(data)
        except OSError:
            self.ended = True

    def put(self, *frames: Frame) -> None:
        """Send these frames."""
        self.send(b"".join(frame.serialize() for frame in frames))

    def head(self, stream: int, fields: Fields, *flags: str) -> HeadersFrame:
        """A HEADERS frame, whole unless its flags say otherwise."""
        return HeadersFrame(stream, self.encoder.encode(fields), flags=flags or ("END_HEADERS", "END_STREAM"))

    def ask(self, fields: Fields | None = None, *, stream: int = 1, body: bytes | None = None) -> Answer:
        """Send a request and wait for its answer."""
        fields = asked() if fields is None else fields
        if body is None:
            self.put(self.head(stream, fields))
        else:
            self.put(self.head(stream, fields, "END_HEADERS"), DataFrame(stream, body, flags=("END_STREAM",)))
        return self.answer(stream)

    # In.

    def answer(self, stream: int = 1) -> Answer:
        """What comes on this stream, once it is over or the connection is."""
        self.until(lambda: stream in self.answers and self.answers[stream].is_over)
        return self.answers.get(stream, Answer())

    def until(self, reached) -> bool:  # type: ignore[no-untyped-def]
        """Read on until this holds; False when the connection ends before."""
        while not reached():
            if not self.read():
                return bool(reached())
        return True

    def until_end(self) -> None:
        """Read until the other side closes."""
        while self.read():
            pass

    def read(self) -> bool:
        """Read one frame; False at the end."""
        head = self._exactly(9)
        if head is None:
            return False
        frame, length = Frame.parse_frame_header(memoryview(head))
        payload = self._exactly(length)
        if payload is None:
            return False
        frame.parse_body(memoryview(payload))
        self._note(frame)
        return True

    def _exactly(self, count: int) -> bytes | None:
        while len(self._ahead) < count:
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                raise
            except OSError:
                data = b""
            if not data:
                self.ended = True
                return None
            self._ahead += data
        found, self._ahead = self._ahead[:count], self._ahead[count:]
        return found

    def _note(self, frame: Frame) -> None:
        answer = self.answers.setdefault(frame.stream_id, Answer()) if frame.stream_id else Answer()
        if isinstance(frame, HeadersFrame):
            assert "END_HEADERS" in frame.flags
            answer.heads.append(dict(self._decoder.decode(frame.data, raw=True)))
            answer.ended = "END_STREAM" in frame.flags
        elif isinstance(frame, DataFrame):
            answer.body += frame.data
            answer.ended = "END_STREAM" in frame.flags
        elif isinstance(frame, RstStreamFrame):
            answer.reset = frame.error_code
        elif isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self.settings.update(frame.settings)
        elif isinstance(frame, GoAwayFrame):
            self.goaways.append((frame.last_stream_id, frame.error_code, frame.additional_data))
        elif isinstance(frame, PingFrame):
            if "ACK" in frame.flags:
                self.pongs.append(frame.opaque_data)
            else:
                self.put(PingFrame(0, opaque_data=frame.opaque_data, flags=("ACK",)))
        elif isinstance(frame, WindowUpdateFrame):
            self.updates[frame.stream_id] = self.updates.get(frame.stream_id, 0) + frame.window_increment
