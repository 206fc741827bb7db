"""A gateway as people run it: a supervisor and its workers, as processes, with a document in a folder of its own."""

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

DEADLINE_SECONDS = 30.0
START = """
import sys
from pathlib import Path
from jwtgate.cli.companion import AdminApi
from jwtgate.control.authors import FileAuthor
from jwtgate.control.supervisor import run
document, state, workers, last_good = sys.argv[1:]
state, last_good = Path(state), last_good == "yes"
path, workers = Path(document), int(workers)
author = lambda _: FileAuthor(path)
sys.exit(
    run(author, folder=path.parent, workers=workers, state_folder=state, last_good=last_good, companion=AdminApi)
)
"""
OPERATOR = "the-token-of-an-operator-of-the-tests"
ADMIN = {
    "listen": "127.0.0.1:0",
    "operators": {"alice": {"token_sha256": hashlib.sha256(OPERATOR.encode()).hexdigest()}},
}
"""The `admin` section of a document whose Admin API `administer` asks."""


class GatewayProcess:
    """Runs inside `with`, from start to stop; `start` again after `stop` uses the same state folder."""

    def __init__(self, folder: Path, document: str, *, workers: int = 2, environ: dict[str, str] | None = None) -> None:
        self.document = folder / "jwtgate.yaml"
        self.document.write_text(document)
        self.state = folder / "state"
        self._journal = folder / "journal"
        self._access_log = folder / "access-log"
        self._workers = workers
        self._environ = {**os.environ, **(environ or {})}
        self._began = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        try:
            self.until(lambda: self.events("serving"))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.communicate()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def start(self, *, last_good: bool = True) -> None:
        """Start it without waiting for anything."""
        self._began = len(self._lines())
        last = "yes" if last_good else "no"
        command = [sys.executable, "-c", START, str(self.document), str(self.state), str(self._workers), last]
        with self._journal.open("ab") as journal, self._access_log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=journal, env=self._environ)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_status(self) -> int:
        """Its exit status; fails when it does not end in time."""
        return self.process.wait(timeout=DEADLINE_SECONDS)

    def events(self, *names: str) -> list[dict[str, Any]]:
        """The events of these names since the last start, oldest first."""
        # A process that could not even begin writes its trace instead; `until` shows that.
        lines = [json.loads(line) for line in self._lines()[self._began :] if line.startswith("{")]
        return [line for line in lines if line.get("event") in names]

    def log(self) -> list[dict[str, Any]]:
        """The lines of the access log that are whole."""
        whole = self._access_log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def until(self, reached: Callable[[], object]) -> None:
        """Wait until this holds; fails when it does not in time, or the process ended."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached():
            assert time.monotonic() < deadline, self._journal.read_text()
            assert self.process.poll() is None, self._journal.read_text()
            time.sleep(0.01)

    def reload(self, document: str | None = None) -> dict[str, Any]:
        """Write a document, ask for a reload by signal, and wait for the event that tells of it, which is given."""
        if document is not None:
            self.document.write_text(document)
        before = len(self._reloads())
        self.signal(signal.SIGHUP)
        self.until(lambda: len(self._reloads()) > before)
        return self._reloads()[before]

    def _reloads(self) -> list[dict[str, Any]]:
        return self.events("reloaded", "reload_refused")

    @property
    def ports(self) -> list[int]:
        """The ports of its listeners, in the order of the document."""
        return [int(address.rpartition(":")[2]) for address in self.events("listening")[-1]["addresses"]]

    def connect(self, listener: int = 0) -> http.client.HTTPConnection:
        """A connection to one of its listeners, not yet open."""
        return http.client.HTTPConnection("127.0.0.1", self.ports[listener], timeout=DEADLINE_SECONDS)

    def get(self, path: str, *, listener: int = 0, token: str | None = None) -> tuple[int, bytes]:
        """Status and body of an answer over a connection of its own."""
        connection = self.connect(listener)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def administer(self, method: str, path: str, value: object = None, **fields: str) -> tuple[int, Any]:
        """Status and value of an answer of the Admin API. Underscores in names of fields stand for dashes."""
        port = int(self.events("admin_listening")[-1]["address"].rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
        told = {name.replace("_", "-"): content for name, content in fields.items()}
        told = {"Authorization": f"Bearer {OPERATOR}", "Content-Type": "application/json", **told}
        try:
            connection.request(method, f"/v1/{path}", None if value is None else json.dumps(value), told)
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if body else None
        finally:
            connection.close()

    def readiness(self) -> dict[str, Any]:
        """What /readyz of the last listener says."""
        parsed: dict[str, Any] = json.loads(self.get("/readyz", listener=-1)[1])
        return parsed

    def metric(self, name: str) -> float:
        """The sum of a metric over all its labels."""
        lines = self.get("/metrics", listener=-1)[1].decode().splitlines()
        found = [line for line in lines if line.split("{")[0].split(" ")[0] == name]
        assert found, name
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def workers(self) -> list[int]:
        """The process numbers of its workers; none where it has ended."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []

    def pids(self) -> list[int]:
        """The process numbers of its supervisor and its workers, as they are now."""
        return [self.process.pid, *self.workers()]

    def journal(self) -> str:
        """All that it has written of itself."""
        return self._journal.read_text()

    def _lines(self) -> list[str]:
        return self._journal.read_text().splitlines() if self._journal.exists() else []
