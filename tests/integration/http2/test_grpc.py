"""gRPC through the gateway, with a real client and a real server."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from hyperframe.frame import DataFrame

from ..rig import LATER, PATIENCE_SECONDS, Document, Gateway, document, token, until
from .frame_client import FrameClient, asked
from .frame_server import Asked, FrameServer, ServedFrames, fields_of
from .grpc_server import GrpcServer
from .test_upstreams import through


def calls(server: GrpcServer, **changes: Any) -> Document:
    """A document whose route `/test.Letters/*` takes calls with a token."""
    route = {
        "path": "/test.Letters/*",
        "auth": "required",
        "issuers": ["main"],
        "headers": {"X-User-Id": {"claim": "sub"}},
        "upstream": "letters",
        "grpc": True,
        "trailers": ["x-last", "x-user-id"],
    }
    return document(
        [],
        listen=[{"address": "127.0.0.1:0", "http2": True}],
        upstreams={"echo": None, "letters": {"targets": server.url, "protocol": "http2"}},
        routes={"orders": None, "open": None, "letters": {**route, **changes.pop("letters", {})}},
        **changes,
    )


@pytest.fixture
def server() -> Iterator[GrpcServer]:
    with GrpcServer() as server:
        yield server


@pytest.fixture
def gateway(server: GrpcServer) -> Iterator[Gateway]:
    with Gateway(calls(server)) as gateway:
        yield gateway


@pytest.fixture
def channel(gateway: Gateway) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        yield channel


def with_token(**claims: Any) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token(**claims)}"),)


def test_a_call_is_answered(channel: grpc.Channel, server: GrpcServer) -> None:
    answer, call = channel.unary_unary("/test.Letters/Shout").with_call(
        b"hello", metadata=with_token(), timeout=PATIENCE_SECONDS
    )
    assert answer == b"HELLO"
    assert call.code() is grpc.StatusCode.OK
    assert dict(call.initial_metadata())["x-first"] == "1"
    assert server.letters.metadata[0]["x-user-id"] == "alice"


def test_sec_112_trailing_metadata_passes_by_name_and_never_tells_who_somebody_is(channel: grpc.Channel) -> None:
    _, call = channel.unary_unary("/test.Letters/Shout").with_call(
        b"hello", metadata=with_token(), timeout=PATIENCE_SECONDS
    )
    assert [(name, value) for name, value in call.trailing_metadata() if name.startswith("x-")] == [("x-last", "2")]


def test_a_server_streams(channel: grpc.Channel) -> None:
    letters = channel.unary_stream("/test.Letters/Spell")(b"hello", metadata=with_token(), timeout=PATIENCE_SECONDS)
    assert list(letters) == [b"h", b"e", b"l", b"l", b"o"]


def test_a_client_streams(channel: grpc.Channel) -> None:
    letters = (bytes((letter,)) for letter in b"hello" * 1000)
    answer = channel.stream_unary("/test.Letters/Join")(letters, metadata=with_token(), timeout=PATIENCE_SECONDS)
    assert answer == b"hello" * 1000


def test_both_stream_at_once(channel: grpc.Channel) -> None:
    said: queue.Queue[bytes | None] = queue.Queue()
    answers = channel.stream_stream("/test.Letters/Echo")(
        iter(said.get, None), metadata=with_token(), timeout=PATIENCE_SECONDS
    )
    for word in (b"one", b"two", b"three"):  # each is said after the answer to the one before
        said.put(word)
        assert next(answers) == word.upper()
    said.put(None)
    assert list(answers) == []
    assert answers.code() is grpc.StatusCode.OK


def test_the_status_of_a_call_that_fails_passes(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/test.Letters/Refuse")(b"cake", metadata=with_token(), timeout=PATIENCE_SECONDS)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "no cake here; é"
    assert ("x-last", "2") in [tuple(field) for field in caught.value.trailing_metadata()]


def test_the_status_of_a_stream_that_breaks_off_passes(channel: grpc.Channel) -> None:
    letters = channel.unary_stream("/test.Letters/Break")(b"half", metadata=with_token(), timeout=PATIENCE_SECONDS)
    assert next(letters) == b"half"
    with pytest.raises(grpc.RpcError) as caught:
        next(letters)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.DATA_LOSS, "half of it")


@pytest.mark.parametrize(
    ("metadata", "code", "details"),
    [
        ((), grpc.StatusCode.UNAUTHENTICATED, "A token is needed."),
        (with_token(exp=1), grpc.StatusCode.UNAUTHENTICATED, "The token has expired."),
        (
            with_token(aud="another", exp=LATER),
            grpc.StatusCode.UNAUTHENTICATED,
            "The token is meant for somebody else.",
        ),
    ],
    ids=["none", "expired", "for another"],
)
def test_a_call_without_a_good_token_is_unauthenticated(
    channel: grpc.Channel,
    server: GrpcServer,
    metadata: tuple[tuple[str, str], ...],
    code: grpc.StatusCode,
    details: str,
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/test.Letters/Shout")(b"hello", metadata=metadata, timeout=PATIENCE_SECONDS)
    assert (caught.value.code(), caught.value.details()) == (code, details)
    assert server.letters.metadata == []


def test_a_caller_without_the_scope_is_denied(server: GrpcServer) -> None:
    with (
        Gateway(calls(server, letters={"scope": "letters:write"})) as gateway,
        grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        channel.unary_unary("/test.Letters/Shout")(b"hello", metadata=with_token(), timeout=PATIENCE_SECONDS)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_method_without_a_route_is_unimplemented(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/test.Numbers/Add")(b"", metadata=with_token(), timeout=PATIENCE_SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_server_that_is_away_is_unavailable(server: GrpcServer) -> None:
    gone = calls(server)
    gone["upstreams"]["letters"]["targets"] = "http://127.0.0.1:1"
    with (
        Gateway(gone) as gateway,
        grpc.insecure_channel(f"127.0.0.1:{gateway.port}") as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        channel.unary_unary("/test.Letters/Shout")(b"hello", metadata=with_token(), timeout=PATIENCE_SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_call_that_is_cancelled_is_cancelled_at_the_server(channel: grpc.Channel, server: GrpcServer) -> None:
    letters = channel.unary_stream("/test.Letters/Sleep")(b"z", metadata=with_token(), timeout=PATIENCE_SECONDS)
    assert next(letters) == b"z"
    letters.cancel()
    assert server.letters.woken.wait(PATIENCE_SECONDS)


def test_a_call_past_its_deadline_is_ended_on_both_sides(channel: grpc.Channel, server: GrpcServer) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(channel.unary_stream("/test.Letters/Sleep")(b"", metadata=with_token(), timeout=0.5))
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert server.letters.woken.wait(PATIENCE_SECONDS)
    assert 0 < server.letters.seconds_left[0] <= 0.5


def test_a_late_call_is_told_so_behind_what_it_got() -> None:
    def begin(served: ServedFrames, asked: Asked) -> None:
        kind = (b"content-type", b"application/grpc")
        served.put(served.head(asked.stream, fields_of(kind)), DataFrame(asked.stream, b"a message"))

    call = asked(
        b"/open/a",
        (b"content-type", b"application/grpc"),
        (b"grpc-timeout", b"500m"),
        (b"te", b"trailers"),
        method=b"POST",
    )
    with FrameServer() as server:
        server.play(begin)
        calls_at_all = {"open": {"grpc": True}}
        with Gateway(through(server.url, routes=calls_at_all)) as gateway, FrameClient(gateway.port) as client:
            answer = client.ask(call, body=b"a question")
            assert (answer.status, bytes(answer.body), answer.ended) == (200, b"a message", True)
            assert answer.heads[1][b"grpc-status"] == b"4"
            until(lambda: [line["reason"] for line in gateway.log()] == ["deadline_passed"])


def test_many_calls_share_a_connection(gateway: Gateway, channel: grpc.Channel) -> None:
    shout = channel.unary_unary("/test.Letters/Shout")
    asked = [shout.future(b"%d" % number, metadata=with_token(), timeout=PATIENCE_SECONDS) for number in range(50)]
    assert [call.result() for call in asked] == [b"%d" % number for number in range(50)]
    assert gateway.call(lambda: gateway.embedded.worker.counters.connections) == 1
    until(lambda: gateway.call(lambda: gateway.embedded.worker.in_flight) == 0)
