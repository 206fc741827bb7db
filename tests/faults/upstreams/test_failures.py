"""One of three targets answers nothing but 500 (REL-74)."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.faults.upstreams.target import OK, Reply, Target, events, gateway_before
from tests.integration.rig import response, token

WORKERS = 1
BROKEN = Reply(response(b"oops", status="500 Internal Server Error"))


def test_rel_74_a_target_that_fails_is_left_out_and_let_in_when_it_is_well(tmp_path: Path, full: bool) -> None:
    amount, for_seconds = (5_000, 5.0) if full else (1_000, 1.0)
    ejection = {"failures_in_a_row": 5, "for_seconds": for_seconds}
    with ExitStack() as stack:
        targets = [stack.enter_context(Target()) for _ in range(3)]
        bad = targets[1]
        name = f"127.0.0.1:{bad.port}"
        gateway = stack.enter_context(gateway_before(tmp_path, *targets, workers=WORKERS, ejection=ejection))
        figures = stack.enter_context(
            Figures("REL-74", "one of three targets answers 500", pids=gateway.pids, log=gateway.journal)
        )
        load = stack.enter_context(Load(gateway.ports[0], token=token()))
        load.more(200)
        assert bad.requests > 0
        began = time.monotonic()
        bad.reply = lambda number, path: BROKEN
        gateway.until(lambda: gateway.metric("jwtgate_target_ejected") == WORKERS)
        figures.note("until_ejected_seconds", time.monotonic() - began)
        figures.note("500_until_ejected", load.statuses[500])
        load.reset()
        load.more(amount)
        share = load.statuses[500] / load.requests
        figures.note("500_percent_after", 100 * share)
        assert share < 0.02
        assert set(load.statuses) == {200, 500} or set(load.statuses) == {200}
        assert load.dropped == 0
        bad.reply = lambda number, path: OK
        healed, before = time.monotonic(), bad.requests
        figures.note(
            "recovery_seconds",
            recovery_seconds(lambda: bad.requests > before + 10, most_seconds=10 * for_seconds),
        )
        load.reset()
        load.more(200)
        figures.note_load(load, began=began, ended=healed)
        assert load.wrong(200) == 0
        assert events(gateway, "target_state", target=name, state="ejected")
        assert events(gateway, "target_state", target=name, state="up", before="ejected")
