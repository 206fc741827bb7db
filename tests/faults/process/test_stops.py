"""Stopping under load, and with a client that never finishes (REL-54, REL-55)."""

import signal
import socket
import time
from pathlib import Path

from tests.faults.harness.figures import Figures
from tests.faults.harness.load import Load
from tests.faults.process.node import CLIENTS, running, token
from tests.integration.supervised import unfinished_request

DRAIN_SECONDS = 1


def test_rel_54_a_stop_lets_requests_finish_and_takes_no_more(tmp_path: Path, full: bool) -> None:
    seconds = 3 if full else 0
    what = f"SIGTERM while {CLIENTS} answers are {seconds} s away"
    with (
        running(tmp_path) as (gateway, upstream),
        Figures("REL-54", what, pids=gateway.pids, log=gateway.journal) as figures,
        Load(gateway.ports[0], token=token(), connections=CLIENTS, path="/held") as load,
    ):
        upstream.wait_until_held(CLIENTS)
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        gateway.until(lambda: not accepts(gateway.ports[0]))
        time.sleep(seconds)
        assert load.requests == 0
        upstream.let_go(CLIENTS)
        assert gateway.exit_status() == 0
        figures.note("recovery_seconds", time.monotonic() - began)
        load.until(CLIENTS)
        figures.note_load(load)
        assert (load.requests, load.dropped, load.wrong(200)) == (CLIENTS, 0, 0)
        assert figures.log_events() == {"stopping": 1, "stopped": 1}


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_rel_55_a_client_that_never_finishes_is_waited_for_no_longer_than_the_limit(tmp_path: Path) -> None:
    with (
        running(tmp_path, limits=f"{{drain_seconds: {DRAIN_SECONDS}}}") as (gateway, _),
        unfinished_request(gateway, token()) as client,
        Figures("REL-55", "SIGTERM with a body that never ends", pids=gateway.pids, log=gateway.journal) as figures,
    ):
        began = time.monotonic()
        gateway.signal(signal.SIGTERM)
        assert gateway.exit_status() == 0
        figures.note("drain_limit_seconds", DRAIN_SECONDS)
        figures.note("recovery_seconds", time.monotonic() - began)
        assert time.monotonic() - began >= DRAIN_SECONDS
        assert client.recv(100) == b""
