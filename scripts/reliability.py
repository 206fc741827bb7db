"""Writes what runs of fault scenarios measured into the table of docs/reliability.md; `scripts/faults` calls it.

`scripts/reliability.py FIGURES PAGE`: a row for each line of FIGURES. Rows of scenarios that stand in it replace those
of the page, all others stay.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: made by scripts/faults -->\n", "<!-- end of figures -->\n"
HEAD = (
    "| scenario | what was done | requests | dropped | wrong statuses | p50 / p99 before | during | after, ms "
    "| back after, s | fetches | memory before / peak / after, MiB | descriptors before / peak / after "
    "| log lines | also measured | verdict |\n" + "| --- " * 15 + "|\n"
)
OWN_COLUMN = {
    *("requests", "dropped", "wrong", "recovery_seconds", "fetches"),
    *(f"p{percent}_{span}" for percent in (50, 99) for span in ("before", "during", "after")),
}
FOLDERS = re.compile(r"(?<=\s)/(?:[\w.-]+/)+(?=[\w.-]+/[\w.-]+)")
"""Of a path all but its last two parts, which are not those of one machine alone."""
SCENARIO = re.compile(r"\| ([A-Z]+-(\d+)) ")

Json = dict[str, Any]


def page_with(page: str, runs: Iterable[Json]) -> str:
    """The page with the rows of these runs in its table."""
    before, begin, rest = page.partition(BEGIN)
    table, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks to put the table between")
    told = list(runs)
    failed = {run["scenario"] for run in told if "failed" in run}
    made = [_row({**run, "verdict": "failed"} if run["scenario"] in failed else run) for run in told if "what" in run]
    anew = {_scenario(row) for row in made}
    kept = [row for row in table.splitlines() if SCENARIO.match(row) and _scenario(row) not in anew]
    rows = "\n".join(sorted((*kept, *made), key=_scenario))
    return f"{before}{begin}{HEAD}{rows}\n{end}{after}"


def _scenario(row: str) -> int:
    match = SCENARIO.match(row)
    return int(match[2]) if match else 0


def _row(run: Json) -> str:
    figures: Json = run["figures"]
    cells = [
        run["scenario"],
        run["what"],
        *(_number(figures.get(name)) for name in ("requests", "dropped", "wrong")),
        *(_times(figures, span) for span in ("before", "during", "after")),
        *(_number(figures.get(name)) for name in ("recovery_seconds", "fetches")),
        " / ".join(str(round(each / 2**20)) for each in run["memory"]),
        " / ".join(map(str, run["descriptors"])),
        "; ".join(f"{count} × {FOLDERS.sub('…/', line)}" for line, count in (run["log"] or {}).items()) or "–",
        "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in figures.items() if name not in OWN_COLUMN)
        or "–",
        run["verdict"] if run["full"] else f"{run['verdict']} (shortened)",
    ]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _times(figures: Json, span: str) -> str:
    p50, p99 = figures.get(f"p50_{span}"), figures.get(f"p99_{span}")
    return f"{p50:.1f} / {p99:.1f}" if p50 else "–"


def _number(value: object) -> str:
    return "–" if value is None else str(value)


if __name__ == "__main__":
    figures_file, page_file = map(Path, sys.argv[1:])
    runs = [json.loads(line) for line in figures_file.read_text(encoding="utf-8").splitlines()]
    page_file.write_text(page_with(page_file.read_text(encoding="utf-8"), runs), encoding="utf-8")
