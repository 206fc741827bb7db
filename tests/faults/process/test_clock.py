"""The wall clock jumps while requests are served (REL-37, REL-81)."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures
from tests.faults.harness.load import Load
from tests.faults.process.node import CLIENTS, KEY, running, token
from tests.integration.loopback_server import LoopbackServer

HOUR = 3600


class Clock:
    """The wall clock of processes with this `environ`, so many seconds beside ours; the monotonic clock is ours."""

    def __init__(self, file: Path) -> None:
        told = subprocess.run(["faketime", "-f", "+0", "env"], capture_output=True, text=True, check=True).stdout
        (library,) = [line for line in told.splitlines() if line.startswith("LD_PRELOAD=")]
        self._file = file
        self.environ = {
            "LD_PRELOAD": library.removeprefix("LD_PRELOAD=").replace("libfaketime.so", "libfaketimeMT.so"),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.beside = 0
        self.jump(0)

    def jump(self, seconds: int) -> None:
        """Move the clock."""
        self.beside += seconds
        written = self._file.with_suffix(".new")
        written.write_text(f"{self.beside:+d}")
        written.replace(self._file)

    def token(self) -> str:
        """A token that is good by this clock."""
        return token(seconds=self.beside)


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forwards", "backwards"])
def test_rel_81_a_wall_clock_that_jumps_moves_tokens_and_nothing_else(tmp_path: Path, jump: int, full: bool) -> None:
    requests, clock = 3_000 if full else 300, Clock(tmp_path / "clock")
    with LoopbackServer() as issuer:
        issuer.jwks = {"keys": [KEY.public().to_jwk()]}
        keys = f"{{url: '{issuer.url}/jwks'}}"
        with (
            running(tmp_path, keys=keys, environ=clock.environ) as (gateway, _),
            Figures("REL-81", f"wall clock {jump:+d} s", pids=gateway.pids, log=gateway.journal) as figures,
        ):
            old = clock.token()
            with Load(gateway.ports[0], token=clock.token, connections=CLIENTS) as load:
                load.more(requests)
                before, fetches = load.requests, issuer.jwks_requests
                assert (load.dropped, load.wrong(200)) == (0, 0)
                began = time.monotonic()
                clock.jump(jump)
                load.more(2 * CLIENTS)  # what was signed before the clock moved
                unsettled = load.wrong(200)
                load.more(requests)
                figures.note_load(load, began=began, wanted=None)
                figures.note("wrong_as_it_moved", unsettled)
                figures.note("wrong_afterwards", load.wrong(200) - unsettled)
                figures.note("fetches", issuer.jwks_requests - fetches)
                assert load.requests >= before + requests
                assert (load.dropped, load.refused, load.wrong(200)) == (0, 0, unsettled)
                assert unsettled <= 2 * CLIENTS
            assert gateway.get("/", token=old)[0] == (401 if jump > 0 else 200)
            assert issuer.jwks_requests == fetches
            told = gateway.readiness()
            assert (told["ready"], told["degraded"], told["worker_restarts"]) == (True, False, 0)
            assert gateway.reload()["event"] == "reloaded"
            gateway.signal(signal.SIGTERM)
            assert gateway.exit_status() == 0
