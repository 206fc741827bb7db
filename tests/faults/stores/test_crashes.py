"""What is kept when the process is killed at random moments (REL-69)."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures
from tests.faults.stores.store_writer import STEPS, act, keyring_at, registry_in
from tests.integration.gateway_process import GatewayProcess
from tests.integration.loopback_server import LoopbackServer
from tests.integration.stored import administered, consumer

from jwtgate.state.stores.registry import Kind, Registry
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import MemoryStore

HERE = Path(__file__).parent


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
    with Figures("REL-69", f"kill -9 of a writer: 200 changes, 20 rotations, seed {seed}") as figures:
        chance = random.Random(seed)
        path, done, crashes = tmp_path / "db", 0, 0
        while done < STEPS:
            told = killed_after(path, lines=chance.randrange(1, 50), seconds=chance.uniform(0, 0.01))
            done = check_store(path, told)
            crashes += 1
        figures.note("crashes", crashes)
        assert crashes >= 4


def check_store(path: Path, told: dict[str, str]) -> int:
    """How many steps are done, of which these were acknowledged last."""
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
    return done


class Operator:
    """Changes one consumer after the other, and rotates now and then, until nobody answers any more.

    `kept`: the step each consumer was last changed in, as acknowledged; `asked`: the change nobody acknowledged.
    """

    def __init__(self) -> None:
        self.step = 0
        self.kept: dict[str, int] = {}
        self.asked: tuple[str, int] | None = None
        self.rotations = 0

    def work(self, gateway: GatewayProcess, *, writes: int) -> None:
        """Do so many changes in all."""
        with suppress(OSError, HTTPException):
            while self.step < writes:
                self._change(gateway)
                if self.step % 10 == 0:
                    self.rotations += gateway.administer("POST", "signing-keys/default/rotate")[0] == 200

    def _change(self, gateway: GatewayProcess) -> None:
        name, step = f"c{self.step % 7}", self.step + 1
        value = consumer(f"key-{name}")
        value["credentials"][f"key-{name}"]["labels"] = {"step": str(step)}
        self.asked = (name, step)
        assert gateway.administer("PUT", f"consumers/{name}", value)[0] == 200
        self.kept[name], self.step, self.asked = step, step, None

    def check(self, gateway: GatewayProcess) -> None:
        """Fail unless what is kept is what was acknowledged, with or without the change that was under way."""
        for name in (f"c{number}" for number in range(7)):
            status, told = gateway.administer("GET", f"consumers/{name}")
            found = int(told["value"]["credentials"][f"key-{name}"]["labels"]["step"]) if status == 200 else None
            if (name, found) == self.asked:
                self.kept[name] = self.step = found
            assert found == self.kept.get(name)


def test_rel_69_a_killed_gateway_has_kept_what_its_admin_api_acknowledged(tmp_path: Path, full: bool) -> None:
    seed = random.randrange(1_000_000)
    chance, operator, writes, crashes = random.Random(seed), Operator(), 200 if full else 40, 0
    with (
        LoopbackServer() as upstream,
        GatewayProcess(tmp_path, administered(upstream.url)) as gateway,
        Figures("REL-69", f"kill -9 of the gateway: {writes} changes over the Admin API", pids=gateway.pids) as figures,
    ):
        figures.note("seed", seed)
        kids: set[str] = set()
        while operator.step < writes:
            killer = threading.Timer(chance.uniform(0.05, 1.0), gateway.process.kill)
            killer.start()
            operator.work(gateway, writes=writes)
            killer.join()
            gateway.process.wait()
            crashes += 1
            gateway.start()
            gateway.until(lambda: gateway.events("serving"))
            operator.check(gateway)
            held = {each["kid"] for each in gateway.administer("GET", "signing-keys/default/keys")[1]["items"]}
            assert held >= kids
            kids = held
        figures.note("crashes", crashes)
        figures.note("rotations", operator.rotations)
        assert crashes >= 1
