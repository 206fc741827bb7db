"""An upstream that takes connections and never answers (REL-72)."""

from __future__ import annotations

import time
from pathlib import Path

from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.faults.upstreams.target import OK, SILENCE, Target, events, gateway_before
from tests.integration.rig import token

CLIENTS, MOST_REQUESTS, WORKERS = 200, 20, 2
MIB = 1024 * 1024


def test_rel_72_who_waits_in_vain_has_a_504_and_who_is_one_too_many_a_503_at_once(tmp_path: Path, full: bool) -> None:
    limits = {"first_byte_seconds": 5.0 if full else 1.0, "most_requests": MOST_REQUESTS, "most_pending": MOST_REQUESTS}
    target = Target(lambda number, path: SILENCE)
    with (
        target,
        gateway_before(tmp_path, target, workers=WORKERS, **limits) as gateway,
        Figures(
            "REL-72", "an upstream takes connections and never answers", pids=gateway.pids, log=gateway.journal
        ) as figures,
        Load(gateway.ports[0], token=token(), connections=CLIENTS, pause_seconds=0.2) as load,
    ):
        began = time.monotonic()
        gateway.until(lambda: load.statuses[504] >= MOST_REQUESTS)
        assert gateway.metric("jwtgate_upstream_breaker_open") > 0
        memory = figures.memory[2]
        waited = 10 * MOST_REQUESTS if full else 3 * MOST_REQUESTS
        gateway.until(lambda: load.statuses[504] >= waited)
        grown = figures.memory[2] - memory
        in_flight = gateway.metric("jwtgate_target_requests_in_flight")
        target.reply = lambda number, path: OK
        ended = time.monotonic()
        figures.note("recovery_seconds", recovery_seconds(lambda: load.statuses[200] >= CLIENTS, most_seconds=15.0))
        load.__exit__()
        gateway.until(lambda: not gateway.metric("jwtgate_upstream_breaker_open"))
        figures.note_load(load, began=began, ended=ended, wanted=None)
        figures.note("504", load.statuses[504])
        figures.note("503", load.statuses[503])
        figures.note("refused_by_breaker", gateway.metric("jwtgate_upstream_refused_total"))
        figures.note("grown_MiB", grown / MIB)
        assert load.dropped == 0
        assert set(load.statuses) == {200, 503, 504}
        assert load.statuses[503] == gateway.metric("jwtgate_upstream_refused_total")
        assert in_flight <= WORKERS * MOST_REQUESTS
        assert load.percentile(50, began, ended) < limits["first_byte_seconds"] * 1000
        assert grown < 16 * MIB
        for name in ("breaker_open_began", "breaker_open_ended"):
            assert 1 <= len(events(gateway, name, upstream="echo")) <= WORKERS
