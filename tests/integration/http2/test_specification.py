"""What RFC 9113 and RFC 7541 ask of whoever serves: frames of each kind in each state, and what is answered to them.

An error of a stream may be made one of the connection (section 5.4.1), so either is taken where a stream is at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ..rig import Gateway, gateway_and_upstream
from .frame_client import PREFACE, FrameClient, asked

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, WITH_PRIORITY = 0x4, 0x8, 0x20
WHOLE = END_STREAM | END_HEADERS
PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR = 1, 3, 5, 6, 9
POST = asked(method=b"POST")
Play = Callable[[FrameClient], bytes]


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with gateway_and_upstream(listen=[{"address": "127.0.0.1:0", "http2": True}]) as (gateway, _):
        yield gateway


def frame(kind: int, stream: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def head(client: FrameClient, stream: int = 1, flags: int = WHOLE, *, more: bytes = b"") -> bytes:
    """HEADERS of a request, with these bytes of HPACK behind it."""
    fields = asked() if flags & END_STREAM else POST
    return frame(HEADERS, stream, client.encoder.encode(fields) + more, flags)


def opened(*frames: bytes) -> Play:
    """These frames behind the head of a request whose body is still to come."""
    return lambda client: head(client, flags=END_HEADERS) + b"".join(frames)


def asked_for(*frames: bytes) -> Play:
    """These frames behind a whole request."""
    return lambda client: head(client) + b"".join(frames)


def idle(*frames: bytes) -> Play:
    return lambda _: b"".join(frames)


def setting(number: int, value: int) -> bytes:
    return number.to_bytes(2) + value.to_bytes(4)


FINE: dict[str, Play] = {
    "3.5 nothing but what was asked": asked_for(),
    "4.1 a frame of an unknown type": asked_for(frame(0xFE, 0, b"x" * 8), frame(0xFE, 1, b"x" * 8)),
    "4.1 flags nobody knows": asked_for(frame(PING, 0, bytes(8), 0xFE)),
    "4.1 a reserved bit": asked_for(frame(PING, 2**31, bytes(8))),
    "4.2 the largest frame": opened(frame(DATA, 1, bytes(16384)), frame(DATA, 1, b"", END_STREAM)),
    "5.1 PRIORITY of an idle stream": asked_for(frame(PRIORITY, 7, bytes(4) + b"\x0f")),
    "5.1 WINDOW_UPDATE behind END_STREAM": asked_for(frame(WINDOW_UPDATE, 1, (1).to_bytes(4))),
    "5.1 PRIORITY behind END_STREAM": asked_for(frame(PRIORITY, 1, bytes(4) + b"\x0f")),
    "6.1 DATA with padding": opened(frame(DATA, 1, b"\x05hello" + bytes(5), END_STREAM | PADDED)),
    "6.1 DATA of nothing": opened(frame(DATA, 1, b"", END_STREAM)),
    "6.2 HEADERS with padding": lambda client: frame(
        HEADERS, 1, b"\x03" + client.encoder.encode(asked()) + bytes(3), WHOLE | PADDED
    ),
    "6.2 HEADERS with a priority": lambda client: frame(
        HEADERS, 1, bytes(4) + b"\x0f" + client.encoder.encode(asked()), WHOLE | WITH_PRIORITY
    ),
    "6.5 a setting nobody knows": asked_for(frame(SETTINGS, 0, setting(0xFF, 1))),
    "6.5 SETTINGS again": asked_for(frame(SETTINGS), frame(SETTINGS, 0, setting(1, 0) + setting(1, 4096))),
    "6.7 a PING": asked_for(frame(PING, 0, bytes(8))),
    "6.7 an answer to no PING": asked_for(frame(PING, 0, b"unasked!", ACK)),
    "6.9 the widest window": asked_for(frame(WINDOW_UPDATE, 0, (2**31 - 1 - 65535).to_bytes(4))),
    "6.10 a head in pieces": lambda client: (
        frame(HEADERS, 1, (block := client.encoder.encode(asked()))[:3], END_STREAM)
        + frame(CONTINUATION, 1, block[3:7])
        + frame(CONTINUATION, 1, block[7:], END_HEADERS)
    ),
    "8.1 trailers": lambda client: (
        head(client, flags=END_HEADERS)
        + frame(DATA, 1, b"hello")
        + frame(HEADERS, 1, client.encoder.encode([(b"x-a", b"b")]), WHOLE)
    ),
    "HPACK 4.2 a smaller table": lambda client: frame(
        HEADERS, 1, b"\x20" + client.encoder.encode(asked(), huffman=False), WHOLE
    ),
    "HPACK 6.1 literals that are never indexed": lambda client: head(client, more=b"\x10\x03x-a\x01b"),
    "HPACK 6.2 literals that are not indexed": lambda client: head(client, more=b"\x00\x03x-a\x01b"),
}

CONNECTION: dict[str, tuple[Play, set[int]]] = {
    "4.2 DATA longer than the largest frame": (opened(frame(DATA, 1, bytes(16385))), {FRAME_SIZE_ERROR}),
    "4.2 HEADERS longer than the largest frame": (idle(frame(HEADERS, 1, bytes(16385), WHOLE)), {FRAME_SIZE_ERROR}),
    "4.3 HPACK that cannot be read": (idle(frame(HEADERS, 1, b"\x40", WHOLE)), {COMPRESSION_ERROR, PROTOCOL_ERROR}),
    "4.3 another head inside a head": (
        lambda client: head(client, flags=END_STREAM) + head(client, 3),
        {PROTOCOL_ERROR},
    ),
    "4.3 another frame inside a head": (
        lambda client: head(client, flags=END_STREAM) + frame(PRIORITY, 1, bytes(5)),
        {PROTOCOL_ERROR},
    ),
    "4.3 an unknown frame inside a head": (
        lambda client: head(client, flags=END_STREAM) + frame(0xFE, 1),
        {PROTOCOL_ERROR},
    ),
    "5.1 DATA of an idle stream": (idle(frame(DATA, 1, b"x", END_STREAM)), {PROTOCOL_ERROR, STREAM_CLOSED}),
    "5.1 RST_STREAM of an idle stream": (idle(frame(RST_STREAM, 1, bytes(4))), {PROTOCOL_ERROR}),
    "5.1 WINDOW_UPDATE of an idle stream": (idle(frame(WINDOW_UPDATE, 1, (1).to_bytes(4))), {PROTOCOL_ERROR}),
    "5.1 CONTINUATION of an idle stream": (idle(frame(CONTINUATION, 1, b"", END_HEADERS)), {PROTOCOL_ERROR}),
    "5.1.1 a stream with an even number": (lambda client: head(client, 2), {PROTOCOL_ERROR}),
    "5.1.1 a number that falls": (
        lambda client: head(client, 5) + head(client, 3),
        {PROTOCOL_ERROR, STREAM_CLOSED},
    ),
    "6.1 DATA on no stream": (opened(frame(DATA, 0, b"x")), {PROTOCOL_ERROR}),
    "6.1 more padding than DATA": (opened(frame(DATA, 1, b"\x09hello", PADDED | END_STREAM)), {PROTOCOL_ERROR}),
    "6.2 HEADERS on no stream": (lambda client: head(client, 0), {PROTOCOL_ERROR}),
    "6.2 more padding than HEADERS": (
        lambda client: frame(HEADERS, 1, b"\xff" + client.encoder.encode(asked()), WHOLE | PADDED),
        {PROTOCOL_ERROR},
    ),
    "6.3 PRIORITY on no stream": (asked_for(frame(PRIORITY, 0, bytes(5))), {PROTOCOL_ERROR}),
    "6.4 RST_STREAM on no stream": (asked_for(frame(RST_STREAM, 0, bytes(4))), {PROTOCOL_ERROR}),
    "6.4 a short RST_STREAM": (opened(frame(RST_STREAM, 1, bytes(3))), {FRAME_SIZE_ERROR}),
    "6.5 an answer to SETTINGS that says something": (
        idle(frame(SETTINGS, 0, bytes(6), ACK)),
        {FRAME_SIZE_ERROR, PROTOCOL_ERROR},
    ),
    "6.5 SETTINGS on a stream": (asked_for(frame(SETTINGS, 1, setting(3, 100))), {PROTOCOL_ERROR}),
    "6.5 SETTINGS of a broken length": (idle(frame(SETTINGS, 0, bytes(5))), {FRAME_SIZE_ERROR}),
    "6.5.2 a push that is neither on nor off": (idle(frame(SETTINGS, 0, setting(2, 2))), {PROTOCOL_ERROR}),
    "6.5.2 a window beyond the end": (idle(frame(SETTINGS, 0, setting(4, 2**31))), {FLOW_CONTROL_ERROR}),
    "6.5.2 a frame size below the least": (idle(frame(SETTINGS, 0, setting(5, 16383))), {PROTOCOL_ERROR}),
    "6.5.2 a frame size beyond the end": (idle(frame(SETTINGS, 0, setting(5, 2**24))), {PROTOCOL_ERROR}),
    "6.6 PUSH_PROMISE of a client": (opened(frame(PUSH_PROMISE, 1, bytes(4), END_HEADERS)), {PROTOCOL_ERROR}),
    "6.7 PING on a stream": (asked_for(frame(PING, 1, bytes(8))), {PROTOCOL_ERROR}),
    "6.7 a short PING": (idle(frame(PING, 0, bytes(6))), {FRAME_SIZE_ERROR}),
    "6.8 GOAWAY on a stream": (idle(frame(GOAWAY, 1, bytes(8))), {PROTOCOL_ERROR}),
    "6.8 a short GOAWAY": (idle(frame(GOAWAY, 0, bytes(4))), {PROTOCOL_ERROR, FRAME_SIZE_ERROR}),
    "6.9 WINDOW_UPDATE by nothing": (idle(frame(WINDOW_UPDATE, 0, bytes(4))), {PROTOCOL_ERROR}),
    "6.9 a short WINDOW_UPDATE": (idle(frame(WINDOW_UPDATE, 0, bytes(3))), {FRAME_SIZE_ERROR}),
    "6.9.1 a window beyond the end": (
        idle(frame(WINDOW_UPDATE, 0, (2**31 - 1).to_bytes(4)) * 2),
        {FLOW_CONTROL_ERROR},
    ),
    "6.10 CONTINUATION behind the end of a head": (
        opened(frame(CONTINUATION, 1, b"", END_HEADERS)),
        {PROTOCOL_ERROR},
    ),
    "6.10 CONTINUATION behind DATA": (
        opened(frame(DATA, 1, b"x"), frame(CONTINUATION, 1, b"", END_HEADERS)),
        {PROTOCOL_ERROR},
    ),
    "6.10 CONTINUATION on no stream": (
        lambda client: head(client, flags=END_STREAM) + frame(CONTINUATION, 0, b"", END_HEADERS),
        {PROTOCOL_ERROR},
    ),
    "6.10 CONTINUATION of another stream": (
        lambda client: head(client, flags=END_STREAM) + frame(CONTINUATION, 3, b"", END_HEADERS),
        {PROTOCOL_ERROR},
    ),
    "8.1 a second head that ends nothing": (
        lambda client: head(client, flags=END_HEADERS) + head(client, flags=END_HEADERS),
        {PROTOCOL_ERROR},
    ),
    "HPACK 2.3.3 an index of nothing": (
        lambda client: head(client, more=b"\xff\x00"),
        {COMPRESSION_ERROR, PROTOCOL_ERROR},
    ),
    "HPACK 6.1 index 0": (lambda client: head(client, more=b"\x80"), {COMPRESSION_ERROR, PROTOCOL_ERROR}),
    "HPACK 4.2 a change of the table at the end": (
        lambda client: head(client, more=b"\x20"),
        {COMPRESSION_ERROR, PROTOCOL_ERROR},
    ),
    "HPACK 6.3 a table larger than was said": (
        lambda client: frame(HEADERS, 1, b"\x3f\xe2\x1f" + client.encoder.encode(asked()), WHOLE),
        {COMPRESSION_ERROR, PROTOCOL_ERROR},
    ),
    "HPACK 5.2 a string that breaks off": (
        lambda client: head(client, more=b"\x00\x7f"),
        {COMPRESSION_ERROR, PROTOCOL_ERROR},
    ),
    "HPACK 5.2 padding of more than seven bits": (
        lambda client: head(client, more=b"\x00\x86\xf2\xb2\x4a\x84\xff\xff\x01b"),
        {COMPRESSION_ERROR, PROTOCOL_ERROR},
    ),
    "HPACK 5.2 padding of zeros": (
        lambda client: head(client, more=b"\x00\x83\xf2\xb2\x00\x01b"),
        {COMPRESSION_ERROR, PROTOCOL_ERROR},
    ),
    "HPACK 5.2 the end of strings in a string": (
        lambda client: head(client, more=b"\x00\x84\xff\xff\xff\xfc\x01b"),
        {COMPRESSION_ERROR, PROTOCOL_ERROR},
    ),
}

STREAM: dict[str, tuple[Play, set[int]]] = {
    "5.1 DATA behind END_STREAM": (asked_for(frame(DATA, 1, b"x", END_STREAM)), {STREAM_CLOSED}),
    "5.1 HEADERS behind END_STREAM": (lambda client: head(client) + head(client), {STREAM_CLOSED}),
    "5.1 CONTINUATION behind END_STREAM": (asked_for(frame(CONTINUATION, 1, b"", END_HEADERS)), {PROTOCOL_ERROR}),
    "5.1 DATA behind RST_STREAM": (opened(frame(RST_STREAM, 1, bytes(4)), frame(DATA, 1, b"x")), {STREAM_CLOSED}),
    "5.1 HEADERS behind RST_STREAM": (
        lambda client: head(client, flags=END_HEADERS) + frame(RST_STREAM, 1, bytes(4)) + head(client),
        {STREAM_CLOSED},
    ),
    "5.3.1 HEADERS that depend on themselves": (
        lambda client: frame(
            HEADERS, 1, (1).to_bytes(4) + b"\x0f" + client.encoder.encode(asked()), WHOLE | WITH_PRIORITY
        ),
        {PROTOCOL_ERROR},
    ),
    "5.3.1 PRIORITY that depends on itself": (opened(frame(PRIORITY, 1, (1).to_bytes(4) + b"\x0f")), {PROTOCOL_ERROR}),
    "6.3 a short PRIORITY": (opened(frame(PRIORITY, 1, bytes(4))), {FRAME_SIZE_ERROR}),
    "6.9 WINDOW_UPDATE of a stream by nothing": (opened(frame(WINDOW_UPDATE, 1, bytes(4))), {PROTOCOL_ERROR}),
    "6.9.1 a window of a stream beyond the end": (
        opened(frame(WINDOW_UPDATE, 1, (2**31 - 1).to_bytes(4))),
        {FLOW_CONTROL_ERROR},
    ),
}


@pytest.mark.parametrize("play", FINE.values(), ids=FINE.keys())
def test_what_is_allowed_is_answered(gateway: Gateway, play: Play) -> None:
    with FrameClient(gateway.port) as client:
        client.send(play(client))
        assert client.answer().status == 200
        assert client.goaways == []


@pytest.mark.parametrize(("play", "codes"), CONNECTION.values(), ids=CONNECTION.keys())
def test_what_breaks_the_connection_ends_it(gateway: Gateway, play: Play, codes: set[int]) -> None:
    with FrameClient(gateway.port) as client:
        client.send(play(client))
        client.until_end()
        assert [code for _, code, _ in client.goaways if code in codes]
        assert len(client.goaways) == 1


@pytest.mark.parametrize(("play", "codes"), STREAM.values(), ids=STREAM.keys())
def test_what_breaks_a_stream_ends_that(gateway: Gateway, play: Play, codes: set[int]) -> None:
    with FrameClient(gateway.port) as client:
        client.send(play(client))
        assert client.until(lambda: codes & {code for _, code, _ in client.goaways} or reset_of(client) in codes)
        assert client.goaways or client.ask(stream=3).status == 200


def reset_of(client: FrameClient) -> int | None:
    return client.answers[1].reset if 1 in client.answers else None


@pytest.mark.parametrize("first", [b"INVALID CONNECTION PREFACE\r\n\r\n", PREFACE[:-2] + b"XX"])
def test_what_is_no_preface_is_no_connection(gateway: Gateway, first: bytes) -> None:
    with FrameClient(gateway.port, quiet=True) as client:
        client.send(first)
        while data := client.sock.recv(65536):
            assert b"HTTP/1.1 200" not in data


@pytest.mark.parametrize("cut", [1, 8, 9, 10, 40])
def test_frames_may_come_in_any_pieces(gateway: Gateway, cut: int) -> None:
    with FrameClient(gateway.port) as client:
        data = opened(frame(DATA, 1, b"\x05hello" + bytes(5), END_STREAM | PADDED))(client)
        for at in range(0, len(data), cut):
            client.send(data[at : at + cut])
        assert client.answer().status == 200
