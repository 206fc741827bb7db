"""Two gateways in turn: peer, ours, peer, ours, …, and the median of the ratios."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from .contestants import Running
from .load import Measure, measure

PAUSE_SECONDS = 1.0
MOST_CHANGE = 0.25


@dataclass(frozen=True, slots=True)
class Settings:
    """How long one measured run lasts, and how many pairs are wanted."""

    seconds: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The median run of each side and the median ratio of their rates; `ratios` are the pairs kept."""

    ours: Measure
    theirs: Measure
    ratio: float
    ratios: tuple[float, ...]
    discarded: int


def compare(
    ours: Running, theirs: Running, requests: Path, settings: Settings, *, their_requests: Path | None = None
) -> Comparison:
    """Measure in pairs until enough of them lie in a quiet stretch of the machine.

    A pair is discarded when its peer changed by more than a quarter until the next peer run. At most twice
    the wanted number is tried; when none lies quiet, RuntimeError. `their_requests` is for a peer which
    serves other paths.
    """
    other = their_requests or requests
    for warmed, load in ((theirs, other), (ours, requests)):
        measure(warmed.pid, warmed.port, load, seconds=settings.seconds / 2)
    kept: list[tuple[Measure, Measure]] = []
    discarded = 0
    peer = _run(theirs, other, settings)
    while len(kept) < settings.pairs and len(kept) + discarded < 2 * settings.pairs:
        own, neighbour = _run(ours, requests, settings), _run(theirs, other, settings)
        if abs(neighbour.rate / peer.rate - 1) <= MOST_CHANGE:
            kept.append((own, peer))
        else:
            discarded += 1
        peer = neighbour
    if not kept:
        raise RuntimeError(f"{theirs.contestant.name} changed by more than a quarter in every pair")
    ratios = tuple(own.rate / peer.rate for own, peer in kept)
    return Comparison(
        ours=_median([own for own, _ in kept]),
        theirs=_median([peer for _, peer in kept]),
        ratio=statistics.median(ratios),
        ratios=ratios,
        discarded=discarded,
    )


def _run(gateway: Running, requests: Path, settings: Settings) -> Measure:
    time.sleep(PAUSE_SECONDS)
    return measure(gateway.pid, gateway.port, requests, seconds=settings.seconds)


def _median(measures: list[Measure]) -> Measure:
    return sorted(measures, key=lambda one: one.rate)[len(measures) // 2]
