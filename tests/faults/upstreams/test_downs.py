"""Targets that are gone, and come back (REL-73)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.faults.upstreams.target import Target, events, gateway_before
from tests.integration.rig import token

WORKERS = 2


@pytest.fixture
def targets() -> Iterator[list[Target]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Target()) for _ in range(3)]


def test_rel_73_all_checked_targets_down_is_a_503_at_once_until_one_is_back(
    tmp_path: Path, targets: list[Target], full: bool
) -> None:
    every = 2.0 if full else 0.5
    check = {"path": "/health", "every_seconds": every, "healthy_after": 1, "unhealthy_after": 1}
    with (
        gateway_before(tmp_path, *targets, workers=WORKERS, health_check=check) as gateway,
        Figures("REL-73", "all targets down, one back, with checks", pids=gateway.pids, log=gateway.journal) as figures,
        Load(gateway.ports[0], token=token(), pause_seconds=0.01) as load,
    ):
        load.more(200)
        began = time.monotonic()
        for target in targets:
            target.stop()
        gateway.until(lambda: gateway.metric("jwtgate_target_down") == WORKERS * len(targets))
        assert [each["down"] for each in gateway.readiness()["targets"]] == [WORKERS] * len(targets)
        known_down = time.monotonic()
        load.reset()
        load.more(2_000 if full else 300)
        down_503, waited = load.statuses[503], load.percentile(99, known_down)
        figures.note("503_while_down", down_503)
        # What was on its way when the counting began may still end in the way of before.
        assert load.requests - down_503 <= 8
        assert load.dropped == 0
        targets[1].start()
        figures.note("recovery_seconds", recovery_seconds(lambda: load.statuses[200] > 0, most_seconds=every + 5.0))
        gateway.until(lambda: gateway.metric("jwtgate_target_up") == WORKERS)
        ended = time.monotonic()
        load.reset()
        load.more(200)
        figures.note_load(load, began=began, ended=ended)
        figures.note("p99_while_down_ms", waited)
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert targets[0].requests + targets[2].requests < targets[1].requests + 200
        for state in ("down", "up"):
            assert len(events(gateway, "upstream_state", state=state)) == WORKERS
        assert len(events(gateway, "target_state", target=f"127.0.0.1:{targets[1].port}", state="up")) == WORKERS


def test_rel_73_without_checks_the_first_request_that_can_be_served_is(
    tmp_path: Path, targets: list[Target], full: bool
) -> None:
    with (
        gateway_before(tmp_path, *targets, workers=1) as gateway,
        Figures(
            "REL-73", "all targets down, one back, without checks", pids=gateway.pids, log=gateway.journal
        ) as figures,
        Load(gateway.ports[0], token=token(), pause_seconds=0.01) as load,
    ):
        load.more(200)
        began = time.monotonic()
        for target in targets:
            target.stop()
        load.more(2_000 if full else 300)
        told = dict(load.statuses)
        targets[1].start()
        before = load.statuses[200]
        figures.note("recovery_seconds", recovery_seconds(lambda: load.statuses[200] > before, most_seconds=10.0))
        gateway.until(lambda: gateway.metric("jwtgate_target_up") == 1)
        ended = time.monotonic()
        load.reset()
        load.more(200)
        figures.note_load(load, began=began, ended=ended)
        assert set(told) <= {200, 502, 503}
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert len(events(gateway, "target_state", state="resting")) == len(targets)
