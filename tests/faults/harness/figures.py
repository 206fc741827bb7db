"""What one run of a fault scenario measured: noted by the test, the memory and descriptors of the gateway by itself.

One line is printed at the end. Where FAULTS_FIGURES names a file, the same goes there as a line of JSON, for
`scripts/reliability.py` to make a table of.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.faults.harness.load import Load

LOOK_SECONDS = 0.1
_PAGE = os.sysconf("SC_PAGE_SIZE")

Pids = Iterable[int] | Callable[[], Iterable[int]]


class Figures:
    """The figures of one scenario, inside `with`; an exception that leaves it makes the verdict `failed`.

    `pids`: the processes of the gateway, or what gives them as they are at the moment; default: this process. `log`:
    the journal of the gateway as text, or a file of it; what is added to it meanwhile is counted by `event`.
    """

    def __init__(
        self, scenario: str, what: str, *, pids: Pids = (), log: Path | Callable[[], str] | None = None
    ) -> None:
        self.scenario = scenario
        self.what = what
        self._pids = pids
        self._log = log
        self._values: dict[str, object] = {}
        self._lines_before: list[str] = []
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="figures")
        self.memory: list[int] = []
        """Resident bytes of all processes together: before, at their peak, after."""
        self.descriptors: list[int] = []

    def note(self, name: str, value: object) -> None:
        """Note a figure: a number, or a few words."""
        self._values[name] = round(value, 3) if isinstance(value, float) else value

    def note_load(
        self, load: Load, *, began: float | None = None, ended: float | None = None, wanted: int | None = 200
    ) -> None:
        """Note what became of the load: dropped, wrong statuses (`wanted` None: none is), and times before, during and
        after the fault, which was there from `began` to `ended` (monotonic clock)."""
        self.note("requests", load.requests)
        self.note("dropped", load.dropped)
        if wanted is not None:
            self.note("wrong", load.wrong(wanted))
        begins = began if began is not None else float("inf")
        ends = ended if ended is not None else float("inf")
        spans = {"before": (float("-inf"), begins), "during": (begins, ends), "after": (ends, float("inf"))}
        for name, (since, until) in spans.items():
            for percent in (50, 99):
                self.note(f"p{percent}_{name}", load.percentile(percent, since, until))

    def log_events(self) -> Counter[str]:
        """How many lines were added to the log since the start, by `event`, or by the text of a message."""
        added = self._lines()[len(self._lines_before) :]
        return Counter(_event(line) for line in added if line.startswith("{"))

    def __enter__(self) -> Self:
        self._lines_before = self._lines()
        memory, descriptors = self._look()
        self.memory, self.descriptors = [memory, memory, memory], [descriptors, descriptors, descriptors]
        self._watching.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        self._watching.join()
        self._take()
        figures = {
            "scenario": self.scenario,
            "what": self.what,
            "verdict": "held" if kind is None else "failed",
            "full": os.environ.get("JWTGATE_FAULTS") == "full",
            "figures": self._values,
            "memory": self.memory,
            "descriptors": self.descriptors,
            "log": dict(self.log_events()) if self._log is not None else None,
        }
        line = json.dumps(figures)
        print(line)
        name = os.environ.get("FAULTS_FIGURES")
        if name:
            with Path(name).open("a") as file:
                file.write(f"{line}\n")

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._take()

    def _take(self) -> None:
        for figures, now in zip((self.memory, self.descriptors), self._look(), strict=True):
            figures[1:] = [max(figures[1], now), now]

    def _look(self) -> tuple[int, int]:
        """Resident bytes and open descriptors of all processes together; one that is gone has none."""
        pids = tuple(self._pids() if callable(self._pids) else self._pids) or (os.getpid(),)
        memory = descriptors = 0
        for pid in pids:
            with suppress(OSError, IndexError):
                memory += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
                descriptors += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return memory, descriptors

    def _lines(self) -> list[str]:
        if self._log is None:
            return []
        return (self._log.read_text() if isinstance(self._log, Path) else self._log()).splitlines()


def recovery_seconds(recovered: Callable[[], object], *, most_seconds: float) -> float:
    """How long it took until this held; fails after `most_seconds`."""
    began = time.monotonic()
    while not recovered():
        assert time.monotonic() - began < most_seconds, f"not recovered within {most_seconds} s"
        time.sleep(0.01)
    return time.monotonic() - began


def _event(line: str) -> str:
    members = json.loads(line)
    return str(members["text"] if members.get("event") == "message" else members.get("event", ""))
