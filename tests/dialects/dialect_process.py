"""A gateway that speaks a dialect, as people run it, and what curl is answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

DEADLINE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What curl was answered; names of fields are in lower case."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def parse(cls, printed: bytes) -> Self:
        """What `curl --include` printed."""
        head, _, body = printed.decode().partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.partition(":")[::2] for line in lines)
        return cls(int(start.split()[1]), tuple((name.lower(), value.strip()) for name, value in pairs), body)

    def field(self, name: str) -> str | None:
        """The value of the first field of this name."""
        return next((value for other, value in self.fields if other == name), None)

    @property
    def value(self) -> Any:
        """The JSON value of the body."""
        return json.loads(self.body)

    @property
    def seen(self) -> dict[str, str]:
        """The header fields an upstream like httpbin saw, by their names as it writes them."""
        assert self.status == 200, self
        fields: dict[str, str] = self.value["headers"]
        return fields


def curl(*arguments: str) -> Answer:
    """What curl is answered to exactly these arguments."""
    command = ["curl", "--silent", "--show-error", "--include", "--max-time", "20", *arguments]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    return Answer.parse(done.stdout)


class DialectProcess:
    """Runs inside `with`, on free ports for each of `listening`. `environ` is added to that of the tests."""

    listening: tuple[str, ...] = ("--listen", "--admin-listen")
    workers = 2

    def __init__(self, dialect: str, folder: Path, *files: Path, environ: dict[str, str] | None = None) -> None:
        self._dialect = dialect
        self._journal = folder / "journal"
        self._access_log = folder / "access-log"
        self._folder = folder
        self._files = files
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [str(Path(sys.executable).with_name("jwtgate")), "serve", "--dialect", self._dialect]
        command += ["--workers", str(self.workers), "--state", str(self._folder / "state")]
        for option in self.listening:
            command += [option, "127.0.0.1:0"]
        with self._journal.open("ab") as journal, self._access_log.open("ab") as access_log:
            self._process = subprocess.Popen(
                [*command, *map(str, self._files)], stdout=access_log, stderr=journal, env=self._environ
            )
        try:
            self.until(lambda: self.events("serving"))
        except BaseException:
            self._stop()
            raise
        admin = self.events("admin_listening")
        self.found(self.events("listening")[-1]["addresses"], admin[-1]["address"] if admin else "")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def found(self, proxy: list[str], admin: str) -> None:
        """Note where it listens."""
        raise NotImplementedError

    def journal(self) -> str:
        """All it has written of itself."""
        return self._journal.read_text()

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the access log so far."""
        return [json.loads(line) for line in self._access_log.read_text().splitlines(keepends=True) if line[-1] == "\n"]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name, oldest first."""
        lines = [json.loads(line) for line in self.journal().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def until(self, reached: Callable[[], object]) -> None:
        """Wait until this holds; fails when it does not in time, or the process ended."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached():
            assert self._process is not None
            assert self._process.poll() is None, self.journal()
            assert time.monotonic() < deadline, self.journal()
            time.sleep(0.02)

    def _stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
