"""Who writes the document of a node: a person, in a file; or a program, from what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from jwtgate.control.documents import Text, Watched, read_document
from jwtgate.state.stores.store import Store


class Author(Protocol):
    """The one who writes the document.

    `keeps_copies`: the last text that worked is to be kept for a start with a broken one (REL-7). Whoever keeps what
    the text is made from needs no such copy.
    """

    keeps_copies: bool

    def written(self) -> Text:
        """The document as it is now, and from then on counted as known. Blocks. `ConfigError`."""

    def changed(self) -> bool:
        """Whether there is another document than was written last. Blocks for a moment."""


class FileAuthor:
    """Somebody who writes the document itself into a file."""

    keeps_copies = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._watched = Watched(path)

    def written(self) -> Text:
        """What is in the file."""
        self._watched.take()
        return read_document(self._path)

    def changed(self) -> bool:
        """Whether the file has changed, and has stopped changing since the last call."""
        return self._watched.changed()


Authors = Callable[[Store], Author]
"""Who writes the document of a node with this store."""
