"""Whether a file is another than it was: by inode, size and time of change, so that a replaced file counts too."""

from __future__ import annotations

from pathlib import Path


class Watched:
    """One file, looked at now and then. A file that is not there has not changed: somebody is replacing it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether the file differs from what the last call saw."""
        now = self._look()
        if now is None or now == self._seen:
            return False
        self._seen = now
        return True

    def _look(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns
