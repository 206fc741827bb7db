"""`python -m bench`: every installed contestant against ours, written to RESULTS.md and results.svg."""

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from . import couper, library, ours, report, steady, tls
from .contestants import HERE, Contestant, Place, peers, tls_peers, upstream
from .kept import Kept
from .memory import memory_rows
from .pairs import Settings
from .report import Row
from .rows import (
    HOT,
    HOT_TOKENS,
    PLAIN,
    Bench,
    cold_row,
    consumers_row,
    couper_row,
    dialect_row,
    hot_row,
    large_row,
    paths_row,
    peer_row,
    routes_row,
)
from .tokens import Keys
from .workers import workers_row

_ONLY = "rows, comma separated; the others stay as they are: PERF-1,…,PERF-12,hot-paths,tls,peer,dialect"

Maker = Callable[[], list[Row]]


def main() -> int:
    """Run the rows asked for, write the files after each of them, print the table.

    The exit code is 1 when a row misses what is required now, 2 when the tools of the load are missing.
    """
    asked = _arguments()
    missing = [tool for tool in ("wrk", "nginx", "taskset") if shutil.which(tool) is None]
    if missing:
        print(f"missing: {', '.join(missing)}; apt-get install wrk nginx util-linux", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that every process is stopped
    found, skipped = peers()
    by_name = {peer.name: peer for peer in found}
    settings = f"{asked.pairs} pairs, 64 connections, {HOT_TOKENS} hot tokens"
    versions = [*(f"{peer.name} {peer.version}: {peer.job}" for peer in found), *library.versions()]
    kept = Kept(asked.output, anew=not asked.only)
    with _bench(by_name, Settings(asked.seconds, asked.pairs)) as bench:
        for name, make in _makers(bench, skipped):
            if asked.only and name.partition(" ")[0] not in asked.only.split(","):
                continue
            print(f"… {name}", file=sys.stderr, flush=True)
            try:
                kept.put(name, make(), seconds=asked.seconds)
            except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                skipped.append(f"{name}: {error}")
            kept.write(skipped, versions, settings)
    print(report.plain(kept.rows))
    print("\n".join(f"skipped: {sentence}" for sentence in skipped))
    return int(any(row.target and row.target.reached(row.ratio) == "NO" for row in kept.rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="length of one measured run")
    parser.add_argument("--pairs", type=int, default=5, help="pairs a row")
    parser.add_argument("--only", default="", help=_ONLY)
    parser.add_argument("--output", type=Path, default=HERE, help="folder of RESULTS.md, results.svg and results.json")
    return parser.parse_args()


@contextlib.contextmanager
def _bench(found: dict[str, Contestant], settings: Settings) -> Iterator[Bench]:
    """A folder with fresh keys and tokens, and a running upstream; all gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="jwtgate-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx reads its files as another user when root starts it
        keys = Keys.make(folder)
        hot = tuple(keys.tokens(0, HOT_TOKENS))
        with upstream(folder) as port:
            place = Place(folder, port, hot[0])
            yield Bench(place, keys, hot, found, settings)


def _makers(bench: Bench, skipped: list[str]) -> Iterator[tuple[str, Maker]]:
    """Each row this machine can run: its name, and how to make it."""
    yield "PERF-11 libraries", library.rows
    if PLAIN in bench.peers:
        for peer in (name for name in bench.peers if name != PLAIN):
            yield f"peer {peer}", partial(_one, peer_row, bench, peer)
    lacking = ours.missing()
    if lacking:
        skipped.append(lacking)
        return
    for row, (peer, _, _) in HOT.items():
        if peer in bench.peers:
            yield f"{row} {peer}", partial(_one, hot_row, bench, row)
    yield from _proxies(bench)
    for alg in ("RS256", "ES256"):
        yield f"PERF-5 {alg}", partial(_one, cold_row, bench, alg)
    if steady.PEER in bench.peers:
        yield "PERF-6 steady", partial(_one, steady.steady_row, bench)
    yield "PERF-7 workers", partial(_one, workers_row, bench)
    yield "PERF-8 routes", partial(_one, routes_row, bench)
    yield "PERF-9 consumers", partial(_one, consumers_row, bench)
    for name in ("apisix", "kong"):
        yield f"dialect {name}", partial(_one, dialect_row, bench, name)
    for name in couper.BLOCKS:
        yield f"dialect couper {name}", partial(_one, couper_row, bench, name)
    yield "PERF-12 memory", partial(memory_rows, bench)


def _proxies(bench: Bench) -> Iterator[tuple[str, Maker]]:
    """The rows beside gateways that only proxy."""
    if PLAIN in bench.peers:
        yield "hot-paths", partial(_one, paths_row, bench)
        yield "PERF-10 100 KB", partial(_one, large_row, bench)
    for peer in tls_peers():
        yield f"tls {peer.name}", partial(tls.tls_rows, bench, peer)


def _one(make: Callable[..., Row], *arguments: object) -> list[Row]:
    return [make(*arguments)]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
