"""The files of the directory's indexes: made beside the one in use, put in its place whole, checked when opened.

The document's index never changes once it is made, so its file bears its own SHA-256 in its name (REL-8).
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from jwtgate.jose.sealing import Sealer
from jwtgate.state.callers.consumer_index import ConsumerIndex
from jwtgate.state.stores.store import StoreFailed

_log = logging.getLogger(__name__)
_FIXED = "document-{}.sqlite"


class IndexFiles:
    """The files in one folder. Every call raises `StoreFailed`."""

    def __init__(self, folder: Path, sealer: Sealer | None) -> None:
        self._folder = folder
        self._sealer = sealer
        self._changing = folder / "store.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for unfinished in folder.glob("*.new"):
                unfinished.unlink()
        except OSError as error:
            raise StoreFailed(f"{folder} cannot be used: {error.strerror}") from error

    def fixed(self) -> ConsumerIndex | None:
        """The document's index as it was put in place last; None when there is none that is whole."""
        for path in sorted(self._all_fixed(), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            try:
                _check_digest(path)
                return ConsumerIndex.open_fixed(path, self._sealer)
            except (StoreFailed, OSError) as failure:
                _set_aside(path, "document.unusable", failure)
        return None

    def changing(self) -> ConsumerIndex | None:
        """The store's index; None when there is none that can be used."""
        if not self._changing.exists():
            return None
        try:
            return ConsumerIndex.open(self._changing, self._sealer)
        except StoreFailed as failure:
            _set_aside(self._changing, "store.unusable", failure)
            return None

    def make(self, fill: Callable[[ConsumerIndex], None]) -> Path:
        """The file of a new index, filled and whole on disk, not in its place yet."""
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".new")
        os.close(handle)
        path = Path(name)
        try:
            with closing(ConsumerIndex.create(path, self._sealer)) as index:
                fill(index)
            _flush(path)
            return path.rename(path.with_name(_FIXED.format(_digest(path))).with_suffix(".new"))
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StoreFailed(f"{path} cannot be written: {error.strerror}") from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def put_fixed(self, made: Path) -> ConsumerIndex:
        """The new index of the document, in its place; earlier ones are gone."""
        path = made.with_suffix(".sqlite")
        try:
            made.replace(path)
            _flush(self._folder)
            index = ConsumerIndex.open_fixed(path, self._sealer)
            for other in self._all_fixed():
                if other != path:
                    other.unlink()
        except OSError as error:
            raise StoreFailed(f"{path} cannot be put in place: {error.strerror}") from error
        return index

    def put_changing(self, made: Path) -> ConsumerIndex:
        """The new index of the store, in its place. Nobody may have the old one open."""
        try:
            _remove_logs(self._changing)
            made.replace(self._changing)
            _flush(self._folder)
        except OSError as error:
            raise StoreFailed(f"{self._changing} cannot be put in place: {error.strerror}") from error
        return ConsumerIndex.open(self._changing, self._sealer)

    def _all_fixed(self) -> list[Path]:
        return list(self._folder.glob(_FIXED.format("*")))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_digest(path: Path) -> None:
    if path.name != _FIXED.format(_digest(path)):
        raise StoreFailed("the index is damaged")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _set_aside(path: Path, name: str, failure: Exception) -> None:
    _log.error("the index of consumers %s was set aside and is made again: %s", path, failure)
    try:
        path.replace(path.with_name(name))
        # A log of writes that is left behind would be played into the file that comes next.
        _remove_logs(path)
    except OSError as error:
        raise StoreFailed(f"{path} cannot be set aside: {error.strerror}") from error


def _remove_logs(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
