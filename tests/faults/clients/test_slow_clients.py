"""Slow clients cost a bounded slot for a bounded time, and others nothing (REL-19, REL-76)."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from tests.faults.clients.quick_upstream import QuickUpstream
from tests.faults.clients.served import MIB, gateway, pids
from tests.faults.harness.figures import Figures
from tests.faults.harness.load import Load
from tests.integration.rig import Client, Flow, Message, Served, Upstream, document, request, response, token

SLOW_HEADS, SLOW_BODIES = 200, 20
LARGE = 100 * MIB


class Trickle:
    """Clients that send a byte each second, until all of them were cut."""

    def __init__(self, clients: list[Client], rest: bytes) -> None:
        self._clients = clients
        self._rest = rest
        self.statuses: list[int] = []
        self.slowest = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        began, open_ = time.monotonic(), list(self._clients)
        for at in count():
            if not open_:
                return
            time.sleep(1)
            for client in list(open_):
                if client.has_news():
                    answer = client.message()
                    self.statuses.append(answer.status if answer is not None else 0)
                    self.slowest = time.monotonic() - began
                    open_.remove(client)
                else:
                    client.send(self._rest[at : at + 1])


def pouring(served: Served, _: Message) -> None:
    served.send(response(b"", length=LARGE))
    Flow().pour(served, LARGE)


def test_rel_76_slow_clients_cost_others_nothing(tmp_path: Path, full: bool) -> None:
    seconds = 10.0 if full else 3.0
    limits = {"head_seconds": seconds, "body_idle_seconds": seconds}
    with QuickUpstream() as upstream, Upstream(pouring) as large, ExitStack() as opened:
        slow = document(upstream.url)["upstreams"]["echo"] | {"idle_seconds": seconds}
        more = {"upstreams": {"large": {**slow, "targets": [large.url]}}}
        routes = {"large": {"path": "/large/*", "auth": "none", "upstream": "large"}}
        process = opened.enter_context(gateway(tmp_path, upstream.url, limits=limits, routes=routes, **more))
        port = process.ports[0]
        what = f"{SLOW_HEADS} slow heads, {SLOW_BODIES} slow bodies, a reader of 100 MiB that stops"
        with Figures("REL-76", what, pids=lambda: pids(process), log=process.journal) as figures:
            with Load(port, token=token(), pause_seconds=0.005) as load:
                load.more(400)
                began = time.monotonic()
                reader = opened.enter_context(Client(port))
                reader.send(request("/large/a"))
                heads = [opened.enter_context(Client(port)) for _ in range(SLOW_HEADS)]
                bodies = [opened.enter_context(Client(port)) for _ in range(SLOW_BODIES)]
                for client in bodies:
                    client.send(request("/large/a", "Content-Length: 1000", method="POST"))
                slow_heads = Trickle(heads, request("/open/" + "a" * 100))
                slow_bodies = Trickle(bodies, b"x" * 1000 if full else b"")
                slow_heads.join()
                slow_bodies.join()
                ended = time.monotonic()
                load.more(400)
            figures.note_load(load, began=began, ended=ended)
            figures.note("heads_cut_after_seconds", slow_heads.slowest)
            figures.note("bodies_cut_after_seconds", slow_bodies.slowest)
            assert slow_heads.statuses == [408] * SLOW_HEADS
            assert slow_bodies.statuses == [408] * SLOW_BODIES
            # Without the limits each would go on for minutes.
            assert slow_heads.slowest < seconds + (4 if full else 20)
            assert slow_bodies.slowest < seconds + (10 if full else 20)
            assert (load.dropped, load.wrong(200)) == (0, 0)
            before, during = (load.percentile(99, since, until) for since, until in ((0, began), (began, ended)))
            assert during <= max(2 * before, 50 if full else 250)
            process.until(lambda: [line for line in process.log() if line["reason"] == "client_slow"])
            assert figures.memory[1] - figures.memory[0] < 16 * MIB
