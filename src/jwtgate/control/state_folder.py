"""The folder the supervisor keeps its state in: private to its user, held by one supervisor at a time."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from jwtgate.errors import ConfigError

DATABASE = "jwtgate.sqlite"
"""The store, in the state folder."""


class StateFolder:
    """The folder, made with mode 0700 when it is not there, and locked while inside `with`.

    The lock belongs to the open file, so the kernel lifts it with the process, however that ends (REL-51).
    `ConfigError` when the folder cannot be used, others may write in it, or another supervisor holds it. `left_behind`:
    who held it last did not leave by itself, and its workers may still be on their way out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left_behind = False
        self._lock: int | None = None

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(self.path)
        except BlockingIOError as held:
            raise ConfigError(f"state folder {self.path}: another jwtgate is using it") from held
        except OSError as trouble:
            raise ConfigError(f"state folder {self.path}: {trouble.strerror}") from trouble
        self.left_behind = os.fstat(self._lock).st_size > 0
        with suppress(OSError):  # a full disk is no reason not to start
            os.write(self._lock, b"held\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.ftruncate(lock, 0)
            os.close(lock)


def _locked(path: Path) -> int:
    """A descriptor that holds the lock; `BlockingIOError` when somebody else does."""
    status = path.stat()
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(f"state folder {path}: must belong to this user and not be writable by others")
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock
