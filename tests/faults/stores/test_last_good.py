"""The last good copy of the document when the file it is in is torn, or not ours (REL-8, REL-70)."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures
from tests.faults.process.node import document, running, token
from tests.integration.admin_gateway import JWTGATE, AdminGateway
from tests.integration.gateway_process import GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.stored import administered, consumer, own_token
from tests.integration.supervised import mark, stop

from jwtgate.state.saved import write_saved


def flip(copy: Path) -> None:
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)


def of_another_version(copy: Path) -> None:
    head, _, text = copy.read_bytes().partition(b"\n")[2].partition(b"\n")
    previous = copy.with_name("document.previous").read_bytes()
    write_saved(copy, json.dumps({**json.loads(head), "version": 99}).encode() + b"\n" + text)
    copy.with_name("document.previous").write_bytes(previous)


BROKEN: dict[str, Callable[[Path], object]] = {
    "truncated": lambda copy: copy.write_bytes(copy.read_bytes()[:-3]),
    "bit-flipped": flip,
    "empty": lambda copy: copy.write_bytes(b""),
    "of another version": of_another_version,
}


@pytest.mark.parametrize("how", BROKEN)
def test_rel_70_a_broken_copy_is_set_aside_for_the_one_before(tmp_path: Path, how: str) -> None:
    with (
        running(tmp_path, workers=1) as (gateway, upstream),
        Figures("REL-70", f"last good copy {how}", pids=gateway.pids, log=gateway.journal) as figures,
    ):
        assert gateway.reload(document(upstream.url, mark="second"))["event"] == "reloaded"
        stop(gateway)
        copy = gateway.state / "last-good" / "document"
        BROKEN[how](copy)
        broken = copy.read_bytes()
        gateway.document.write_text("listen: [")
        gateway.start()
        gateway.until(lambda: gateway.events("serving"))
        assert mark(gateway, token()) == "first"
        assert copy.with_name("document.damaged").read_bytes() == broken
        assert gateway.readiness()["degraded"] is True
        told = figures.log_events()
        assert (told["document_refused"], told["last_good_copy_used"]) == (1, 1)
        assert any("damaged; it was set aside" in name for name in told)


def test_rel_7_consumers_whose_file_is_gone_are_those_of_the_last_time(tmp_path: Path) -> None:
    people = tmp_path / "people.jsonl"
    people.write_text(json.dumps({"name": "ann", **consumer("key-ann")}) + "\n")
    with LoopbackServer() as upstream:
        text = administered(upstream.url, consumer_files=[str(people)])
        with GatewayProcess(tmp_path, text, workers=1) as gateway:
            assert gateway.get("/own/a", token=own_token("key-ann"))[0] == 200
            stop(gateway)
            people.unlink()
            gateway.start()
            gateway.until(lambda: gateway.events("serving"))
            assert gateway.events("consumers_of_last_time_used")[0]["problems"]
            assert gateway.readiness()["degraded"] is True
            assert gateway.get("/own/a", token=own_token("key-ann"))[0] == 200
            assert gateway.get("/own/a", token=own_token("key-bob"))[0] == 401
            people.write_text(json.dumps({"name": "bob", **consumer("key-bob")}) + "\n")
            gateway.until(lambda: gateway.events("reloaded"))
            assert gateway.get("/own/a", token=own_token("key-bob"))[0] == 200
            assert gateway.get("/own/a", token=own_token("key-ann"))[0] == 401


KONG = """
_format_version: "3.0"
services:
  - {{name: s, url: {url}, routes: [{{name: r, paths: [/kept]}}]}}
"""


class KongGateway(AdminGateway):
    """A gateway that serves a file of Kong."""

    def start(self, *, last_good: bool = True) -> None:
        """Start it without waiting for anything."""
        self._began = len(self._lines())
        options = ["--dialect", "kong", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--workers", "1"]
        command = [JWTGATE, "serve", self.document, "--state", self.state, *options]
        with self._journal.open("ab") as journal, self._access_log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=journal, env=self._environ)


@pytest.mark.parametrize("sealed", [False, True])
def test_rel_7_a_gateway_of_a_dialect_whose_file_is_gone_serves_the_copy_until_it_is_back(
    tmp_path: Path, sealed: bool
) -> None:
    environ = {"JWTGATE_MASTER_KEY": "m" * 32} if sealed else {}
    with LoopbackServer() as upstream, KongGateway(tmp_path, KONG.format(url=upstream.url), environ=environ) as gateway:
        assert gateway.get("/kept")[0] == 200
        stop(gateway)
        copy = (gateway.state / "last-good" / "kong").read_bytes()
        assert (upstream.url.encode() in copy) is not sealed
        away = gateway.document.rename(tmp_path / "away")
        gateway.start()
        gateway.until(lambda: gateway.events("serving"))
        assert gateway.events("last_good_copy_used")
        assert gateway.get("/kept")[0] == 200
        away.rename(gateway.document)
        gateway.until(lambda: gateway.events("reloaded"))
        assert gateway.get("/kept")[0] == 200
        gateway.until(lambda: gateway.events("admin_listening"))
