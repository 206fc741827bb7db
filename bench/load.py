"""One measured run: a load against one gateway, and what that gateway spent on it."""

import http.client
import json
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .processes import LOAD_CPU, cpu_used, pinned

CONNECTIONS = 64
SCRIPT = Path(__file__).parent / "load.lua"


@dataclass(frozen=True, slots=True)
class Measure:
    """One run. `busy` is the share of one CPU the gateway used: below 1 the load side was the limit.

    `sent_p99_ms` counts from the real sending where `p99_ms` counts from the time a request was meant for; `uneven`
    is the share of the gateway's CPU time that its busiest process used.
    """

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    user_us: float
    busy: float
    sent_p99_ms: float
    uneven: float


def measure(
    pid: int, port: int, requests: Path, *, seconds: float, order: str = "repeat", scheme: str = "http"
) -> Measure:
    """Load the gateway for some seconds.

    `order` "once" sends each line of the file a single time, "paths" each of them with another path every time.
    Raises RuntimeError when any answer was not a 200 or a connection broke: such a number means nothing.
    """
    wrk = pinned(wrk_command(port, requests, seconds=seconds, order=order, scheme=scheme), LOAD_CPU)
    return measured(pid, [wrk], seconds=seconds)


def wrk_command(
    port: int, requests: Path, *, seconds: float, order: str, connections: int = CONNECTIONS, scheme: str = "http"
) -> Sequence[str]:
    """wrk with one thread, which tells its run in one JSON line."""
    duration = f"{max(1, round(seconds))}s"
    url, script = f"{scheme}://127.0.0.1:{port}", str(SCRIPT)
    return ["wrk", "-t1", f"-c{connections}", f"-d{duration}", "-s", script, url, "--", str(requests), order]


def measured(pid: int, loads: Sequence[Sequence[str]], *, seconds: float) -> Measure:
    """What these loads tell together, which run at the same time, and what the gateway spent on them.

    Rates are added, latencies are those of the slowest. Raises RuntimeError when any of them was not clean.
    """
    before = cpu_used(pid)
    with ThreadPoolExecutor(len(loads)) as pool:
        told = list(pool.map(partial(_told, seconds=seconds + 60), loads))
    after = cpu_used(pid)
    count, longest = sum(one["requests"] for one in told), max(one["seconds"] for one in told)
    runs = [used - before.run_seconds.get(member, 0.0) for member, used in after.run_seconds.items()]
    run_seconds = sum(runs)
    return Measure(
        requests=int(count),
        rate=sum(one["requests"] / one["seconds"] for one in told),
        p50_ms=max(one["p50_ms"] for one in told),
        p99_ms=max(one["p99_ms"] for one in told),
        cpu_us=run_seconds / count * 1e6,
        user_us=(after.user_seconds - before.user_seconds) / count * 1e6,
        busy=run_seconds / longest,
        sent_p99_ms=max(one.get("sent_p99_ms", one["p99_ms"]) for one in told),
        uneven=max(runs) / run_seconds,
    )


def _told(load: Sequence[str], *, seconds: float) -> dict[str, float]:
    run = subprocess.run(load, capture_output=True, text=True, timeout=seconds)
    if run.returncode:
        raise RuntimeError(f"the load ended with {run.returncode}: {run.stderr[-500:]}")
    told: dict[str, float] = json.loads(run.stdout.strip().splitlines()[-1])
    if told["refused"] or told["broken"] or not told["requests"]:
        raise RuntimeError(f"not a clean run: {told}")
    return told


def status(port: int, path: str, authorization: str | None, *, seconds: float, scheme: str = "http") -> int:
    """The status of one request, answered within so many seconds."""
    fields: Mapping[str, str] = {} if authorization is None else {"Authorization": authorization}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    if scheme == "https":  # whose certificate is made for the run
        unverified = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=seconds, context=unverified)
    try:
        connection.request("GET", path, headers=fields)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
