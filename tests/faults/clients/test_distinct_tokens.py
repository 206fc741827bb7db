"""A million different tokens, good and bad: what is remembered of them ends at its bounds (REL-18, REL-78)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.clients.quick_upstream import QuickUpstream
from tests.faults.clients.served import gateway, pids, resident_bytes
from tests.faults.harness.figures import Figures
from tests.integration.gateway_process import GatewayProcess
from tests.integration.rig import OTHER_KEY, request, token

CONNECTIONS = 8
LIMITS = {"remembered_outcomes": 2_000}
"""Of the shortened run, so that it reaches the bounds as well."""


async def send(port: int, count: int, made: Callable[[int], str], first: int) -> Counter[int]:
    """Send requests with these tokens over a few connections; how often each status came."""
    statuses: Counter[int] = Counter()
    numbers = iter(range(first, first + count))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            writer.write(request("/orders/1", bearer=made(number)))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            statuses[int(head.split()[1])] += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return statuses


@pytest.mark.parametrize(("kind", "status"), [("valid", 200), ("invalid", 401)])
def test_rel_78_memory_ends_at_its_bounds(tmp_path: Path, full: bool, kind: str, status: int) -> None:
    count = 1_000_000 if full else 7_500
    least = count // 5 if full else count * 2 // 3
    key = {} if kind == "valid" else {"key": OTHER_KEY}

    def made(number: int) -> str:
        return token(sub=f"user-{number}", jti=str(number), **key)

    with (
        QuickUpstream() as upstream,
        gateway(tmp_path, upstream.url, **({} if full else {"limits": LIMITS})) as process,
    ):
        (worker,) = process.workers()
        what = f"{count} distinct {kind} tokens"
        with Figures("REL-78", what, pids=lambda: pids(process), log=process.journal) as figures:
            port = process.ports[0]
            statuses = asyncio.run(send(port, least, made, 0))
            early = resident_bytes(worker)
            statuses += asyncio.run(send(port, count - least, made, least))
            late = resident_bytes(worker)
            figures.note("statuses", dict(statuses))
            figures.note("worker_MiB_early", early / 2**20)
            figures.note("worker_MiB_late", late / 2**20)
            figures.note("growth_percent", (late / early - 1) * 100)
            note_caches(process, figures)
            assert set(statuses) == {status}
            assert late <= early * (1.05 if full else 1.15)  # of a small process a little is much


def note_caches(process: GatewayProcess, figures: Figures) -> None:
    figures.note("outcomes_remembered", process.metric("jwtgate_remembered_entries"))
    figures.note("outcomes_evicted", process.metric("jwtgate_remembered_evictions_total"))
    figures.note("entries_of_other_caches", process.metric("jwtgate_cache_entries"))
    figures.note("evictions_of_other_caches", process.metric("jwtgate_cache_evictions_total"))
