"""PERF-6: how long a request takes when the gateway has room, with the same arrivals for both."""

import sys
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from pathlib import Path

from .arrivals import CONNECTIONS
from .contestants import Running
from .load import Measure, measure, measured
from .ours import HOT_ROUTES
from .pairs import in_turn
from .processes import LOAD_CPU, pinned
from .report import Row, Target
from .rows import UNCACHED, Bench, both, hot_paths, spread

PEER = "HAProxy jwt_verify"
RATES = (4_000, 3_000, 2_000, 1_000, 500)
MOST_BUSY, PROBE_SECONDS = 0.6, 2.0
ARRIVALS = Path(__file__).with_name("arrivals.py")
HOW = (
    "Requests come at times of their own, drawn beforehand and the same for both (a Poisson process), over "
    f"{CONNECTIONS} kept connections. Latency runs from the time a request was meant for to the last byte of its "
    "answer: waits of the load are part of it, and so are waits for the upstream, which shares the other core with it. "
    "A run is twice as long as those of other rows."
)


def steady_row(bench: Bench) -> Row:
    """PERF-6: the p99 of ours against that of a peer which verifies every request."""
    requests = bench.requests("hot", hot_paths(HOT_ROUTES))
    with both(bench, bench.ours(), bench.peers[PEER]) as (mine, theirs):
        for gateway in (mine, theirs):
            measure(gateway.pid, gateway.port, requests, seconds=PROBE_SECONDS)  # so that each token was met
        own, peer = (partial(_run, gateway, requests) for gateway in (mine, theirs))
        rate = _rate_both_hold(own, peer)
        seconds = bench.settings.seconds * 2
        found = in_turn(
            partial(own, rate, seconds), partial(peer, rate, seconds), bench.settings.pairs, figure=attrgetter("p99_ms")
        )
    sent = (
        "Without the times at which other work of this machine kept the load from sending, p99 is "
        f"{found.ours.sent_p99_ms:.2f} ms of ours and {found.theirs.sent_p99_ms:.2f} ms of theirs."
    )
    lower = (
        f"{rate:,} a second is the highest of {RATES} both held below {MOST_BUSY:.0%} busy." if rate < RATES[0] else ""
    )
    return Row(
        "PERF-6", f"steady, {rate:,} requests a second, p99 of ours ÷ {PEER}",
        _told(found.ours), _told(found.theirs), found.ratio, spread(found.ratios), Target(1.0, 0.4, least=False),
        found.note(HOW, sent, lower, UNCACHED),
    )  # fmt: skip


def _run(gateway: Running, requests: Path, rate: int, seconds: float) -> Measure:
    load = (sys.executable, str(ARRIVALS), str(gateway.port), str(requests), str(rate), str(seconds))
    return measured(gateway.pid, [pinned(load, LOAD_CPU)], seconds=seconds)


def _rate_both_hold(*runs: Callable[[int, float], Measure]) -> int:
    """The highest rate at which no gateway is too busy. Raises RuntimeError when there is none."""
    for rate in RATES:
        if all(run(rate, PROBE_SECONDS).busy < MOST_BUSY for run in runs):
            return rate
    raise RuntimeError(f"busy for more than {MOST_BUSY:.0%} of the time even at {RATES[-1]} requests a second")


def _told(one: Measure) -> str:
    return f"p99 {one.p99_ms:.2f} ms (p50 {one.p50_ms:.2f} ms, {one.busy:.0%} busy)"
