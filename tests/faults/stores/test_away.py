"""A store that somebody else holds, or that is gone, for the whole test (REL-6, REL-66)."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures
from tests.faults.harness.load import Load
from tests.faults.stores.store_writer import registry_in
from tests.integration.gateway_process import GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.rig import token
from tests.integration.stored import (
    ROUTE,
    administered,
    consumer,
    gone,
    kill_worker,
    locked,
    own_token,
    restart,
    statuses,
)

from jwtgate.state.stores.registry import Kind
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import Record, StoreFailed

BEARER = own_token("key-1")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    with LoopbackServer() as upstream, GatewayProcess(tmp_path, administered(upstream.url)) as gateway:
        assert gateway.administer("PUT", "consumers/ann", consumer("key-1"))[0] == 200
        gateway.until(lambda: statuses(gateway, "/own/a", BEARER) == {200})
        yield gateway


def test_rel_66_a_store_that_is_locked_stops_changes_and_nothing_else(gateway: GatewayProcess, full: bool) -> None:
    requests = 10_000 if full else 500
    with Figures(
        "REL-66", "the SQLite file is locked, and both workers are killed", pids=gateway.pids, log=gateway.journal
    ) as figures:
        with locked(gateway):
            for pid in gateway.workers():
                kill_worker(gateway, pid)
            with Load(gateway.ports[0], token=token()) as load:
                began = time.monotonic()
                # Workers that remember nobody ask for consumers and keys anew.
                assert statuses(gateway, "/own/a", BEARER) == {200}
                assert statuses(gateway, "/own/a", own_token("key-2")) == {401}
                for path, value in (("consumers/bob", consumer("key-2")), ("routes/added", ROUTE)):
                    assert gateway.administer("PUT", path, value)[0] == 503
                assert gateway.administer("POST", "revocations", {"by": "jti", "value": "t-1"})[0] == 503
                load.until(requests)
                figures.note_load(load, began=began)
                assert (load.dropped, load.refused, load.wrong(200)) == (0, 0, 0)
            assert statuses(gateway, "/added/a") == {404}
        began = time.monotonic()
        assert gateway.administer("PUT", "consumers/bob", consumer("key-2"))[0] == 200
        figures.note("recovery_seconds", time.monotonic() - began)
        assert gateway.administer("PUT", "routes/added", ROUTE)[0] == 200
        assert statuses(gateway, "/added/a") == {200}
    restart(gateway)
    names = [each["name"] for each in gateway.administer("GET", "consumers")[1]["items"]]
    assert names == ["ann", "bob"]


def test_rel_6_a_store_that_is_gone_stops_nobody_s_request(gateway: GatewayProcess, full: bool) -> None:
    requests = 5_000 if full else 500
    with (
        Figures("REL-66", "the SQLite file is overwritten", pids=gateway.pids, log=gateway.journal) as figures,
        gone(gateway),
        Load(gateway.ports[0], token=BEARER, path="/own/a") as load,
    ):
        load.until(requests)
        figures.note_load(load, began=0.0)
        assert (load.dropped, load.refused, load.wrong(200)) == (0, 0, 0)
        assert statuses(gateway, "/orders/1", token()) == {200}


@pytest.mark.parametrize("hold", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_rel_66_a_store_that_somebody_else_holds_refuses_writes_and_is_good_again_afterwards(
    tmp_path: Path, hold: str
) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store, closing(sqlite3.connect(tmp_path / "db")) as other:
        registry = registry_in(store)
        first = registry.put(Kind.CONSUMER, "orders", {"n": 1}, over=0, who="op")
        other.execute(hold)
        with pytest.raises(StoreFailed, match="locked"):
            registry.put(Kind.CONSUMER, "orders", {"n": 2}, over=1, who="op")
        assert registry.get(Kind.CONSUMER, "orders") == first
        other.rollback()
        assert registry.put(Kind.CONSUMER, "orders", {"n": 2}, over=1, who="op").version == 2
        assert [entry.over for entry in registry.audit()] == [0, 1]


def test_rel_66_a_store_that_somebody_else_holds_alone_cannot_be_opened_and_is_not_harmed(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "db")) as store:
        store.write("a", b"one", over=0)
    with closing(sqlite3.connect(tmp_path / "db")) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreFailed, match="locked"):
            SqliteStore(tmp_path / "db")
    with closing(SqliteStore(tmp_path / "db")) as store:
        assert store.read("a") == Record(b"one", 1)
