"""Workers and supervisors that are killed (REL-1, REL-50, REL-51)."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import TypeVar

from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.faults.process.node import CLIENTS, running, token
from tests.integration.gateway_process import GatewayProcess
from tests.integration.supervised import mark, unfinished_request

Answer = TypeVar("Answer")
REPLACED_SECONDS, GONE_SECONDS = 1.0, 5.0
SLACK = 10
"""How many times as long things may take where the tests run beside others."""


def test_rel_50_a_killed_worker_costs_what_it_was_busy_with_and_is_replaced(tmp_path: Path, full: bool) -> None:
    kills, requests = (5, 10_000) if full else (2, 200)
    patience = REPLACED_SECONDS * (1 if full else SLACK)
    with (
        running(tmp_path) as (gateway, _),
        Figures("REL-50", "kill -9 one of two workers", pids=gateway.pids, log=gateway.journal) as figures,
        Load(gateway.ports[0], token=token(), connections=CLIENTS) as load,
    ):
        began, slowest = time.monotonic(), 0.0
        for kill in range(1, kills + 1):
            load.more(requests // kills)
            counted = gateway.metric("jwtgate_requests_total")
            os.kill(gateway.workers()[0], signal.SIGKILL)
            slowest = max(slowest, recovery_seconds(lambda: is_replaced(gateway, kill), most_seconds=patience))  # noqa: B023
            assert gateway.metric("jwtgate_requests_total") >= counted
            assert load.dropped <= kill * CLIENTS
        load.more(CLIENTS)
        figures.note_load(load, began=began, ended=time.monotonic())
        figures.note("recovery_seconds", slowest)
        assert load.refused == 0
        assert load.wrong(200) == 0
        assert figures.log_events()["worker_died"] == kills


def is_replaced(gateway: GatewayProcess, kills: int) -> bool:
    told = gateway.readiness()
    return (told["worker_restarts"], told["workers"], told["degraded"]) == (kills, 2, False)


def test_rel_51_the_workers_of_a_killed_supervisor_leave_and_the_next_one_starts_at_once(
    tmp_path: Path, full: bool
) -> None:
    patience = GONE_SECONDS * (1 if full else 3)
    with running(tmp_path) as (gateway, _), unfinished_request(gateway, token()):
        port, workers = gateway.ports[0], gateway.workers()
        gateway.document.write_text(gateway.document.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}", 1))
        with (
            Figures("REL-51", "kill -9 the supervisor, and start again", pids=gateway.pids) as figures,
            Load(port, token=token(), connections=CLIENTS, replays=1) as load,
        ):
            load.more(100)
            began = time.monotonic()
            gateway.process.kill()
            gateway.process.wait()
            gateway.start()
            gateway.until(lambda: gateway.events("serving"))
            figures.note("recovery_seconds", time.monotonic() - began)
            gone = recovery_seconds(
                lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), most_seconds=patience
            )
            figures.note("workers_gone_seconds", gone)
            load.more(100)
            figures.note_load(load, began=began, ended=time.monotonic())
            assert gateway.ports[0] == port
            assert mark(gateway, token()) == "first"
            assert load.wrong(200) == 0
            assert load.dropped <= CLIENTS


def test_rel_1_a_crash_loop_backs_off_and_shows_until_it_is_over(tmp_path: Path) -> None:
    with (
        running(tmp_path) as (gateway, _),
        Figures("REL-1", "workers that die as soon as they serve", pids=gateway.pids, log=gateway.journal) as figures,
    ):
        over = threading.Event()
        killer = threading.Thread(target=keep_killing, args=(gateway, gateway.workers()[1], over))
        killer.start()
        try:
            gateway.until(lambda: gateway.events("crash_loop_began"))
            told = by_the_spared_one(gateway.readiness)
            assert [told[name] for name in ("crash_looping", "ready", "degraded")] == [True] * 3
            assert by_the_spared_one(lambda: gateway.metric("jwtgate_crash_looping")) == 1
            assert by_the_spared_one(lambda: gateway.get("/", token=token())[0]) == 200
        finally:
            over.set()
            killer.join()
        figures.note("recovery_seconds", recovery_seconds(lambda: is_well(gateway), most_seconds=15.0))
        waits = [event["wait_seconds"] for event in gateway.events("worker_died")]
        figures.note("waits", waits)
        assert waits == sorted(waits)
        assert waits[-1] > 0
        assert [len(gateway.events(name)) for name in ("crash_loop_began", "crash_loop_ended")] == [1, 1]
        assert gateway.metric("jwtgate_crash_looping") == 0


def keep_killing(gateway: GatewayProcess, spared: int, over: threading.Event) -> None:
    """Kill every worker but one, as soon as it is there."""
    while not over.wait(0.02):
        for pid in set(gateway.workers()) - {spared}:
            os.kill(pid, signal.SIGKILL)


def by_the_spared_one(ask: Callable[[], Answer]) -> Answer:
    """What is answered when nobody is killed meanwhile."""
    while True:
        with suppress(OSError, HTTPException):
            return ask()


def is_well(gateway: GatewayProcess) -> bool:
    told = gateway.readiness()
    return (told["crash_looping"], told["degraded"], told["workers"]) == (False, False, 2)
