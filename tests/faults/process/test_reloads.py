"""Reloads under load: those that are taken, and those that are refused (REL-52, REL-53)."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures
from tests.faults.harness.load import Load
from tests.faults.process.node import CLIENTS, KEYS, document, running, token
from tests.integration.gateway_process import ADMIN, GatewayProcess

MARKS = ("first", "second")


class Seen:
    """Which documents the answered requests met; `mixed` counts those that met more than one."""

    def __init__(self) -> None:
        self.marks: set[str] = set()
        self.mixed = 0

    def __call__(self, status: int, body: bytes) -> None:
        fields = json.loads(body)
        met = {fields["x-mark"], fields["x-mark-again"]}
        self.marks |= met
        self.mixed += len(met) > 1


def test_rel_52_reloads_in_a_row_drop_nothing_and_mix_nothing(tmp_path: Path, full: bool) -> None:
    requests, seen = 5_000 if full else 500, Seen()
    with (
        running(tmp_path) as (gateway, upstream),
        Figures("REL-52", "20 reloads in a row, two documents", pids=gateway.pids, log=gateway.journal) as figures,
        Load(gateway.ports[0], token=token(), connections=CLIENTS, heard=seen) as load,
    ):
        load.more(100)
        began, slowest = time.monotonic(), 0
        for number in range(20):
            told = gateway.reload(document(upstream.url, mark=MARKS[1 - number % 2]))
            assert told["event"] == "reloaded", told
            assert gateway.readiness()["generation"] == told["generation"]
            slowest = max(slowest, told["milliseconds"])
            load.more(requests // 20)
        figures.note_load(load, began=began, ended=time.monotonic())
        figures.note("slowest_reload_ms", slowest)
        figures.note("mixed", seen.mixed)
        assert (load.dropped, load.refused, load.wrong(200), seen.mixed) == (0, 0, 0, 0)
        assert load.opened == CLIENTS
        assert seen.marks == set(MARKS)
        assert len(gateway.workers()) == 2


BROKEN: dict[str, Callable[[str, int], str]] = {
    "a syntax error": lambda text, port: text + "\n  - [",
    "an unknown key": lambda text, port: text + "\nunheard_of: 1\n",
    "a missing secret": lambda text, port: text.replace(KEYS, "{secret: '${env:NO_SUCH_SECRET}'}"),
    "an unreadable key file": lambda text, port: text.replace(KEYS, "{file: none.pem}"),
    "a port in use": lambda text, port: text.replace("127.0.0.1:0", f"127.0.0.1:{port}", 1),
}


@pytest.fixture(scope="module")
def administered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    more = f"admin: {json.dumps(ADMIN)}"
    with running(tmp_path_factory.mktemp("gateway"), more=more) as (gateway, _):
        yield gateway


@pytest.mark.parametrize("what", BROKEN)
def test_rel_53_a_reload_that_cannot_be_is_refused_with_its_reason(
    administered: GatewayProcess, what: str, full: bool
) -> None:
    gateway, requests = administered, 2_000 if full else 200
    good, before = gateway.document.read_text(), gateway.readiness()["generation"]
    failures = gateway.metric("jwtgate_reload_failures_total")
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        Figures("REL-53", f"a reload with {what}", pids=gateway.pids, log=gateway.journal) as figures,
        Load(gateway.ports[0], token=token(), connections=CLIENTS) as load,
    ):
        load.more(100)
        began = time.monotonic()
        told = gateway.reload(BROKEN[what](good, taken.getsockname()[1]))
        load.more(requests)
        figures.note_load(load, began=began, ended=time.monotonic())
        assert told["event"] == "reload_refused", told
        assert told["problems"]
        assert (load.dropped, load.refused, load.wrong(200)) == (0, 0, 0)
        readiness = gateway.readiness()
        assert (readiness["generation"], readiness["ready"], readiness["degraded"]) == (before, True, True)
        assert gateway.metric("jwtgate_reload_failures_total") == failures + 1
        assert gateway.reload(good)["event"] == "reloaded"
        assert gateway.readiness()["degraded"] is False
        assert figures.log_events()["reload_refused"] == 1


def test_rel_53_a_change_over_the_admin_api_that_cannot_be_is_refused_with_its_reason(
    administered: GatewayProcess, full: bool
) -> None:
    gateway, requests = administered, 2_000 if full else 200
    route = {"path": "/added", "auth": "none", "upstream": "nowhere"}
    with (
        Figures("REL-53", "an unfit change over the Admin API", pids=gateway.pids, log=gateway.journal) as figures,
        Load(gateway.ports[0], token=token(), connections=CLIENTS) as load,
    ):
        before = gateway.readiness()["generation"]
        status, told = gateway.administer("PUT", "routes/added", route)
        load.more(requests)
        figures.note_load(load)
        figures.note("admin_status", status)
        assert 400 <= status < 500
        assert told["mistakes"][0]["place"] == "/upstream"
        assert (load.dropped, load.refused, load.wrong(200)) == (0, 0, 0)
        assert gateway.readiness()["generation"] == before
