"""Run by the tests as a process of its own: changes a store step by step and says what was acknowledged."""

import sys
from pathlib import Path

from jwtgate.policy.sources import SigningKeys
from jwtgate.state.keys.keyring import Keyring
from jwtgate.state.stores.registry import Kind, Registry
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import Store

STEPS = 200
NOON = 1_800_000_000
MAIN = SigningKeys("main", "ES256")


def registry_in(store: Store) -> Registry:
    return Registry(store, wall=lambda: NOON)


def act(registry: Registry, step: int) -> None:
    """The change of this step, which is one entry of the audit log; always the same, and never the same twice."""
    if step % 11 == 10:
        registry.apply_document({"step": step, "padding": "x" * (step * 97 % 9_000)}, over=None, who="op")
    elif step % 5 == 4 and step % 11 != 0:
        registry.delete(Kind.CONSUMER, f"r{(step - 1) % 7}", over=None, who="op")
    else:
        registry.put(
            Kind.CONSUMER, f"r{step % 7}", {"step": step, "padding": "x" * (step * 37 % 5_000)}, over=None, who="op"
        )


def keyring_at(store: Store, step: int) -> Keyring:
    """The key ring as it is when this step is done: each time much later, so that a rotation is complete."""
    keyring = Keyring.open(store, wall=lambda: NOON + step * 1_000)
    keyring.ensure(MAIN)
    return keyring


def main(path: Path) -> None:
    """Go on where the store says that the last one stopped."""
    store = SqliteStore(path)
    registry = registry_in(store)
    for step in range(registry.changes, STEPS):
        act(registry, step)
        print("step", step + 1, flush=True)
        if step % 10 == 9:
            keyring = keyring_at(store, step)
            keyring.rotate("main")
            print("key", keyring.keys("main")[-1].key.kid, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
