"""Results kept as they come: what was measured before stays until the same is measured again, and a run that breaks
off loses nothing.
"""

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from . import report
from .chart import svg
from .report import Results, Row, Target


class Kept:
    """The results in a folder: `results.json`, and what is made of it, `RESULTS.md` and `results.svg`."""

    def __init__(self, folder: Path, *, anew: bool) -> None:
        """`anew`: what is there already does not count."""
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._file = folder / "results.json"
        self._parts: dict[str, list[Row]] = {}
        if not anew and self._file.exists():
            self._parts = {name: list(map(_row, rows)) for name, rows in json.loads(self._file.read_text()).items()}

    @property
    def rows(self) -> list[Row]:
        """All that was measured."""
        return [row for rows in self._parts.values() for row in rows]

    def put(self, name: str, rows: Sequence[Row], *, seconds: float) -> None:
        """Keep the rows of one part, measured now in runs of so many seconds, in the place of those it had."""
        measured = f"{datetime.now(UTC):%Y-%m-%d %H:%M}, {seconds:g} s"
        self._parts[name] = [dataclasses.replace(row, measured=measured) for row in rows]

    def write(self, skipped: Sequence[str], versions: Sequence[str], settings: str) -> None:
        """Write all three files."""
        told = {name: [dataclasses.asdict(row) for row in rows] for name, rows in self._parts.items()}
        self._file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        (self._folder / "RESULTS.md").write_text(report.markdown(Results(self.rows, skipped, versions, settings)))
        (self._folder / "results.svg").write_text(svg(self.rows))


def _row(told: dict[str, object]) -> Row:
    target = told.pop("target")
    return Row(**told, target=None if target is None else Target(**target))  # type: ignore[arg-type]
