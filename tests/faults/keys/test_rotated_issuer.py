"""An issuer that changes its keys, alone and beneath a flood of tokens whose `kid` nobody has."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.faults.keys.neighbours import Neighbours, document, with_kid
from tests.integration.gateway_process import GatewayProcess

PAUSE_SECONDS = 0.004


@pytest.fixture
def around() -> Iterator[Neighbours]:
    with Neighbours() as running:
        yield running


def test_rel_60_a_new_key_signs_at_once_and_costs_one_fetch_and_no_request(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    amount = 5_000 if full else 500
    issuer = around.issuer("k1")
    old, new = issuer.tokens("k1"), issuer.tokens("k2")
    with GatewayProcess(tmp_path, document(around, {"orders": issuer})) as gateway:
        figures = Figures("REL-60", "a new key signs at once, the old one is removed", pids=gateway.pids)
        port, ages = gateway.ports[0], gateway.metric("jwtgate_key_set_fetches_total")
        with figures:
            with Load(port, token=old, pause_seconds=PAUSE_SECONDS) as before:
                before.more(amount)
            fetches = issuer.fetches
            issuer.publish("k2")
            rotated = time.monotonic()
            with Load(port, token=new, connections=50, pause_seconds=PAUSE_SECONDS) as load:
                load.more(2 * amount)
            gone = recovery_seconds(lambda: gateway.get("/orders/1", token=old())[0] == 401, most_seconds=1)
            figures.note_load(load, began=rotated)
            figures.note("p50_before", before.percentile(50))
            figures.note("p99_before", before.percentile(99))
            figures.note("fetches", issuer.fetches - fetches)
            figures.note("old_key_refused_after", f"{gone:.2f} s")
            figures.note("longest_wait", f"{load.percentile(100):.0f} ms")
        assert (before.dropped, before.wrong(200)) == (0, 0)
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert issuer.fetches == fetches + 1
        assert gateway.metric("jwtgate_key_set_fetches_total") == ages + 1


def test_rel_61_a_flood_of_made_up_kids_keeps_no_new_key_out(full: bool, tmp_path: Path, around: Neighbours) -> None:
    # The budget is one fetch in 30 s; where that is not waited for, the fetch in turn brings the new key.
    amount, refresh_seconds, most_seconds = (10_000, 300, 35) if full else (2_000, 6, 20)
    issuer = around.issuer("k1")
    good, made_up = issuer.tokens("k1"), issuer.token("k1")
    whole = document(around, {"orders": issuer}, refresh_seconds=refresh_seconds)
    with GatewayProcess(tmp_path, whole) as gateway:
        figures = Figures(
            "REL-61",
            f"{amount} tokens with made-up kids from one address, and a new key meanwhile; fetched each "
            f"{refresh_seconds} s in turn",
            pids=gateway.pids,
        )
        port = gateway.ports[0]
        with figures, Load(port, token=good, pause_seconds=PAUSE_SECONDS) as load:
            with Load(port, token=good, pause_seconds=PAUSE_SECONDS) as normal:
                normal.until(amount)
            fetches, began = issuer.fetches, time.monotonic()
            flood = Load(port, token=lambda: with_kid(made_up, secrets.token_hex(8)), pause_seconds=PAUSE_SECONDS)
            with flood:
                flood.until(amount // 4)
                issuer.publish("k1", "k2")
                token, rotated = issuer.token("k2"), time.monotonic()
                recovery_seconds(lambda: gateway.get("/orders/1", token=token)[0] == 200, most_seconds=most_seconds)
                found = time.monotonic()
                flood.until(amount)
                of_the_flood, lasted = issuer.fetches - fetches, time.monotonic() - began
            figures.note_load(load, began=began, ended=found)
            figures.note("recovery_seconds", found - rotated)
            figures.note("fetches", f"{of_the_flood} in {lasted:.0f} s of flood")
            figures.note("made_up_tokens", flood.requests)
            figures.note("p99_with_as_many_good_tokens", f"{normal.percentile(99):.1f} ms")
            figures.note("p99_of_the_flood", f"{flood.percentile(99):.1f} ms")
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert (flood.dropped, flood.wrong(401)) == (0, 0)
        assert of_the_flood <= 2 * (1 + lasted // 30) + lasted // (0.75 * refresh_seconds)
