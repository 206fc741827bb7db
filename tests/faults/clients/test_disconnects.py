"""Clients that go in the middle of a body take their requests with them, and leave nothing behind (REL-22, REL-75)."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.clients.served import descriptors, gateway, pids, resident_bytes
from tests.faults.harness.figures import Figures
from tests.integration.gateway_process import GatewayProcess
from tests.integration.rig import Client, Message, Served, Upstream, request, until

PATIENT_SECONDS = 5.0
"""Instead of one, beside others: far less than any limit that would end them as well."""
PIECE = b"2710\r\n" + bytes(10_000) + b"\r\n"


def endless(served: Served, _: Message) -> None:
    served.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with suppress(OSError):
        while True:
            served.sock.sendall(PIECE)


def go_away(number: int, port: int, upstream: Upstream) -> float:
    """Leave in the middle of a body, and give the seconds until the upstream knows."""
    before = len(upstream.connections)
    with Client(port) as client:
        if number % 2:
            client.send(request("/open/a", "Content-Length: 1000000", method="POST") + bytes(50_000))
            until(lambda: len(upstream.connections) > before)
        else:
            client.send(request())
            client.exactly(100_000)
        began = time.monotonic()
        if number % 4 < 2:
            client.reset()
    until(lambda: all(served.end for served in upstream.connections[before:]))
    return time.monotonic() - began


def at_rest(process: GatewayProcess) -> bool:
    """Whether no request and no connection of a client is left but the one that asks."""
    return process.metric("jwtgate_requests_in_flight") <= 1 and process.metric("jwtgate_connections_open") <= 1


def test_rel_75_clients_that_go_leave_nothing_behind(tmp_path: Path, full: bool) -> None:
    count = 500 if full else 60
    with Upstream(endless) as upstream, gateway(tmp_path, upstream.url) as process:
        (worker,) = process.workers()
        for number in range(count // 2):  # what is made once is made
            go_away(number, process.ports[0], upstream)
        process.until(lambda: at_rest(process))
        what = f"{count} clients gone in the middle of an upload or a download"
        with Figures("REL-75", what, pids=lambda: pids(process), log=process.journal) as figures:
            held, opened = resident_bytes(worker), descriptors(worker)
            seconds = sorted(go_away(number, process.ports[0], upstream) for number in range(count))
            figures.note("cancel_seconds_p99", seconds[count * 99 // 100])
            figures.note("slowest_cancel_seconds", seconds[-1])
            process.until(lambda: at_rest(process))
            until(lambda: descriptors(worker) <= opened)
            grown = resident_bytes(worker) / held
            figures.note("memory_of_the_worker", grown)
            assert seconds[-1] < (1.0 if full else PATIENT_SECONDS)
            assert grown < 1.05
            gone = [line for line in process.log() if line["reason"] in ("client_gone", "client_slow")]
            figures.note("logged_as_gone", len(gone))
        assert not process.events("worker_failed", "message")


def test_rel_22_a_client_that_goes_while_the_upstream_takes_nothing_is_missed(tmp_path: Path, full: bool) -> None:
    over = threading.Event()
    routes = {"open": {"body_limit_bytes": 100_000_000}}
    with Upstream() as upstream, gateway(tmp_path, upstream.url, routes=routes) as process:
        upstream.on_connect = lambda served: over.wait(30)
        with Figures("REL-22", "a client gone while its upstream takes nothing", pids=lambda: pids(process)) as figures:
            with Client(process.ports[0]) as client:
                client.send(request("/open/a", "Content-Length: 50000000", method="POST"))
                client.sock.settimeout(0.5)
                with suppress(TimeoutError):
                    while True:
                        client.sock.sendall(bytes(1_000_000))
                # The end of one that closes would wait behind what it has not sent yet, where nobody can see it.
                client.reset()
                began = time.monotonic()
                process.until(lambda: at_rest(process))
                figures.note("seconds", time.monotonic() - began)
                assert time.monotonic() - began < (1.0 if full else PATIENT_SECONDS)
            over.set()
