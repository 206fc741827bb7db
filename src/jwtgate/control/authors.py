"""Who writes the document of a node: a person, in a file; or a program, from what it keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from jwtgate.control.documents import Text, Watched, read_document
from jwtgate.errors import ConfigError
from jwtgate.state.stores.store import Store

TRY_SECONDS = 2.0


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
"""Who writes the document of a node with this store. `ConfigError` when there is nothing it could begin with."""


class LateAuthor:
    """Somebody who could not begin when the node was started, and tries again now and then."""

    keeps_copies = True

    def __init__(
        self, begin: Callable[[], Author], error: ConfigError, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`error` is why it could not begin."""
        self._clock = clock
        self._begin = begin
        self._error: ConfigError | None = error
        self._author: Author | None = None
        self._tried = self._clock()

    def written(self) -> Text:
        """What it writes now. `ConfigError` as long as it cannot begin."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        if self._author is None:
            self._author = self._begin()
        return self._author.written()

    def changed(self) -> bool:
        """Whether it can begin now; later, whether there is another document."""
        if self._author is not None:
            return self._author.changed()
        now = self._clock()
        if now < self._tried + TRY_SECONDS:
            return False
        self._tried = now
        with suppress(ConfigError):
            self._author = self._begin()
        return self._author is not None
