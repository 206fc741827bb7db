"""The other side of a session, in memory: what it says goes to the session, and what the session says is read back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    PingAckReceived,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from tests.unit.gateway.parts import Transport

from jwtgate.gateway.http2.session import Session

ASKED = [(":method", "GET"), (":scheme", "http"), (":authority", "gate.example"), (":path", "/open/a")]


class OtherSide:
    """Speaks to a protocol over a transport that only writes down."""

    def __init__(self, protocol: Any, transport: Transport, *, client: bool) -> None:
        self.protocol, self.transport = protocol, transport
        self.library = H2Connection(H2Configuration(client_side=client, header_encoding="utf-8"))
        self.events: list[Event] = []
        self.library.initiate_connection()

    def say(self) -> OtherSide:
        """Hand over what the library has to say, and read what comes back, until nobody has more."""
        while data := self.library.data_to_send():
            self.protocol.data_received(data)
            self.hear()
        return self

    def hear(self) -> OtherSide:
        """Read what the session has written."""
        if data := self.transport.take():
            self.events += self.library.receive_data(data)
        return self

    def ask(self, stream: int = 1, fields: Iterable[tuple[str, str]] = ASKED, *, end: bool = True) -> OtherSide:
        self.library.send_headers(stream, list(fields), end_stream=end)
        return self.say()

    def all(self, kind: type[Event], stream: int | None = None) -> list[Any]:
        """The events of this kind so far."""
        return [
            each for each in self.events if type(each) is kind and stream in (None, getattr(each, "stream_id", None))
        ]

    def status(self, stream: int = 1) -> str:
        (event,) = self.all(ResponseReceived, stream)
        return str(dict(event.headers)[":status"])

    def body(self, stream: int = 1) -> bytes:
        return b"".join(each.data for each in self.all(DataReceived, stream))

    def ended(self, stream: int = 1) -> bool:
        return bool(self.all(StreamEnded, stream))

    def reset(self, stream: int = 1) -> int | None:
        return next((int(each.error_code) for each in self.all(StreamReset, stream)), None)

    def asked(self, stream: int = 1) -> dict[str, str]:
        (event,) = self.all(RequestReceived, stream)
        return dict(event.headers)

    def trailers(self, stream: int = 1) -> dict[str, str]:
        (event,) = self.all(TrailersReceived, stream)
        return dict(event.headers)

    def farewells(self) -> list[tuple[int, int]]:
        return [(each.last_stream_id, int(each.error_code)) for each in self.all(ConnectionTerminated)]

    def pongs(self) -> int:
        return len(self.all(PingAckReceived))


def sent_by(session: Session) -> bytes:
    """What this session has written since this was asked last."""
    transport: Transport = session.transport  # type: ignore[assignment]
    return transport.take()
