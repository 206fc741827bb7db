"""PERF-7: what a second worker on a second core adds, when every request has a token never seen before."""

import contextlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from operator import attrgetter
from pathlib import Path

from .cold import bare_us
from .contestants import Contestant, started, upstream
from .load import CONNECTIONS, Measure, measured, wrk_command
from .ours import HOT_ROUTES, document, serving
from .pairs import in_turn
from .processes import GATEWAY_CPU, LOAD_CPU, free_port, on_cpu, pinned
from .report import Row, Target
from .rows import HOT_TOKENS, Bench, hot_paths, spread, told_rate
from .tokens import write_requests

CORES = (GATEWAY_CPU, LOAD_CPU)
CONNECTIONS_A_CORE = CONNECTIONS // len(CORES)
WARM_SECONDS, MOST_A_SECOND, ROUNDS = 1.0, 4_000, 3
HOW = (
    f"Each core carries a worker, a load of {CONNECTIONS_A_CORE} connections with tokens of its own, and an upstream; "
    "one worker has all three on the first core, and the second core rests. So the second core brings the same share "
    "of everything, and the ratio is of requests a second as they were, with nothing subtracted."
)


def workers_row(bench: Bench) -> Row:
    """PERF-7: requests a second of two workers on two cores, against one worker on one core."""
    files = [_cold_requests(bench, number) for number in range(len(CORES))]
    two, one = partial(_run, bench, CORES, files), partial(_run, bench, CORES[:1], files[:1])
    found = in_turn(two, one, bench.settings.pairs, figure=attrgetter("rate"))
    by_cpu = len(CORES) * found.theirs.cpu_us / found.ours.cpu_us
    note = (
        f"The busier of the two workers did {found.ours.uneven:.0%} of their work. By the CPU time of the gateway "
        f"alone the ratio is {by_cpu:.2f}: {found.theirs.cpu_us:.0f} µs a request of one worker, "
        f"{found.ours.cpu_us:.0f} µs of two. Loops of bare `cryptography` on both cores at once did "
        f"{_bare_ratio(bench.place.folder):.2f} times the work of one loop in the same CPU time of each: what the "
        "cores themselves allow."
    )
    return Row(
        "PERF-7", "cold ES256, two workers on two cores ÷ one worker", told_rate(found.ours), told_rate(found.theirs),
        found.ratio, spread(found.ratios), Target(1.7, 1.95), found.note(HOW, note),
    )  # fmt: skip


def _cold_requests(bench: Bench, number: int) -> Path:
    """A file of tokens which only the load of this core sends, each a single time."""
    count = int(bench.settings.seconds * MOST_A_SECOND)
    tokens = bench.keys.tokens(HOT_TOKENS + number * count, count)
    return write_requests(bench.place.folder / f"cold-{number}.requests", tokens, hot_paths(HOT_ROUTES))


def _run(bench: Bench, cores: Sequence[int], files: Sequence[Path]) -> Measure:
    """A gateway with a worker a core, started anew so that every token is unknown to it."""
    seconds, hot = bench.settings.seconds, bench.requests("hot", hot_paths(HOT_ROUTES))
    with contextlib.ExitStack() as opened:
        ports = [opened.enter_context(upstream(_folder(bench, core), cpu=core)) for core in cores]
        gateway = opened.enter_context(started(_gateway(bench, cores, ports), bench.place))

        def loaded(requests: Sequence[Path], seconds: float) -> Measure:
            loads = [
                pinned(
                    wrk_command(gateway.port, file, seconds=seconds, order="once", connections=CONNECTIONS_A_CORE), core
                )
                for core, file in zip(cores, requests, strict=True)
            ]
            return measured(gateway.pid, loads, seconds=seconds)

        loaded([hot] * len(cores), WARM_SECONDS)  # every worker serves by then
        return loaded(files, seconds)


def _folder(bench: Bench, core: int) -> Path:
    """Where the upstream of this core has its files."""
    folder = bench.place.folder / f"upstream-{core}"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


def _gateway(bench: Bench, cores: Sequence[int], upstreams: Sequence[int]) -> Contestant:
    """Ours with a worker a core, free to run on all of these cores."""
    port, folder = free_port(), bench.place.folder
    targets = [f"http://127.0.0.1:{one}" for one in upstreams]
    written = document(folder, port, upstream=upstreams[0], routes=HOT_ROUTES, alg="ES256") | {
        "upstreams": {"echo": {"targets": targets}}
    }
    served = serving(f"jwtgate {len(cores)} workers", folder, port, written=written, workers=len(cores))
    return replace(served, command=pinned(served.command, *cores))


def _bare_ratio(folder: Path) -> float:
    """How much bare crypto all cores do at once, in multiples of what one does alone, by CPU time."""
    with ProcessPoolExecutor(len(CORES)) as pool:
        alone = min(pool.submit(_bare_on, CORES[0], folder).result() for _ in range(ROUNDS))
        rounds = [[pool.submit(_bare_on, core, folder) for core in CORES] for _ in range(ROUNDS)]
        return max(sum(alone / one.result() for one in together) for together in rounds)


def _bare_on(cpu: int, folder: Path) -> float:
    with on_cpu(cpu):
        return bare_us(folder, "ES256")
