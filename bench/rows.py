"""The rows of the table: which gateways meet under which load, and what the ratio must reach."""

import contextlib
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import couper, dialects
from .cold import bare_us
from .consumers import crowd
from .contestants import Contestant, Place, Running, started
from .load import Measure, measure
from .ours import HOT_ROUTES, ours, prefixes
from .pairs import Comparison, Settings, compare
from .processes import GATEWAY_CPU, on_cpu
from .report import Row, Target
from .tokens import Keys, write_requests

HOT_TOKENS, COLD_TOKENS = 1_000, 30_000
_MEETING_SECONDS = 20
PLAIN = "HAProxy plain"
UNCACHED = "jwtgate remembers verified and issued tokens; HAProxy has no such cache and verifies every request anew."
HOT = {
    "PERF-1": (PLAIN, Target(0.33, 1.0), "HAProxy authenticates nobody here: it only proxies."),
    "PERF-2": ("HAProxy jwt_verify", Target(1.5, 4), UNCACHED),
    "PERF-3": ("Envoy jwt_authn", Target(1.15, 3), "Both remember verified tokens; Envoy issues none."),
    "PERF-4": ("node + fast-jwt", Target(2, 5), "Both remember verified and issued tokens."),
}
COLD_COST = (
    "The rest of a cold request is four heads, the steps of the decision, two writes and two reads, all of it Python "
    "that runs once a request; `python -m bench.micro` times the steps."
)
COLD = {"RS256": Target(1.35, 1.1, least=False), "ES256": Target(1.8, 1.1, least=False)}


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the bench: the place, its keys, the hot tokens, the peers by name."""

    place: Place
    keys: Keys
    hot: tuple[str, ...]
    peers: dict[str, Contestant]
    settings: Settings

    def requests(self, name: str, paths: list[str]) -> Path:
        """A file of requests with the hot tokens over these paths."""
        return write_requests(self.place.folder / f"{name}.requests", self.hot, paths)

    def ours(self, *, routes: int = HOT_ROUTES, alg: str = "RS256") -> Contestant:
        return ours(self.place.folder, self.place.upstream, routes=routes, alg=alg)


def hot_row(bench: Bench, row: str) -> Row:
    """PERF-1 to PERF-4: ours against one peer under the hot load."""
    peer, target, note = HOT[row]
    requests = bench.requests("hot", hot_paths(HOT_ROUTES))
    found = _compare(bench, bench.ours(), bench.peers[peer], requests)
    return _row(row, f"hot, ours ÷ {peer}", found, target=target, note=note)


def paths_row(bench: Bench) -> Row:
    """The same load as PERF-1 but for its paths: none of them comes twice."""
    requests = bench.requests("hot", hot_paths(HOT_ROUTES))
    with both(bench, bench.ours(), bench.peers[PLAIN]) as (mine, theirs):
        found = compare(mine, theirs, requests, bench.settings, order="paths")
    note = "Tokens are known and paths are new, as nearly all traffic of an API has it."
    return _row("hot-paths", f"hot, paths that change, ours ÷ {PLAIN}", found, note=note)


def peer_row(bench: Bench, peer: str) -> Row:
    """Context: a peer against HAProxy as a plain proxy under the hot load."""
    requests = bench.requests("hot", hot_paths(HOT_ROUTES))
    found = _compare(bench, bench.peers[peer], bench.peers[PLAIN], requests)
    return _row("peer", f"hot, {peer} ÷ {PLAIN}", found, note=f"{peer} {bench.peers[peer].job}.")


def cold_row(bench: Bench, alg: str) -> Row:
    """PERF-5: CPU a request with a token never seen, against bare verify and sign of the same minute."""
    tokens = bench.keys.tokens(HOT_TOKENS, COLD_TOKENS)
    requests = write_requests(bench.place.folder / "cold.requests", tokens, hot_paths(HOT_ROUTES))
    rounds: list[tuple[Measure, float]] = []
    for _ in range(max(1, bench.settings.pairs // 2 + 1)):
        with started(bench.ours(alg=alg), bench.place) as gateway:  # anew each time: every token is unknown
            bare = _bare(bench, alg)
            seconds = bench.settings.seconds * 2
            spent = measure(gateway.pid, gateway.port, requests, seconds=seconds, order="once")
            rounds.append((spent, (bare + _bare(bench, alg)) / 2))
    ratios = [spent.cpu_us / bare for spent, bare in rounds]
    spent, bare = sorted(rounds, key=lambda one: one[0].cpu_us)[len(rounds) // 2]
    return Row(
        "PERF-5", f"cold {alg}, CPU a request ÷ bare crypto",
        f"{spent.cpu_us:.0f} µs (user {spent.user_us:.0f})", f"{bare:.0f} µs",
        statistics.median(ratios), spread(ratios), COLD[alg],
        f"Bare `cryptography`: one RS256 verify and one {alg} sign, in a loop with warm caches. {COLD_COST}",
    )  # fmt: skip


def routes_row(bench: Bench) -> Row:
    """PERF-8: ours with 100 000 routes against ours with 10, the hot tokens spread over all routes."""
    many = bench.requests("many", hot_paths(100_000))
    few = bench.requests("few", hot_paths(10))
    with both(bench, bench.ours(routes=100_000), bench.ours(routes=10)) as (large, small):
        found = compare(large, small, many, bench.settings, their_requests=few)
    note = "The look-up itself costs the same; the rest is memory, since each request meets another route's objects."
    return _row("PERF-8", "hot, 100 000 routes ÷ 10 routes", found, target=Target(0.9, 0.98), note=note)


def consumers_row(bench: Bench) -> Row:
    """PERF-9: ours with a million consumers against ours with ten, 10 000 tokens of their own in turn."""
    paths = hot_paths(HOT_ROUTES)
    many, few = (crowd(bench.place, count, tokens=10_000, paths=paths) for count in (1_000_000, 10))
    with started(few.contestant, few.place) as small, started(many.contestant, many.place) as large:
        for each, crowded in ((small, few), (large, many)):  # met once before, every one
            measure(each.pid, each.port, crowded.requests, seconds=_MEETING_SECONDS, order="once")
        found = compare(large, small, many.requests, bench.settings, their_requests=few.requests)
    note = "Tokens signed with HS256 by their consumers; each of the many signs one, each of the few a thousand."
    return _row("PERF-9", "hot, 1 000 000 consumers ÷ 10 consumers", found, target=Target(0.85, 0.98), note=note)


def dialect_row(bench: Bench, name: str) -> Row:
    """A document of another gateway, against the same said in one of ours."""
    with contextlib.ExitStack() as opened:
        if name == "apisix":
            pair = dialects.apisix(bench.place, hot_paths(HOT_ROUTES))
        else:
            keys = opened.enter_context(dialects.key_server(bench.place.folder))
            pair = dialects.kong(bench.place, bench.requests("hot", hot_paths(HOT_ROUTES)), keys)
        return _pair_row(bench, pair, f"hot, {name}", Target(0.97, 1.0))


def couper_row(bench: Bench, block: str) -> Row:
    """A file of Couper whose `jwt` block looks at the request, or does not, against the same in a document of ours."""
    pair = couper.couper(bench.place, bench.requests("hot", hot_paths(HOT_ROUTES)), block)
    target = Target(0.97, 1.0) if block == "plain" else Target(0.75, 1.0)
    return _pair_row(bench, pair, f"hot, couper, {block}", target)


def _pair_row(bench: Bench, pair: dialects.Pair, what: str, target: Target) -> Row:
    with started(pair.native, pair.place) as theirs, started(pair.dialect, pair.place) as mine:
        found = compare(mine, theirs, pair.requests, bench.settings)
    note = "What a dialect costs at run time: both are the same gateway, one with a document it was translated to."
    return _row("dialect", f"{what} ÷ the same document of ours", found, target=target, note=note)


def large_row(bench: Bench) -> Row:
    """PERF-10: answers of 100 KB, against the plain proxy."""
    requests = bench.requests("large", [f"/large/{number}" for number in range(100)])
    found = _compare(bench, bench.ours(), bench.peers[PLAIN], requests)
    return _row("PERF-10", f"100 KB answers, ours ÷ {PLAIN}", found, target=Target(0.7, 1.0))


def hot_paths(routes: int) -> list[str]:
    """A path a hot token, spread evenly over the routes."""
    places = prefixes(routes)
    step = max(1, routes // HOT_TOKENS)
    return [f"{place}/1" for place in places[::step]]


def _compare(bench: Bench, own: Contestant, peer: Contestant, requests: Path) -> Comparison:
    with both(bench, own, peer) as (mine, theirs):
        return compare(mine, theirs, requests, bench.settings)


@contextlib.contextmanager
def both(bench: Bench, own: Contestant, peer: Contestant) -> Iterator[tuple[Running, Running]]:
    """Ours and the peer, both running; each rests while the other is loaded."""
    with started(peer, bench.place) as theirs, started(own, bench.place) as mine:
        yield mine, theirs


def _bare(bench: Bench, alg: str) -> float:
    """Bare crypto on the gateway's CPU, so that both sides of the ratio ran there."""
    with on_cpu(GATEWAY_CPU):
        return bare_us(bench.place.folder, alg)


def _row(row: str, title: str, found: Comparison, *, target: Target | None = None, note: str = "") -> Row:
    cells = (told_rate(found.ours), told_rate(found.theirs), found.ratio, spread(found.ratios))
    return Row(row, title, *cells, target, found.note(note))


def told_rate(one: Measure) -> str:
    """Requests a second, and in brackets CPU µs, user µs and how busy the gateway was."""
    return f"{one.rate:,.0f}/s ({one.cpu_us:.1f}, {one.user_us:.1f}, {one.busy:.0%})"


def spread(ratios: list[float] | tuple[float, ...]) -> str:
    """How many ratios, the least and the greatest."""
    return f"{len(ratios)}: {min(ratios):.2f}–{max(ratios):.2f}"
