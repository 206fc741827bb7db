"""What a page shows of a terminal: its commands, typed in one after another, and what must come back.

In what a page shows, `…` stands for anything within a line, and alone on a line for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

_MARK = "=== the next command ==="
_WAIT = """for _ in $(seq 150); do grep -qs '"serving"' journal && break; sleep 0.1; done"""


@dataclass(frozen=True)
class Step:
    """A command, and what the page says comes back."""

    command: str
    shown: str


def steps(section: str) -> list[Step]:
    """The commands of all console blocks of a section."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, shown = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
            found.append(Step(command, shown.strip()))
    return found


class Terminal:
    """A shell in a folder. Addresses that pages use stand for free ones."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._folder = folder
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environ = {**os.environ, "NO_COLOR": "1", **environ, "PATH": path}
        self._ports = {f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in (8080, 9020, 9030, 9901)}

    def here(self, text: str) -> str:
        """The text of a page with the addresses that are used here."""
        for shown, used in self._ports.items():
            text = text.replace(shown, used).replace(shown.replace(":", '", '), used.replace(":", '", '))
        return text

    def typed(self, commands: list[str]) -> list[str]:
        """What came back for each command."""
        lines = []
        for each in commands:
            before = "sleep 2" if "tail -1 access.log" in each else ""  # it is written a second later
            after = _WAIT if "jwtgate serve" in each else ""
            lines.append("\n".join([before, self.here(each), after, f"echo; echo '{_MARK}'"]))
        script = "\n".join(["trap 'kill $(jobs -p); wait' EXIT", *lines])
        run = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
        )
        said = run.stdout.replace("\r", "")
        for shown, used in self._ports.items():
            said = said.replace(used, shown)
        return [each.strip() for each in said.split(_MARK)[:-1]]


def fits(shown: str, said: str) -> bool:
    """Whether what was said is what is shown."""
    lines = [r"(?:.*\n)*" if line == "…" else _line(line) for line in shown.splitlines()]
    return re.fullmatch("".join(lines), f"{said}\n" if said else "") is not None


def _line(shown: str) -> str:
    return re.escape(shown).replace("…", ".*") + r"\n"
