"""Run by the tests as a process of its own: fills the disk below a store, makes room again, and says what it saw.

Room is a limit on the size of files, or with `tmpfs` a small file system of the process's own.
"""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from jwtgate.policy.callers import Consumer
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.sources import ConsumerSource
from jwtgate.state.callers.directory import Directory
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import StoreFailed

ROOM_BYTES = 1_000_000
NAME = (ConsumerName.NAME,)


def limited() -> Callable[[], None]:
    """Leave little room for each file; what makes it much again."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, resource.RLIM_INFINITY))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def mounted(folder: Path) -> Callable[[], None]:
    """Have a small file system in the place of the folder; what makes it larger."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={2 * ROOM_BYTES}", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, timeout=10)
    larger = ["mount", "-o", f"remount,size={100 * ROOM_BYTES}", str(folder)]
    return lambda: subprocess.run(larger, check=True, timeout=10) and None


def people(count: int) -> list[ConsumerSource]:
    return [ConsumerSource(Consumer(f"n{number}", f"id-{number}", "x" * 200 + str(number))) for number in range(count)]


def write_until_full(store: SqliteStore) -> int:
    """How many records of 10 kB went in before there was no room."""
    for number in range(10_000):
        try:
            store.write(f"a/{number}", b"x" * 10_000, over=0)
        except StoreFailed as failure:
            print("refused", failure)
            return number
    raise AssertionError("the disk was never full")


def try_to_stage(directory: Directory) -> bool:
    """Whether very many consumers find room."""
    try:
        directory.replace_document(people(20_000), [], parse=lambda _: people(1)[0])
    except StoreFailed:
        return False
    return True


def main(kind: str, folder: Path) -> None:
    """Each line is one thing that was seen."""
    folder.mkdir()
    more = mounted(folder) if kind == "tmpfs" else limited()
    store, directory = SqliteStore(folder / "db"), Directory.open(folder / "consumers", sealer=None)
    directory.replace_document(people(1), [], parse=lambda _: people(1)[0])
    assert not try_to_stage(directory)
    assert list((folder / "consumers").glob("*.new")) == []
    written = write_until_full(store)
    assert written > 5
    assert store.read(f"a/{written - 1}") is not None
    assert store.read(f"a/{written}") is None
    assert directory.consumer(NAME, "n0") == people(1)[0].consumer
    more()
    assert try_to_stage(directory)
    store.write(f"a/{written}", b"x" * 10_000, over=0)
    store.close()
    directory.close()
    store, directory = SqliteStore(folder / "db"), Directory.open(folder / "consumers", sealer=None)
    assert len(store.names("a/")) == written + 1
    assert all(record.version == 1 and record.value == b"x" * 10_000 for _, record in store.records("a/"))
    assert directory.consumer(NAME, "n19999") is not None
    store.close()
    directory.close()
    print("recovered")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
