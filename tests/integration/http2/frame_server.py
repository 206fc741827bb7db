"""A server of HTTP/2 that answers each request with a script, frame by frame."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
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

from .frame_client import PREFACE, Fields


@dataclass
class Asked:
    """One request as it came."""

    stream: int
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    complete: bool = False
    reset: int | None = None

    def value(self, name: bytes) -> bytes | None:
        found = [value for said, value in self.fields if said == name]
        assert len(found) < 2
        return found[0] if found else None


@dataclass
class ServedFrames:
    """One connection the server accepted."""

    sock: socket.socket
    encoder: Encoder = field(default_factory=Encoder)
    requests: dict[int, Asked] = field(default_factory=dict)
    goaways: list[int] = field(default_factory=list)
    silent: bool = False

    def put(self, *frames: Frame) -> None:
        with suppress(OSError):
            self.sock.sendall(b"".join(frame.serialize() for frame in frames))

    def head(self, stream: int, fields: Iterable[tuple[bytes, bytes]], *flags: str) -> HeadersFrame:
        return HeadersFrame(stream, self.encoder.encode(fields), flags=flags or ("END_HEADERS",))

    def say(self, asked: Asked, body: bytes = b"ok", *fields: tuple[bytes, bytes], status: bytes = b"200") -> None:
        """A whole answer."""
        head = self.head(asked.stream, [(b":status", status), *fields])
        self.put(head, DataFrame(asked.stream, body, flags=("END_STREAM",)))

    def reset(self, asked: Asked, code: int) -> None:
        self.put(RstStreamFrame(asked.stream, error_code=code))

    def leave(self, last_stream: int, code: int = 0) -> None:
        self.put(GoAwayFrame(0, last_stream_id=last_stream, error_code=code))


Script = Callable[[ServedFrames, Asked], object]


def ok(served: ServedFrames, asked: Asked) -> None:
    """The usual answer."""
    served.say(asked)


class FrameServer:
    """Listens inside `with`. `scripts` are used up one after the other, `script` for every request behind them."""

    def __init__(
        self, script: Script = ok, *, settings: dict[int, int] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.script = script
        self.scripts: queue.SimpleQueue[Script] = queue.SimpleQueue()
        self.connections: list[ServedFrames] = []
        self.requests: list[Asked] = []
        self.begins_early = False
        """Whether a script is played as soon as the head is there, not the whole request."""
        self._settings = settings or {}
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self._listening: socket.socket

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._listening.getsockname()[1]}"

    def play(self, *scripts: Script) -> None:
        for script in scripts:
            self.scripts.put(script)

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for served in self.connections:
            with suppress(OSError):
                served.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="frame server")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            served = ServedFrames(self._tls.wrap_socket(sock, server_side=True) if self._tls else sock)
            self.connections.append(served)
            with served.sock, served.sock.makefile("rb") as stream:
                if stream.read(len(PREFACE)) == PREFACE:
                    served.put(SettingsFrame(0, settings=self._settings))
                    self._read(served, stream)

    def _read(self, served: ServedFrames, stream) -> None:  # type: ignore[no-untyped-def]
        decoder = Decoder()
        while len(head := stream.read(9)) == 9:
            frame, length = Frame.parse_frame_header(memoryview(head))
            frame.parse_body(memoryview(stream.read(length)))
            if isinstance(frame, HeadersFrame):
                asked = Asked(frame.stream_id, list(decoder.decode(frame.data, raw=True)))
                served.requests[frame.stream_id] = asked
                self.requests.append(asked)
                if self.begins_early:
                    self._answer(served, asked)
            elif isinstance(frame, DataFrame):
                served.requests[frame.stream_id].body += frame.data
                if frame.data:
                    size = len(frame.data)
                    served.put(*(WindowUpdateFrame(number, window_increment=size) for number in (0, frame.stream_id)))
            else:
                self._note(served, frame)
            if "END_STREAM" in frame.flags:
                served.requests[frame.stream_id].complete = True
                if not self.begins_early:
                    self._answer(served, served.requests[frame.stream_id])

    def _note(self, served: ServedFrames, frame: Frame) -> None:
        if isinstance(frame, RstStreamFrame):
            served.requests[frame.stream_id].reset = frame.error_code
        elif isinstance(frame, GoAwayFrame):
            served.goaways.append(frame.error_code)
        elif isinstance(frame, PingFrame) and "ACK" not in frame.flags and not served.silent:
            served.put(PingFrame(0, opaque_data=frame.opaque_data, flags=("ACK",)))
        elif isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            served.put(SettingsFrame(0, flags=("ACK",)))

    def _answer(self, served: ServedFrames, asked: Asked) -> None:
        script = self.script if self.scripts.empty() else self.scripts.get()
        script(served, asked)


def fields_of(*fields: tuple[bytes, bytes], status: bytes = b"200") -> Fields:
    """The fields of an answer."""
    return [(b":status", status), *fields]
