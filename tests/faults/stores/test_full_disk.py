"""A disk that is full (REL-68)."""

import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.integration.gateway_process import GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.rig import token
from tests.integration.stored import administered, consumer

HERE = Path(__file__).parent
OWN_MOUNTS = ["unshare", "--map-root-user", "--mount"]
ROOM_BYTES = 600_000
PADDING = f"\n# {'x' * 2 * ROOM_BYTES}\n"


def test_rel_68_a_full_disk_refuses_writes_and_harms_nothing(tmp_path: Path) -> None:
    with Figures("REL-68", "files cannot grow: store and index of consumers"):
        check_full_disk([], "limit", tmp_path / "state")


def test_rel_68_a_full_file_system_refuses_writes_and_harms_nothing(tmp_path: Path) -> None:
    if (
        shutil.which("unshare") is None
        or subprocess.run([*OWN_MOUNTS, "true"], capture_output=True, timeout=10).returncode
    ):
        pytest.skip("a process may not have mounts of its own here")
    with Figures("REL-68", "a full file system: store and index of consumers"):
        check_full_disk(OWN_MOUNTS, "tmpfs", tmp_path / "state")


def check_full_disk(inside: list[str], kind: str, folder: Path) -> None:
    command = [*inside, sys.executable, str(HERE / "full_disk.py"), kind, str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    refused, recovered = run.stdout.splitlines()
    assert "the database failed" in refused
    assert recovered == "recovered"


def test_rel_68_a_gateway_without_room_serves_says_so_and_writes_once_there_is_room(tmp_path: Path, full: bool) -> None:
    requests = 5_000 if full else 500
    with LoopbackServer() as upstream, GatewayProcess(tmp_path, administered(upstream.url)) as gateway:
        good = gateway.document.read_text()
        with (
            Figures("REL-68", "the gateway may write no large file", pids=gateway.pids, log=gateway.journal) as figures,
            Load(gateway.ports[0], token=token()) as load,
        ):
            load.more(100)
            began = time.monotonic()
            set_room(gateway, ROOM_BYTES)
            assert gateway.reload(good + PADDING)["event"] == "reloaded"
            load.more(requests)
            told = gateway.readiness()
            assert (told["ready"], told["degraded"], told["state_saved"]) == (True, True, False)
            assert gateway.metric("jwtgate_state_saved") == 0
            written = write_until_refused(gateway)
            set_room(gateway, resource.RLIM_INFINITY)
            seconds = recovery_seconds(lambda: gateway.readiness()["state_saved"], most_seconds=15.0)
            assert gateway.administer("PUT", "consumers/after", consumer("key-after"))[0] == 200
            figures.note_load(load, began=began, ended=time.monotonic())
            figures.note("recovery_seconds", seconds)
            assert (load.dropped, load.refused, load.wrong(200)) == (0, 0, 0)
            events = figures.log_events()
            assert (events["last_good_copy_not_written"], events["last_good_copy_written"]) == (1, 1)
        assert b"xxx" in (gateway.state / "last-good" / "document").read_bytes()
        gateway.process.kill()
        gateway.process.wait()
        gateway.document.write_text("listen: [")
        gateway.start()
        gateway.until(lambda: gateway.events("serving"))
        assert gateway.events("last_good_copy_used")
        names = {each["name"] for each in gateway.administer("GET", "consumers?limit=1000")[1]["items"]}
        assert names == {*written, "after"}


def set_room(gateway: GatewayProcess, most_bytes: int) -> None:
    """Let no file that its supervisor writes be larger."""
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


def write_until_refused(gateway: GatewayProcess) -> set[str]:
    """The consumers that were kept before there was no room for another."""
    written = set()
    for number in range(200):
        value = consumer(f"key-{number}")
        value["credentials"][f"key-{number}"]["labels"] = {f"l{label}": "x" * 1_000 for label in range(30)}
        status, _ = gateway.administer("PUT", f"consumers/c{number}", value)
        if status == 503:
            return written
        assert status == 200
        written.add(f"c{number}")
    raise AssertionError("the disk was never full")
