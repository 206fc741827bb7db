"""WebSocket messages across a reload and a stop: none is lost before the close frame (REL-4, REL-79)."""

from __future__ import annotations

import json
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.clients.served import gateway, pids
from tests.faults.harness.figures import Figures
from tests.integration.rig import document, until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

ROUTES = {"open": {"upgrade": "websocket"}}
GOING_AWAY = 1001
AHEAD = 8


class Echo:
    """A server of one connection, and what it sent back of what it got."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.code: int | None = None

    def serve(self, connection: ServerConnection) -> None:
        # Once it has answered a close frame its library sends nothing more: the last message may stay without answer.
        with suppress(ConnectionClosed):
            for message in connection:
                connection.send(message)
                self.sent.append(str(message))
        self.code = connection.close_code


class Talk:
    """Numbers sent one after the other, a few ahead of those that came back; `got` are the latter."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.got: list[str] = []
        for number in range(AHEAD):
            socket.send(str(number))

    def go_on(self, messages: int) -> None:
        """Get so many more. `ConnectionClosed`, with all that came before in `got`."""
        for _ in range(messages):
            self.got.append(str(self.socket.recv(20)))
            with suppress(ConnectionClosed):
                self.socket.send(str(len(self.got) + AHEAD - 1))


def test_rel_79_messages_across_a_reload_and_a_stop(tmp_path: Path, full: bool) -> None:
    messages = 10_000 if full else 2_000
    echo = Echo()
    with serve(echo.serve, "127.0.0.1", 0, max_size=None) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        upstream = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        try:
            with gateway(tmp_path, upstream, routes=ROUTES) as process:
                what = f"{messages} messages, a reload half way, a stop while the last are sent"
                with Figures("REL-79", what, pids=lambda: pids(process), log=process.journal) as figures:
                    url = f"ws://127.0.0.1:{process.ports[0]}/open/a"
                    with connect(url, compression=None, proxy=None, max_size=None) as socket:
                        talk = Talk(socket)
                        talk.go_on(messages // 2)
                        other = document(upstream, status_listen="127.0.0.1:0", routes=ROUTES, token_limit_bytes=8192)
                        assert process.reload(json.dumps(other))["event"] == "reloaded"
                        talk.go_on(messages // 2)
                        began = time.monotonic()
                        process.signal(signal.SIGTERM)
                        with suppress(ConnectionClosed):
                            talk.go_on(1_000_000)
                        figures.note("close_frame_after_seconds", time.monotonic() - began)
                        figures.note("client_close_code", socket.close_code)
                    until(lambda: echo.code is not None)
                    figures.note("upstream_close_code", echo.code)
                    figures.note("messages", len(talk.got))
                    figures.note("lost_before_the_close_frame", len(echo.sent) - len(talk.got))
                    assert talk.got == [str(number) for number in range(len(talk.got))]
                    assert echo.sent == talk.got
                    assert (socket.close_code, echo.code) == (GOING_AWAY, GOING_AWAY)
                    assert process.exit_status() == 0
        finally:
            server.shutdown()
            serving.join()
