"""More requests than a worker takes on are refused at once, and whoever asks how it is gets an answer (REL-17)."""

from __future__ import annotations

import time
from pathlib import Path

from tests.faults.clients.quick_upstream import QuickUpstream
from tests.faults.clients.served import gateway, pids
from tests.faults.harness.figures import Figures
from tests.faults.harness.load import Load

MOST, CLIENTS = 20, 100


def test_rel_17_a_worker_with_enough_to_do_says_so_quickly(tmp_path: Path) -> None:
    limits = {"requests": MOST}
    with QuickUpstream(seconds=0.3) as upstream, gateway(tmp_path, upstream.url, limits=limits) as process:
        what = "100 clients where 20 requests may be in flight"
        with Figures("REL-17", what, pids=lambda: pids(process), log=process.journal) as figures:
            port = process.ports[0]
            with Load(port, token=None, connections=CLIENTS, path="/open/a", pause_seconds=0.05) as load:
                load.until(1_000)
                slowest = 0.0
                for _ in range(10):
                    began = time.monotonic()
                    assert process.get("/livez", listener=-1)[0] == 200
                    slowest = max(slowest, time.monotonic() - began)
                assert process.metric("jwtgate_overloaded") == 1
            figures.note_load(load, wanted=None)
            figures.note("statuses", dict(load.statuses))
            figures.note("slowest_health_milliseconds", slowest * 1000)
            process.until(lambda: process.events("overload_ended"))
            assert set(load.statuses) == {200, 503}
            assert load.dropped == 0
            # Who is refused waits for nobody: most answers are refusals, and far quicker than the upstream.
            assert load.statuses[503] > load.statuses[200]
            assert load.percentile(50) < 300
            assert process.metric("jwtgate_requests_in_flight") <= 1
        assert figures.log_events()["overload_began"] == figures.log_events()["overload_ended"] == 1
