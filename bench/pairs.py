"""Two gateways in turn: peer, ours, peer, ours, …, and the median of the ratios."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
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
    """The median run of each side and the median ratio of what was compared; `ratios` are the pairs kept."""

    ours: Measure
    theirs: Measure
    ratio: float
    ratios: tuple[float, ...]
    discarded: int

    def note(self, *sentences: str) -> str:
        """The sentences, and one about the pairs that were discarded."""
        lost = (
            (f"{self.discarded} pairs discarded: the peer changed by more than a quarter.",) if self.discarded else ()
        )
        return " ".join(filter(None, (*sentences, *lost)))


def compare(
    ours: Running,
    theirs: Running,
    requests: Path,
    settings: Settings,
    *,
    their_requests: Path | None = None,
    order: str = "repeat",
) -> Comparison:
    """Measure in pairs until enough of them lie in a quiet stretch of the machine.

    A pair is discarded when its peer changed by more than a quarter until the next peer run. At most twice
    the wanted number is tried; when none lies quiet, RuntimeError. `their_requests` is for a peer which
    serves other paths, `order` as in `measure`.
    """
    other = their_requests or requests
    for warmed, load in ((theirs, other), (ours, requests)):
        _run(warmed, load, settings.seconds / 2, order)
    own = partial(_run, ours, requests, settings.seconds, order)
    peer = partial(_run, theirs, other, settings.seconds, order)
    return in_turn(own, peer, settings.pairs, figure=attrgetter("rate"))


def in_turn(
    ours: Callable[[], Measure], theirs: Callable[[], Measure], pairs: int, *, figure: Callable[[Measure], float]
) -> Comparison:
    """The same with any two ways to make a run, compared by this figure of it."""
    kept: list[tuple[Measure, Measure]] = []
    discarded = 0
    peer = _rested(theirs)
    while len(kept) < pairs and len(kept) + discarded < 2 * pairs:
        own, neighbour = _rested(ours), _rested(theirs)
        if abs(figure(neighbour) / figure(peer) - 1) <= MOST_CHANGE:
            kept.append((own, peer))
        else:
            discarded += 1
        peer = neighbour
    if not kept:
        raise RuntimeError("the peer changed by more than a quarter in every pair")
    ratios = tuple(figure(own) / figure(peer) for own, peer in kept)
    return Comparison(
        ours=sorted((own for own, _ in kept), key=figure)[len(kept) // 2],
        theirs=sorted((peer for _, peer in kept), key=figure)[len(kept) // 2],
        ratio=statistics.median(ratios),
        ratios=ratios,
        discarded=discarded,
    )


def _run(gateway: Running, requests: Path, seconds: float, order: str) -> Measure:
    scheme = gateway.contestant.scheme
    return measure(gateway.pid, gateway.port, requests, seconds=seconds, order=order, scheme=scheme)


def _rested(run: Callable[[], Measure]) -> Measure:
    time.sleep(PAUSE_SECONDS)
    return run()
