"""PERF-12: what our gateway holds in memory, idle, with remembered tokens, and with very many consumers."""

from collections.abc import Iterator
from pathlib import Path

from .consumers import crowd
from .contestants import started
from .load import measure
from .ours import HOT_ROUTES, prefixes
from .processes import family
from .report import Row, Target
from .rows import COLD_TOKENS, HOT_TOKENS, Bench
from .tokens import write_requests

CACHED_TOKENS, CONSUMERS = 100_000, 1_000_000
MOST_MB = {"idle": 60, "cached": 250, "consumers": 300}


def memory_rows(bench: Bench) -> list[Row]:
    """One worker idle and with 100 000 tokens met; the whole node with a million consumers."""
    return [*_worker_rows(bench), _node_row(bench)]


def _worker_rows(bench: Bench) -> Iterator[Row]:
    tokens = bench.keys.tokens(HOT_TOKENS + COLD_TOKENS, CACHED_TOKENS)
    requests = write_requests(bench.place.folder / "memory.requests", tokens, _paths())
    with started(bench.ours(), bench.place) as gateway:
        yield _row("one worker, idle", max(map(_resident_mb, family(gateway.pid)[1:])), MOST_MB["idle"])
        # Each token is sent once, which takes about half of these seconds.
        measure(gateway.pid, gateway.port, requests, seconds=150, order="once")
        held = max(map(_resident_mb, family(gateway.pid)[1:]))
        yield _row(f"one worker, {CACHED_TOKENS:,} tokens met", held, MOST_MB["cached"])


def _node_row(bench: Bench) -> Row:
    many = crowd(bench.place, CONSUMERS, tokens=10_000, paths=_paths())
    with started(many.contestant, many.place) as gateway:
        measure(gateway.pid, gateway.port, many.requests, seconds=bench.settings.seconds)
        held = sum(map(_resident_mb, family(gateway.pid)))
        note = "Supervisor and worker together, 10 000 of the consumers met."
        return _row(f"the node, {CONSUMERS:,} consumers", held, MOST_MB["consumers"], note)


def _row(title: str, held: float, most: float, note: str = "") -> Row:
    target = Target(1.0, 1.0, least=False)
    return Row(
        "PERF-12", f"resident memory, {title}", f"{held:.0f} MB", f"{most:.0f} MB", held / most, "1", target, note
    )


def _paths() -> list[str]:
    return [f"{place}/1" for place in prefixes(HOT_ROUTES)]


def _resident_mb(pid: int) -> float:
    """The resident memory of one process; what two share counts for each."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1000
