"""Connections of HTTP/2 that ask for work and for nothing else (SEC-96), and how many of what they may."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from ..rig import Gateway, Upstream, document, gateway_and_upstream, until
from .frame_client import FrameClient, asked

PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, REFUSED_STREAM, CALM = 1, 3, 6, 7, 11
MANY = 1500


@pytest.fixture
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream(listen=[{"address": "127.0.0.1:0", "http2": True}]) as both:
        yield both


@pytest.fixture
def gateway(both: tuple[Gateway, Upstream]) -> Gateway:
    return both[0]


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Upstream:
    return both[1]


def logged(gateway: Gateway, reason: str) -> int:
    """How many lines of the log tell this reason."""
    until(lambda: reason in [line["reason"] for line in gateway.log()])
    return [line["reason"] for line in gateway.log()].count(reason)


FLOODS: dict[str, Callable[[int], list[Frame]]] = {
    "PING": lambda _: [PingFrame(0, opaque_data=b"12345678")],
    "SETTINGS": lambda _: [SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1000})],
    "empty SETTINGS": lambda _: [SettingsFrame(0)],
    "PRIORITY": lambda number: [PriorityFrame(2 * number + 1, depends_on=0)],
    "WINDOW_UPDATE": lambda _: [WindowUpdateFrame(0, window_increment=1)],
    "WINDOW_UPDATE of a stream": lambda _: [WindowUpdateFrame(1, window_increment=1)],
    "empty DATA": lambda _: [DataFrame(1)],
    "padding alone": lambda _: [DataFrame(1, b"", pad_length=0, flags=("PADDED",))],
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_sec_96_a_flood_of_frames_ends_the_connection_and_is_logged_once(
    gateway: Gateway, flood: Callable[[int], list[Frame]]
) -> None:
    with FrameClient(gateway.port) as client, FrameClient(gateway.port) as good:
        client.put(client.head(1, asked(method=b"POST"), "END_HEADERS"))
        for number in range(1, MANY):
            client.put(*flood(number))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]
        assert client.goaways[0][2] == b"frame_flood"
        assert good.ask().status == 200
    assert logged(gateway, "frame_flood") == 1


def test_sec_96_frames_of_a_type_nobody_knows_are_ignored_and_counted(gateway: Gateway) -> None:
    frame = b"\x00\x00\x00\xbe\x00" + bytes(4)
    with FrameClient(gateway.port) as client:
        client.send(frame * 10)
        assert client.ask().status == 200
        client.send(frame * MANY)
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]


def test_sec_96_more_settings_than_there_are_end_the_connection(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        client.put(SettingsFrame(0, settings=dict.fromkeys(range(100, 2100), 1)))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]


def test_sec_96_rapid_reset_ends_the_connection(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        for stream in range(1, 2 * MANY, 2):
            client.put(client.head(stream, asked()), RstStreamFrame(stream, error_code=8))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]
        last_stream = client.goaways[0][0]
    assert last_stream < MANY // 4
    assert logged(gateway, "frame_flood") == 1
    until(lambda: gateway.call(lambda: gateway.embedded.worker.in_flight) == 0)


def test_sec_96_making_us_reset_streams_ends_the_connection(gateway: Gateway) -> None:
    too_much = 2**31 - 1
    with FrameClient(gateway.port) as client:
        for stream in range(1, 2 * MANY, 2):
            client.put(client.head(stream, asked()), WindowUpdateFrame(stream, window_increment=too_much))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]


def test_sec_96_requests_nobody_can_read_end_the_connection(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        for stream in range(1, 2 * MANY, 2):
            client.put(client.head(stream, asked(b"/open/1", (b"X-A", b"b"))))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]


FOR_NOTHING: dict[str, Callable[[FrameClient, int], list[Frame]]] = {
    "given up": lambda client, stream: [client.head(stream, asked()), RstStreamFrame(stream, error_code=8)],
    "reset by us": lambda client, stream: [
        client.head(stream, asked()),
        WindowUpdateFrame(stream, window_increment=2**31 - 1),
    ],
    "nobody can read": lambda client, stream: [client.head(stream, asked(b"/open/1", (b"X-A", b"b")))],
    "of another length": lambda client, stream: [
        client.head(stream, asked(b"/open/1", (b"content-length", b"1"), method=b"POST"), "END_HEADERS"),
        DataFrame(stream, b"", flags=("END_STREAM",)),
    ],
}


@pytest.mark.parametrize("frames", FOR_NOTHING.values(), ids=FOR_NOTHING.keys())
def test_sec_96_streams_for_nothing_end_the_connection_however_slowly_they_come(
    gateway: Gateway, frames: Callable[[FrameClient, int], list[Frame]]
) -> None:
    with FrameClient(gateway.port) as client:
        for number in range(MANY):
            client.put(*frames(client, 2 * number + 1), PingFrame(0, opaque_data=b"%08d" % number))
            if not client.until(lambda mark=b"%08d" % number: mark in client.pongs):  # type: ignore[misc]
                break
        assert [code for _, code, _ in client.goaways] == [CALM]
        assert number < MANY // 4


def test_sec_96_a_head_that_never_ends_ends_the_connection(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        client.put(HeadersFrame(1, client.encoder.encode(asked())))
        for _ in range(MANY):
            client.put(ContinuationFrame(1, b"\x00\x01a" + b"\x7f\x80\x7f" + b"x" * 4000))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]
    assert logged(gateway, "frame_flood") == 1


def test_sec_96_empty_continuations_end_the_connection(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        client.put(HeadersFrame(1, client.encoder.encode(asked())))
        for _ in range(MANY):
            client.put(ContinuationFrame(1, b""))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [PROTOCOL_ERROR]
    assert logged(gateway, "request_malformed") == 1


def test_sec_96_a_head_in_several_frames_is_read(gateway: Gateway, upstream: Upstream) -> None:
    fields = asked(b"/open/1", *((b"x-%d" % number, b"y" * 1000) for number in range(40)))
    with FrameClient(gateway.port) as client:
        block = client.encoder.encode(fields, huffman=False)
        pieces = [block[at : at + 16000] for at in range(0, len(block), 16000)]
        client.put(
            HeadersFrame(1, pieces[0], flags=("END_STREAM",)), *(ContinuationFrame(1, each) for each in pieces[1:-1])
        )
        client.put(ContinuationFrame(1, pieces[-1], flags=("END_HEADERS",)))
        assert client.answer().status == 200
    assert upstream.requests[0].value("x-39") == "y" * 1000


def test_sec_96_another_frame_within_a_head_ends_the_connection(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        client.put(HeadersFrame(1, client.encoder.encode(asked())), PingFrame(0, opaque_data=b"12345678"))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [PROTOCOL_ERROR]


def test_sec_96_a_head_that_is_too_large_is_refused_alone(gateway: Gateway, upstream: Upstream) -> None:
    fields = asked(b"/open/1", *((b"x-%d" % number, b"y" * 4000) for number in range(17)))
    with FrameClient(gateway.port) as client:
        block = client.encoder.encode(fields)  # as HPACK writes it, it is small enough to be taken
        assert len(block) < 65536
        pieces = [block[at : at + 16000] for at in range(0, len(block), 16000)]
        client.put(
            HeadersFrame(1, pieces[0], flags=("END_STREAM",)), *(ContinuationFrame(1, each) for each in pieces[1:-1])
        )
        client.put(ContinuationFrame(1, pieces[-1], flags=("END_HEADERS",)))
        assert client.answer().status == 431
        assert client.ask(stream=3).status == 200
    assert len(upstream.requests) == 1


def test_sec_96_a_head_that_grows_when_it_is_unpacked_ends_the_connection(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        first = client.encoder.encode(asked(b"/open/1", (b"x-bomb", b"y" * 4000)))
        client.put(HeadersFrame(1, first, flags=("END_HEADERS", "END_STREAM")))
        assert client.answer().status == 200
        bomb = client.encoder.encode(asked()) + b"\xbe" * 10_000  # the newest entry of the table, again and again
        client.put(HeadersFrame(3, bomb, flags=("END_HEADERS", "END_STREAM")))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]
    assert len(upstream.requests) == 1


def test_sec_95_more_fields_than_are_allowed_are_refused(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        assert client.ask(asked(b"/open/1", *((b"x-%d" % number, b"y") for number in range(101)))).status == 431
    assert upstream.requests == []


def test_sec_96_streams_beyond_the_limit_are_refused_one_by_one() -> None:
    with Upstream() as upstream:
        whole = document(upstream.url, listen=[{"address": "127.0.0.1:0", "http2": True}], limits={"streams": 4})
        with Gateway(whole) as gateway, FrameClient(gateway.port) as client:
            for stream in (1, 3, 5, 7, 9, 11):
                client.put(client.head(stream, asked(method=b"POST"), "END_HEADERS"))
            assert client.answer(9).reset == REFUSED_STREAM
            assert client.answer(11).reset == REFUSED_STREAM
            assert client.settings[SettingsFrame.MAX_CONCURRENT_STREAMS] == 4
            client.put(*(DataFrame(stream, b"x", flags=("END_STREAM",)) for stream in (1, 3, 5, 7)))
            assert [client.answer(stream).status for stream in (1, 3, 5, 7)] == [200] * 4
            assert client.ask(stream=13).status == 200
        assert len(upstream.requests) == 5


def test_sec_96_streams_far_beyond_the_limit_end_the_connection(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        for stream in range(1, 1000, 2):
            client.put(client.head(stream, asked(method=b"POST"), "END_HEADERS"))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [CALM]
    until(lambda: gateway.call(lambda: gateway.embedded.worker.in_flight) == 0)


def test_sec_96_a_frame_longer_than_we_take_ends_the_connection(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        client.send((16385).to_bytes(3) + b"\x06\x00" + bytes(4) + bytes(100))
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [FRAME_SIZE_ERROR]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (bytes.fromhex("000008060000000001") + bytes(8), PROTOCOL_ERROR),
        (bytes.fromhex("000007060000000000") + bytes(7), FRAME_SIZE_ERROR),
        (bytes.fromhex("000004080000000000") + bytes(4), PROTOCOL_ERROR),
        (bytes.fromhex("000004080000000000") + b"\x7f\xff\xff\xff", FLOW_CONTROL_ERROR),
        (bytes.fromhex("000005040000000000") + bytes(5), FRAME_SIZE_ERROR),
        (bytes.fromhex("000006040000000000") + b"\x00\x02\x00\x00\x00\x02", PROTOCOL_ERROR),
        (bytes.fromhex("000006040000000000") + b"\x00\x04\xff\xff\xff\xff", FLOW_CONTROL_ERROR),
        (bytes.fromhex("000000000100000000"), PROTOCOL_ERROR),
        (bytes.fromhex("000001000100000005") + b"x", PROTOCOL_ERROR),
        (bytes.fromhex("000001010500000002") + b"\x82", PROTOCOL_ERROR),
        (bytes.fromhex("000004050400000001") + bytes(4), PROTOCOL_ERROR),
        (bytes.fromhex("000001010500000001") + b"\xff", PROTOCOL_ERROR),
        (bytes.fromhex("000003010500000001") + b"\x3f\xff\xff", PROTOCOL_ERROR),
        (bytes.fromhex("000000090400000001"), PROTOCOL_ERROR),
        (bytes.fromhex("000004070000000000") + bytes(4), PROTOCOL_ERROR),
    ],
    ids=[
        "PING on a stream",
        "a short PING",
        "WINDOW_UPDATE by nothing",
        "WINDOW_UPDATE beyond the end",
        "SETTINGS of a broken length",
        "SETTINGS with a push that is neither on nor off",
        "SETTINGS with a window beyond the end",
        "DATA on no stream",
        "DATA on a stream nobody opened",
        "HEADERS on a stream of ours",
        "PUSH_PROMISE",
        "HPACK that leads nowhere",
        "HPACK that breaks off",
        "CONTINUATION of nothing",
        "a short GOAWAY",
    ],
)
def test_sec_96_a_frame_against_the_rules_ends_the_connection(gateway: Gateway, frame: bytes, code: int) -> None:
    with FrameClient(gateway.port) as client:
        client.send(frame)
        client.until_end()
        assert [said for _, said, _ in client.goaways] == [code]
    assert logged(gateway, "request_malformed") == 1


def test_a_client_that_goes_on_sending_hears_of_its_fault(gateway: Gateway) -> None:
    with FrameClient(gateway.port) as client:
        client.send(bytes.fromhex("000008060000000001") + bytes(8))
        for _ in range(40):
            client.put(DataFrame(1, bytes(16_000)))
        assert not client.ended  # nothing was reset
        client.until_end()
        assert [code for _, code, _ in client.goaways] == [PROTOCOL_ERROR]


def test_requests_before_a_frame_against_the_rules_were_looked_at(gateway: Gateway, upstream: Upstream) -> None:
    with FrameClient(gateway.port) as client:
        bad = bytes.fromhex("000008060000000001") + bytes(8)
        client.send(client.head(1, asked()).serialize() + bad)
        client.until_end()
        assert [(last, code) for last, code, _ in client.goaways] == [(1, PROTOCOL_ERROR)]


@pytest.mark.parametrize("count", [200])
def test_what_a_client_does_that_means_well_is_never_a_flood(gateway: Gateway, count: int) -> None:
    with FrameClient(gateway.port) as client:
        for number in range(count):
            stream = 2 * number + 1
            client.put(PriorityFrame(stream, depends_on=0), PingFrame(0, opaque_data=b"12345678"))
            assert client.ask(stream=stream).status == 200
            client.put(WindowUpdateFrame(0, window_increment=2), WindowUpdateFrame(0, window_increment=2))
        assert client.goaways == []
