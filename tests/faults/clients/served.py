"""A gateway of processes, as the scenarios of clients need it: one worker, and health on an address of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.integration.gateway_process import GatewayProcess
from tests.integration.rig import document

MIB = 1024 * 1024
PAGE = os.sysconf("SC_PAGE_SIZE")


def gateway(folder: Path, upstream: str, *, workers: int = 1, **changes: Any) -> GatewayProcess:
    """Not yet started. `/orders/*` asks for a token, `/open/*` does not; the last listener is for health."""
    whole = document(upstream, status_listen="127.0.0.1:0", **changes)
    return GatewayProcess(folder, json.dumps(whole), workers=workers)


def pids(gateway: GatewayProcess) -> list[int]:
    """All processes of this gateway; none when it has stopped."""
    try:
        return [gateway.process.pid, *gateway.workers()]
    except OSError:
        return []


def resident_bytes(*pids: int) -> int:
    """What these processes hold of memory together."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE for pid in pids)


def processor_seconds(pid: int) -> float:
    """How long this process has computed so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid: int) -> int:
    """How many descriptors this process holds."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
