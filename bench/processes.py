"""Processes of one run: started on a chosen CPU, waited for, measured through /proc, always stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

GATEWAY_CPU, LOAD_CPU = 0, 1
STOP_SECONDS = 10.0
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cpu:
    """What a family of processes used so far: scheduler run time of each by pid, and the user part of all."""

    run_seconds: dict[int, float]
    user_seconds: float


def pinned(command: Sequence[str], *cpus: int) -> list[str]:
    """The command, bound to these CPUs."""
    return ["taskset", "-c", ",".join(map(str, cpus)), *command]


@contextlib.contextmanager
def on_cpu(cpu: int) -> Iterator[None]:
    """This process bound to one CPU for a while."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def running(command: Sequence[str], port: int, *, cpu: int, log: Path, seconds: float) -> Iterator[int]:
    """The pid of the command, once it listens on `port`; it is stopped at the end, whatever happens."""
    with log.open("ab") as out:
        # A session of its own: Ctrl-C reaches only us, and we stop it in order.
        process = subprocess.Popen(
            pinned(command, cpu), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _wait_until_listening(process, port, log=log, seconds=seconds)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, *, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"did not listen on {port} within {seconds:.0f} s:\n{log.read_text()[-2000:]}")


def family(pid: int) -> list[int]:
    """This process and all its descendants."""
    pids = [pid]
    for parent in pids:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            pids += [int(child) for child in children.read_text().split()]
    return pids


def cpu_used(pid: int) -> Cpu:
    """What the process and its descendants have used since they started."""
    runs, user_seconds = {}, 0.0
    for member in family(pid):
        folder = Path(f"/proc/{member}")
        runs[member] = sum(int(task.read_text().split()[0]) for task in folder.glob("task/*/schedstat")) / 1e9
        # The name may hold spaces: fields are counted after its closing parenthesis; utime is the 14th.
        user_seconds += int((folder / "stat").read_text().rpartition(")")[2].split()[11]) * _TICK_SECONDS
    return Cpu(runs, user_seconds)
