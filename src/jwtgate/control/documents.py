"""Documents as files: read, watched for changes, and kept on disk as long as they are the last that worked.

The copies are what a restart falls back to when the document is broken (REL-5, 7, 8). Only the text is kept, as it
was: references to secrets stay references. `state/saved.py` sees to it that a copy is whole or set aside, and keeps
the one before; the version in here says how its content is laid out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jwtgate.errors import ConfigError
from jwtgate.jose.sealing import NONCE_BYTES, Sealer
from jwtgate.state.file_marks import Mark, mark_of
from jwtgate.state.saved import read_saved, set_aside, write_saved

VERSION = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A document as it was written: its name, whose ending tells the syntax, and its bytes.

    `is_copy`: it is the last good copy of one that cannot be used now, nor may what it names be.
    """

    name: str
    data: bytes = field(repr=False)
    is_copy: bool = field(default=False, compare=False)


def read_document(path: Path) -> Text:
    """The text in this file; `ConfigError` when it cannot be read."""
    try:
        return Text(path.name, path.read_bytes())
    except OSError as trouble:
        raise ConfigError(f"{path}: {trouble.strerror}") from trouble


class Watched:
    """One file, looked at now and then. A file that is not there has not changed: somebody is replacing it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken = self._last = mark_of(path)

    def changed(self) -> bool:
        """Whether the file is another one than was taken last, and has stopped changing since the last call.

        Half a document may well be a document; so nothing is taken that is still being written.
        """
        last, self._last = self._last, mark_of(self._path)
        if self._last is None or self._last == self._taken or self._last != last:
            return False
        self._taken = self._last
        return True

    def take(self) -> None:
        """Count the file as it is now as taken."""
        self._taken = self._last = mark_of(self._path)


class WatchedFiles:
    """The files a generation was made from besides its document, looked at now and then in the same way."""

    def __init__(self) -> None:
        self._told: dict[Path, Mark | None] = {}
        self._last: dict[Path, Mark | None] = {}

    def changed(self, read: Mapping[Path, Mark | None]) -> bool:
        """Whether one of them is another one than was read, and has stopped changing since the last call.

        `read` are the files as they were when they were read. What was told of once is not told of again.
        """
        last, self._last = self._last, {path: mark_of(path) for path in read}
        others = {
            path: mark
            for path, mark in self._last.items()
            if mark is not None and mark == last.get(path) and mark != self._told.get(path, read[path])
        }
        self._told.update(others)
        return bool(others)

    def take(self) -> None:
        """Count what was read last as known: a generation was made from it."""
        self._told.clear()


class LastGood:
    """The newest copy and the one before, in a state folder. `OSError` when the disk fails us.

    With a sealer they are sealed, and a copy that it cannot unseal is as good as damaged.
    """

    def __init__(self, folder: Path, name: str = "document", *, sealer: Sealer | None = None) -> None:
        self._path = folder / "last-good" / name
        self._sealer = sealer

    def write(self, text: Text) -> None:
        """Keep this text as the newest copy. The one already kept is not written again, so two differ."""
        if self.read() == text:
            return
        head = {"version": VERSION, "name": text.name}
        copy = json.dumps(head).encode() + b"\n" + text.data
        if self._sealer is not None:
            copy = self._sealer.seal(copy, self._path.name, nonce=os.urandom(NONCE_BYTES))
        write_saved(self._path, copy)

    def read(self) -> Text | None:
        """The newest sound copy of this version; what is damaged or foreign is set aside."""
        while (saved := read_saved(self._path)) is not None:
            text = self._parsed(saved)
            if text is not None:
                return text
            if not self._path.exists():
                return None
            set_aside(self._path)
        return None

    def _parsed(self, saved: bytes) -> Text | None:
        try:
            return _parsed(saved if self._sealer is None else self._sealer.unseal(saved, self._path.name))
        except ValueError:
            return None


def _parsed(copy: bytes) -> Text | None:
    """The text of a copy, None when it is laid out in another way. `ValueError`."""
    head, _, data = copy.partition(b"\n")
    named = json.loads(head)
    if not isinstance(named, dict) or named.get("version") != VERSION or not isinstance(named.get("name"), str):
        return None
    return Text(named["name"], data, is_copy=True)
