"""The harness itself: a server that drops requests or answers wrongly is seen to do so, and a good gateway is not."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

import pytest
from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.integration.gateway_process import GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.ports import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
SLOW = b"slow"
DOCUMENT = """
listen: "127.0.0.1:0"
status_listen: "127.0.0.1:0"
upstreams: {{echo: {{targets: {upstream!r}}}}}
routes: {{all: {{path: "/*", auth: none, upstream: echo}}}}
"""


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """The port of a server that gives these answers in turn, each connection anew, and then ends the connection."""
    with create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    taken, _ = listening.accept()
                except OSError:
                    return
                with taken:
                    for answer in answers:
                        if not taken.recv(65536):
                            break
                        if answer == SLOW:
                            time.sleep(0.2)
                        taken.sendall(OK if answer == SLOW else answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(2)
            thread.join()


def loaded(*answers: bytes, requests: int = 20, replays: int = 0) -> Load:
    """What a load of one connection counted at a server that answers so."""
    with (
        answering(*answers) as port,
        Load(port, token="a.b.c", connections=1, replays=replays, patience_seconds=2) as load,
    ):
        load.until(requests)
    return load


def test_a_good_server_drops_nothing() -> None:
    load = loaded(OK, OK, LAST)
    assert (load.dropped, load.wrong(200), load.refused) == (0, 0, 0)
    assert load.opened >= 6


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
        b"nonsense\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_whole_and_valid_is_a_dropped_request(answer: bytes) -> None:
    load = loaded(answer)
    assert (load.dropped, load.statuses.total()) == (load.requests, 0)


def test_another_status_is_wrong_and_not_dropped() -> None:
    load = loaded(OK, LAST.replace(b"200 OK", b"503 Service Unavailable"), requests=21)
    assert (load.dropped, load.wrong(200)) == (0, load.statuses[503])
    assert load.wrong(200) >= 10


def test_chunked_and_interim_answers_are_read_to_their_end() -> None:
    chunked = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    assert loaded(chunked, chunked, LAST).dropped == 0


def test_a_connection_that_ends_as_a_request_is_on_its_way_is_a_drop_unless_it_may_be_sent_anew() -> None:
    assert loaded(OK, b"").dropped > 0
    load = loaded(OK, b"", replays=1)
    assert load.dropped == 0
    assert load.replayed > 0


def test_a_first_request_without_an_answer_is_never_sent_anew() -> None:
    assert loaded(b"", replays=3).dropped >= 20


def test_connections_that_are_refused_are_counted_as_such() -> None:
    port = free_port()
    with Load(port, token=None) as load:
        recovery_seconds(lambda: load.refused > 8, most_seconds=30)
    assert (load.requests, load.dropped) == (0, 0)


def test_percentiles_are_those_of_the_time_asked_for() -> None:
    with answering(*[OK] * 5, *[SLOW] * 3) as port, Load(port, token=None, connections=1) as load:
        load.until(5)
        later = time.monotonic()
        load.until(8)
    assert load.percentile(50, until=later) < 200 <= load.percentile(99, since=later)
    assert load.percentile(50, since=time.monotonic()) == 0


def test_figures_are_printed_and_kept_whether_it_held_or_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, log = tmp_path / "figures", tmp_path / "journal"
    log.write_text('{"event": "serving"}\n')
    monkeypatch.setenv("FAULTS_FIGURES", str(kept))
    figures = Figures("REL-1", "memory is taken", log=log)

    def fail() -> None:
        figures.note("dropped", 0)
        taken = bytearray(os.urandom(64 << 20))
        with log.open("a") as file:
            file.write('{"event": "reloaded"}\n{"event": "message", "text": "issuer main: works again"}\n')
        recovery_seconds(lambda: figures.memory[1] - figures.memory[0] > 32 << 20, most_seconds=30)
        del taken
        raise LookupError

    with pytest.raises(LookupError), figures:
        fail()
    told = json.loads(kept.read_text())
    assert told == json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["figures"], told["scenario"]) == ("failed", {"dropped": 0}, "REL-1")
    assert told["log"] == {"reloaded": 1, "issuer main: works again": 1}
    assert told["memory"][2] < told["memory"][1]


def test_a_real_gateway_drops_nothing_across_a_reload(tmp_path: Path) -> None:
    with LoopbackServer() as upstream, GatewayProcess(tmp_path, DOCUMENT.format(upstream=upstream.url)) as gateway:
        figures = Figures("REL-2", "the harness at a gateway", pids=gateway.pids, log=gateway.journal)
        with figures, Load(gateway.ports[0], token=None, connections=2) as load:
            load.more(50)
            began = time.monotonic()
            gateway.reload()
            ended = time.monotonic()
            load.more(50)
            figures.note_load(load, began=began, ended=ended)
    assert (load.dropped, load.wrong(200), load.refused) == (0, 0, 0)
    assert figures.log_events()["reloaded"] == 1
    assert figures.memory[0] > 20 << 20
    assert min(figures.descriptors) > 10
