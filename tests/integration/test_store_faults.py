"""The store when the process dies, when somebody else holds the file, and when the disk is full (REL-66, 68, 69)."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from jwtgate.state.stores.registry import Kind, Registry
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import MemoryStore, Record, StoreFailed

from .store_writer import STEPS, act, keyring_at, registry_in

HERE = Path(__file__).parent
OWN_MOUNTS = ["unshare", "--map-root-user", "--mount"]


def contents(registry: Registry) -> tuple[object, ...]:
    return (tuple(registry.all(Kind.CONSUMER)), registry.documents(), registry.audit())


def after(steps: int) -> tuple[object, ...]:
    """What a store that nothing happened to holds after so many steps."""
    registry = registry_in(MemoryStore())
    for step in range(steps):
        act(registry, step)
    return contents(registry)


def killed_after(path: Path, *, lines: int, seconds: float) -> dict[str, str]:
    """What a writer acknowledged last of each kind, until it was killed a moment after so many lines."""
    command = [sys.executable, str(HERE / "store_writer.py"), str(path)]
    acknowledged: dict[str, str] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for number, line in enumerate(writer.stdout, start=1):
            if not line.endswith("\n"):
                break  # the end came while it was being said: nobody was told anything
            kind, value = line.split()
            acknowledged[kind] = value
            if number == lines:
                time.sleep(seconds)
                writer.kill()
    assert writer.returncode in (0, -9)
    return acknowledged


@pytest.mark.parametrize("seed", [1, 2])
def test_rel_69_a_crash_leaves_the_state_before_or_after_a_write_and_all_that_was_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    path, done, crashes = tmp_path / "db", 0, 0
    while done < STEPS:
        told = killed_after(path, lines=chance.randrange(1, 50), seconds=chance.uniform(0, 0.01))
        with closing(SqliteStore(path)) as store:
            registry = registry_in(store)
            done = registry.changes
            assert done - int(told["step"]) in (0, 1)
            assert contents(registry) == after(done)
            keyring = keyring_at(store, done)
            assert told.get("key", keyring.keys("main")[-1].key.kid) in {held.key.kid for held in keyring.keys("main")}
            assert keyring.signer("main").key.kid in {key.kid for key in keyring.published()}
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        crashes += 1
    assert crashes >= 4


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


def test_rel_68_a_full_disk_refuses_writes_and_harms_nothing(tmp_path: Path) -> None:
    check_full_disk([], "limit", tmp_path / "state")


def test_rel_68_a_full_file_system_refuses_writes_and_harms_nothing(tmp_path: Path) -> None:
    if (
        shutil.which("unshare") is None
        or subprocess.run([*OWN_MOUNTS, "true"], capture_output=True, timeout=10).returncode
    ):
        pytest.skip("a process may not have mounts of its own here")
    check_full_disk(OWN_MOUNTS, "tmpfs", tmp_path / "state")


def check_full_disk(inside: list[str], kind: str, folder: Path) -> None:
    command = [*inside, sys.executable, str(HERE / "full_disk.py"), kind, str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    refused, recovered = run.stdout.splitlines()
    assert "the database failed" in refused
    assert recovered == "recovered"
