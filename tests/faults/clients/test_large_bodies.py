"""A body of any size goes through in little memory, both ways (REL-16, REL-77)."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.faults.clients.served import MIB, gateway, pids
from tests.faults.harness.figures import Figures
from tests.integration.rig import Client, Flow, Message, Served, Upstream, request, response


def test_rel_77_a_gigabyte_each_way_is_streamed(tmp_path: Path, full: bool) -> None:
    whole = (1024 if full else 64) * MIB
    taken = Flow()

    def swallow(served: Served) -> None:
        while (head := served.upto(b"\r\n\r\n")) is not None:
            if head.startswith(b"POST"):
                taken.drink(served, whole)
                served.send(response())
            else:
                served.send(response(b"", length=whole))
                Flow().pour(served, whole)

    routes = {"open": {"body_limit_bytes": 2 * whole}}
    with Upstream(never) as upstream, gateway(tmp_path, upstream.url, routes=routes) as process:
        upstream.on_connect = swallow
        what = f"{whole // MIB} MiB up and then down, one after the other and both at once"
        with Figures("REL-77", what, pids=lambda: pids(process), log=process.journal) as figures:
            up(process.ports[0], whole)
            assert taken.moved == whole
            figures.note("grown_MiB_after_upload", grown(figures))
            down(process.ports[0], whole)
            figures.note("grown_MiB_after_download", grown(figures))
            taken.moved = 0
            both = [threading.Thread(target=way, args=(process.ports[0], whole)) for way in (up, down)]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()
            assert taken.moved == whole
            figures.note("grown_MiB", grown(figures))
            assert grown(figures) <= 32


def never(_: Served, message: Message) -> None:
    raise AssertionError(message)


def grown(figures: Figures) -> float:
    """How many MiB the gateway held at most beyond what it began with."""
    return (figures.memory[1] - figures.memory[0]) / MIB


def up(port: int, whole: int) -> None:
    with Client(port) as client:
        client.send(request("/open/a", f"Content-Length: {whole}", method="POST"))
        Flow().pour(client, whole)
        assert client.answer().status == 200


def down(port: int, whole: int) -> None:
    drunk = Flow()
    with Client(port) as client:
        client.send(request())
        assert (client.upto(b"\r\n\r\n") or b"").startswith(b"HTTP/1.1 200 ")
        drunk.drink(client, whole)
    assert drunk.moved == whole
