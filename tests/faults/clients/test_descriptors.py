"""A worker that runs out of descriptors stops accepting for a while, and nothing worse (REL-20, REL-80)."""

from __future__ import annotations

import resource
import socket
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.faults.clients.quick_upstream import QuickUpstream
from tests.faults.clients.served import gateway, pids, processor_seconds
from tests.faults.harness.figures import Figures, recovery_seconds
from tests.integration.rig import request

MOST, CLIENTS = 256, 400
PAUSE_SECONDS = 2.0


def answered(client: socket.socket) -> int:
    """The status of the answer that has come so far; 0: none, -1: the end."""
    client.setblocking(False)
    try:
        data = client.recv(65536)
    except BlockingIOError:
        return 0
    except OSError:
        return -1
    return int(data.split()[1]) if data else -1


def test_rel_80_400_connections_and_256_descriptors(tmp_path: Path) -> None:
    with QuickUpstream(seconds=0.5) as upstream, gateway(tmp_path, upstream.url) as process, ExitStack() as opened:
        (worker,) = process.workers()
        what = "400 connections, 256 descriptors"
        with Figures("REL-80", what, pids=lambda: pids(process), log=process.journal) as figures:
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (MOST, MOST))
            clients = []
            for _ in range(CLIENTS):
                client = opened.enter_context(socket.create_connection(("127.0.0.1", process.ports[0]), timeout=30))
                client.sendall(request())
                clients.append(client)
            process.until(lambda: process.events("overload_began"))
            computed = processor_seconds(worker)
            time.sleep(PAUSE_SECONDS)
            computed = processor_seconds(worker) - computed
            statuses = Counter(map(answered, clients))
            figures.note("statuses", dict(statuses))
            figures.note("processor_seconds_while_paused", computed)
            assert computed < PAUSE_SECONDS / 4, "it spins"
            assert set(statuses) <= {0, 200, 502, 503}, statuses
            assert statuses[200] > 0
            assert statuses[0] > 0, "nobody waits"
            assert process.get("/livez", listener=-1)[0] == 200
            assert process.metric("jwtgate_overloaded") == 1
            for client in clients:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
                client.close()
            figures.note("recovery_seconds", recovery_seconds(lambda: serves(process.ports[0]), most_seconds=10))
            process.until(lambda: process.events("overload_ended"))
            assert process.workers() == [worker], "it died"
        assert figures.log_events()["overload_began"] == figures.log_events()["overload_ended"] == 1


def serves(port: int) -> bool:
    """Whether somebody new is answered at once."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as client:
        client.sendall(request())
        return client.recv(65536).startswith(b"HTTP/1.1 200 ")
    return False
