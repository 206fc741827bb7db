"""A real gRPC server, whose messages are plain bytes, and a channel to talk to it through a gateway."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import grpc

SERVICE = "test.Letters"


class Letters(grpc.GenericRpcHandler):
    """One method of every kind."""

    def __init__(self) -> None:
        self.metadata: list[dict[str, str | bytes]] = []
        self.ended: list[str] = []
        self.seconds_left: list[float] = []
        self.woken = threading.Event()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        self.metadata.append(dict(details.invocation_metadata))
        match details.method:
            case "/test.Letters/Shout":
                return grpc.unary_unary_rpc_method_handler(self._shout)
            case "/test.Letters/Spell":
                return grpc.unary_stream_rpc_method_handler(self._spell)
            case "/test.Letters/Join":
                return grpc.stream_unary_rpc_method_handler(self._join)
            case "/test.Letters/Echo":
                return grpc.stream_stream_rpc_method_handler(self._echo)
            case "/test.Letters/Refuse":
                return grpc.unary_unary_rpc_method_handler(self._refuse)
            case "/test.Letters/Break":
                return grpc.unary_stream_rpc_method_handler(self._break)
            case "/test.Letters/Sleep":
                return grpc.unary_stream_rpc_method_handler(self._sleep)
        return None

    def _shout(self, word: bytes, context: grpc.ServicerContext) -> bytes:
        context.send_initial_metadata((("x-first", "1"),))
        context.set_trailing_metadata((("x-last", "2"), ("x-user-id", "mallory"), ("x-other", "3")))
        return word.upper()

    def _spell(self, word: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        for letter in word:
            yield bytes((letter,))

    def _join(self, letters: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return b"".join(letters)

    def _echo(self, letters: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for letter in letters:
            yield letter.upper()

    def _refuse(self, word: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("x-last", "2"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"no {word.decode()} here; é")

    def _break(self, word: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield word
        context.abort(grpc.StatusCode.DATA_LOSS, "half of it")

    def _sleep(self, word: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        self.seconds_left.append(context.time_remaining() or 0.0)
        context.add_callback(self.woken.set)
        if word:
            yield word
        while context.is_active() and not self.woken.is_set():
            time.sleep(0.01)


class GrpcServer:
    """Listens inside `with`."""

    def __init__(self) -> None:
        self.letters = Letters()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8), handlers=(self.letters,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(grace=None).wait()
