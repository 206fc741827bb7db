"""The results as text: a table, what was skipped, and what the numbers mean."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio must reach: at least (`least`) or at most so much, now and as a moonshot."""

    now: float
    moonshot: float
    least: bool = True

    def reached(self, ratio: float) -> str:
        """How far the ratio got, in one word."""
        for name, limit in (("moonshot", self.moonshot), ("yes", self.now)):
            if (ratio >= limit) if self.least else (ratio <= limit):
                return name
        return "NO"

    def __str__(self) -> str:
        sign = "≥" if self.least else "≤"
        return f"{sign} {self.now:g} ({sign} {self.moonshot:.3g})"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: ours against theirs, and when it was `measured`. Without a target it is context only."""

    id: str
    title: str
    ours: str
    theirs: str
    ratio: float
    spread: str
    target: Target | None
    note: str = ""
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a run found."""

    rows: Sequence[Row]
    skipped: Sequence[str]
    versions: Sequence[str]
    settings: str


EXPLANATION = """\
Ratios are medians of neighbouring pairs; `pairs` shows how many, the least and the greatest one. In brackets
behind requests a second: CPU µs a request, of which user µs, and how busy the gateway's core was. Where that
is well below 100 %, the load generator, the upstream or other work on this machine was the limit, and the
ratio says less.
Ours writes an access log with an id for each request and keeps its counters; the peers write no log.
A row `peer` is context: its first gateway stands in the column `ours`. `measured` is the end of a row's runs, UTC,
and the length of each."""
HEAD = ("id", "what", "ours", "theirs", "ratio", "pairs", "target (moonshot)", "reached", "measured")


def cells(row: Row) -> tuple[str, ...]:
    """The cells of a row, as `HEAD` names them."""
    target, reached = ("–", "–") if row.target is None else (str(row.target), row.target.reached(row.ratio))
    return (row.id, row.title, row.ours, row.theirs, f"{row.ratio:.2f}", row.spread, target, reached, row.measured)


def plain(rows: Sequence[Row]) -> str:
    """The table in columns, for a terminal."""
    table = [HEAD, *map(cells, rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table]
    return "\n".join(line.rstrip() for line in lines)


def markdown(results: Results) -> str:
    """The whole page: machine, versions, table, notes, and what was skipped."""
    table = [HEAD, tuple("---" for _ in HEAD), *map(cells, results.rows)]
    notes = [f"- {row.id}: {row.note}" for row in results.rows if row.note]
    parts = [
        "# Results\n\nWritten by `python -m bench`; run it again rather than editing this page.",
        f"- {machine()}\n- {results.settings}\n" + "\n".join(f"- {version}" for version in results.versions),
        "![Ratios and their targets](results.svg)",
        "\n".join(f"| {' | '.join(line)} |" for line in table),
        EXPLANATION,
    ]
    if notes:
        parts.append("## Notes\n\n" + "\n".join(notes))
    if results.skipped:
        parts.append("## Skipped\n\n" + "\n".join(f"- {sentence}" for sentence in results.skipped))
    return "\n\n".join(parts) + "\n"


def machine() -> str:
    """Processor, CPUs, kernel and Python of this machine."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    name = models[0] if models else platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{name}, {os.cpu_count()} CPUs, Linux {platform.release()}, {python}"
