"""One measured run: wrk against one gateway, and what that gateway spent on it."""

import http.client
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .processes import LOAD_CPU, cpu_used, pinned

CONNECTIONS = 64
SCRIPT = Path(__file__).parent / "load.lua"


@dataclass(frozen=True, slots=True)
class Measure:
    """One run. `busy` is the share of one CPU the gateway used: below 1 the load side was the limit."""

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    user_us: float
    busy: float


def measure(pid: int, port: int, requests: Path, *, seconds: float, order: str = "repeat") -> Measure:
    """Load the gateway for some seconds. `order` "once" sends each line of the file a single time.

    Raises RuntimeError when any answer was not a 200 or a connection broke: such a number means nothing.
    """
    url = f"http://127.0.0.1:{port}"
    duration = f"{max(1, round(seconds))}s"
    wrk = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{duration}",
        "-s",
        str(SCRIPT),
        url,
        "--",
        str(requests),
        order,
    ]
    before = cpu_used(pid)
    run = subprocess.run(pinned(wrk, LOAD_CPU), check=True, capture_output=True, text=True, timeout=seconds + 60)
    after = cpu_used(pid)
    told = json.loads(run.stdout.strip().splitlines()[-1])
    if told["refused"] or told["broken"] or not told["requests"]:
        raise RuntimeError(f"not a clean run: {told}")
    count = told["requests"]
    run_seconds = after.run_seconds - before.run_seconds
    return Measure(
        requests=count,
        rate=count / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_us=run_seconds / count * 1e6,
        user_us=(after.user_seconds - before.user_seconds) / count * 1e6,
        busy=run_seconds / told["seconds"],
    )


def status(port: int, path: str, authorization: str | None, *, seconds: float) -> int:
    """The status of one request, answered within so many seconds."""
    fields: Mapping[str, str] = {} if authorization is None else {"Authorization": authorization}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path, headers=fields)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
