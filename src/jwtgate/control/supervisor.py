"""The parent process: what starts, reloads and stops a node.

It has the document written at the start, when a signal asks for it, and when its author has changed it or a file it
refers to has changed. A document that cannot be served is refused with all its sentences in the journal, and changes
nothing (REL-5, REL-53).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path

from jwtgate.control import journal
from jwtgate.control.administration.administration import Administration
from jwtgate.control.authors import Author, Authors, LateAuthor
from jwtgate.control.documents import LastGood, Text, WatchedFiles
from jwtgate.control.journal import event
from jwtgate.control.listening.descriptors import raise_limit
from jwtgate.control.node import Companion, Node
from jwtgate.control.state_folder import DATABASE, StateFolder
from jwtgate.errors import ConfigError
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import Store, StoreFailed

STOPPED, REFUSED = 0, 2
"""Exit statuses: stopped as asked; a document, folder or address that cannot be used."""
WATCH_SECONDS = 0.5
BIND_PATIENCE_SECONDS = 5.0
"""How long a start waits for a port: workers whose supervisor was killed give theirs back within a moment."""
KEEP_AGAIN_SECONDS = 5.0
"""How long after a copy could not be written it is tried again."""
SECRETS = "secrets"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(
    author: Authors,
    *,
    folder: Path,
    workers: int,
    state_folder: Path,
    last_good: bool = True,
    copies: LastGood | None = None,
    environ: Mapping[str, str] = os.environ,
    companion: Callable[[Administration], Companion] | None = None,
) -> int:
    """Serve what this author writes until a signal says stop; the exit status.

    `folder` is where files named in the document are looked for. SIGTERM and SIGINT drain and stop, a second one stops
    at once; SIGHUP has the document written again, and so has any change of it or of a file it refers to. `last_good`
    False: a start with a broken document fails instead of using the last one that worked, of which `copies` are kept.
    `companion` administers the node while it runs.
    """
    journal.install(sys.stderr)
    raise_limit()
    try:
        with StateFolder(state_folder) as held, closing(_store(state_folder / DATABASE)) as store:
            node = Node(
                folder,
                size=workers,
                store=store,
                saved=state_folder,
                environ=environ,
                companion=companion,
                bind_seconds=BIND_PATIENCE_SECONDS if held.left_behind else 0.0,
            )
            kept = copies or LastGood(state_folder)
            begun = _begun(author, store, kept if last_good else None)
            asyncio.run(Supervisor(node, begun, copies=kept, last_good=last_good).serve())
    except ConfigError as error:
        event("not_started", level=logging.ERROR, problems=error.problems)
        return REFUSED
    return STOPPED


def _begun(author: Authors, store: Store, copies: LastGood | None) -> Author:
    """The author; one that cannot begin may do so later, where there is a copy to serve meanwhile. `ConfigError`."""
    try:
        return author(store)
    except ConfigError as error:
        if copies is None or copies.read() is None:
            raise
        return LateAuthor(lambda: author(store), error)


def _store(path: Path) -> Store:
    try:
        return SqliteStore(path)
    except StoreFailed as trouble:
        raise ConfigError(f"state folder: {trouble}") from trouble


class Supervisor:
    """Signals, the document's author, and its last good copies; all else is the node's."""

    def __init__(self, node: Node, author: Author, *, copies: LastGood, last_good: bool) -> None:
        self._node = node
        self._author = author
        self._copies = copies
        self._uses_last_good = last_good and author.keeps_copies
        self._watched_files = WatchedFiles()
        self._stop = asyncio.Event()
        self._stop_now = asyncio.Event()
        self._reload_asked = asyncio.Event()
        self._unkept: Text | None = None
        self._keep_again = 0.0

    async def serve(self) -> None:
        """Start, serve, and stop when told to. `ConfigError` when it cannot start."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._stop_asked)
        loop.add_signal_handler(signal.SIGHUP, self._reload_asked.set)
        working = asyncio.create_task(self._work())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await self._leave()
        finally:
            stopping.cancel()
            await self._node.close()

    def _stop_asked(self) -> None:
        (self._stop_now if self._stop.is_set() else self._stop).set()

    async def _leave(self) -> None:
        """Drain, or be told to stop at once."""
        event("stopping")
        draining = asyncio.create_task(self._node.drain())
        at_once = asyncio.create_task(self._stop_now.wait())
        await asyncio.wait({draining, at_once}, return_when=asyncio.FIRST_COMPLETED)
        for task in (draining, at_once):
            task.cancel()
        await asyncio.gather(draining, at_once, return_exceptions=True)
        event("stopped", at_once=self._stop_now.is_set())

    async def _work(self) -> None:
        async with self._node.changing:
            await self._start()
        event("serving", generation=self._node.generation)
        while True:
            cause = await self._until_reload()
            async with self._node.changing:
                await self._reload(cause)

    async def _start(self) -> None:
        """Serve the document, or the last good copy when the document is broken."""
        try:
            text = await asyncio.to_thread(self._author.written)
            built = await self._node.build(text)
        except ConfigError as error:
            copy = await asyncio.to_thread(self._copies.read) if self._uses_last_good else None
            if copy is None:
                raise
            self._node.document_refused = True
            event("document_refused", level=logging.ERROR, problems=error.problems)
            event("last_good_copy_used", level=logging.ERROR, name=copy.name)
            await self._node.take(await self._node.build(copy))
            return
        await self._node.take(built)
        await self._keep_copy(text)

    async def _until_reload(self) -> str:
        """Wait until the document is to be read again; why."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._reload_asked.wait()
                self._reload_asked.clear()
                return "signal"
            if self._unkept is not None and time.monotonic() >= self._keep_again:
                await self._keep_copy(self._unkept)
            if self._node.secrets_changed.is_set():
                return SECRETS
            if await asyncio.to_thread(self._author.changed):
                return "file"
            if await asyncio.to_thread(self._watched_files.changed, self._node.running.files):
                return "referred_file"

    async def _reload(self, cause: str) -> None:
        """Serve what the document says now, or go on as before."""
        began = time.monotonic()
        try:
            text = await self._text(cause)
            await self._node.take(await self._node.build(text))
        except ConfigError as error:
            self._refuse(cause, error.problems, None)
            return
        except Exception as error:  # a bug of ours that a new document shows must not end what serves the old one
            self._refuse(cause, ("the document could not be used",), error)
            return
        self._node.document_refused = False
        self._watched_files.take()
        await self._keep_copy(text)
        milliseconds = round((time.monotonic() - began) * 1000)
        event("reloaded", cause=cause, generation=self._node.generation, milliseconds=milliseconds)

    async def _text(self, cause: str) -> Text:
        """The document as it is now; when only secrets have changed, the one that runs."""
        if cause == SECRETS:
            self._node.secrets_changed.clear()
            return self._node.running.text
        return await asyncio.to_thread(self._author.written)

    def _refuse(self, cause: str, problems: tuple[str, ...], error: Exception | None) -> None:
        self._node.refusals += 1
        self._node.document_refused = True
        level = logging.ERROR
        event(
            "reload_refused", level=level, error=error, cause=cause, generation=self._node.generation, problems=problems
        )

    async def _keep_copy(self, text: Text) -> None:
        """Keep the text that works. One that cannot be written now is tried again (REL-68)."""
        if not self._author.keeps_copies:
            return
        failed = self._unkept is not None
        try:
            await asyncio.to_thread(self._copies.write, text)
        except OSError as trouble:
            self._unkept, self._keep_again = text, time.monotonic() + KEEP_AGAIN_SECONDS
            if not failed:
                event("last_good_copy_not_written", level=logging.ERROR, cause=trouble.strerror)
        else:
            self._unkept = None
            if failed:
                event("last_good_copy_written")
        self._node.copy_kept = self._unkept is None
