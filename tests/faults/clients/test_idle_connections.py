"""What a connection costs that is kept and not used (REL-16, PERF-12)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.clients.quick_upstream import QuickUpstream
from tests.faults.clients.served import gateway, pids, resident_bytes
from tests.faults.harness.figures import Figures
from tests.integration.rig import request, token

MOST_KIB = 16


async def kept(port: int, count: int, ask: bytes, meanwhile: object) -> None:
    """Open so many connections, use each once, and hold them while `meanwhile` is called."""
    writers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ask)
        assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
        writers.append(writer)
    await asyncio.to_thread(meanwhile)  # type: ignore[arg-type]
    for writer in writers:
        writer.transport.abort()


def test_rel_16_idle_connections_are_cheap(tmp_path: Path, full: bool) -> None:
    count = 10_000 if full else 1_000
    limits = {"keep_alive_seconds": 600.0, "connections": count + 100}
    with QuickUpstream() as upstream, gateway(tmp_path, upstream.url, limits=limits) as process:
        (worker,) = process.workers()
        asyncio.run(kept(process.ports[0], 100, request("/orders/1", bearer=token()), lambda: None))
        process.until(lambda: process.metric("jwtgate_connections_open") <= 1)
        what = f"{count} idle connections, each used once"
        with Figures("REL-16", what, pids=lambda: pids(process), log=process.journal) as figures:
            before = resident_bytes(worker)

            def look() -> None:
                process.until(lambda: process.metric("jwtgate_connections_open") > count)
                cost = (resident_bytes(worker) - before) / count / 1024
                figures.note("KiB_for_each_connection", cost)
                assert cost < MOST_KIB
                status, _ = process.get("/orders/1", token=token())
                assert status == 200

            asyncio.run(kept(process.ports[0], count, request("/orders/1", bearer=token()), look))
            process.until(lambda: process.metric("jwtgate_connections_open") <= 1)
