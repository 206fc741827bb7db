"""A whole gateway in one process and one event loop: for tests and for embedding.

State, plan and data plane are those of the supervisor and its workers; the link between them is a function call.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from jwtgate.control.administration.layers import Added
from jwtgate.control.announcing import Announcing, Told
from jwtgate.control.built import Built
from jwtgate.control.documents import Text, read_document
from jwtgate.control.generations import Generations
from jwtgate.control.listening.sockets import ListeningSockets, listen_alike
from jwtgate.control.state_folder import DATABASE
from jwtgate.control.workers.desk import note_tables
from jwtgate.control.workers.messages import KeysChanged, RevocationsChanged, SigningChanged, StoreChanged
from jwtgate.control.workers.worker_state import Served, noted
from jwtgate.errors import ConfigError
from jwtgate.gateway.generation import Generation
from jwtgate.gateway.mint import NeedMinted
from jwtgate.gateway.observe import Counters, Report
from jwtgate.gateway.worker import Worker
from jwtgate.policy.facts import Need, NeedAllowance, NeedFirstUse, NeedKeys
from jwtgate.state.allowances import Allowances
from jwtgate.state.first_uses import FirstUses
from jwtgate.state.stores.sqlite import SqliteStore
from jwtgate.state.stores.store import MemoryStore, Store

DRAIN_SECONDS = 1.0


class EmbeddedGateway:
    """A gateway that runs inside `async with`. Give listeners port 0 to have free ones, and read `addresses`.

    A document is a file or a text; a text's `name` tells its syntax. Without a `state_folder` signing keys and
    fetched key sets last as long as the gateway. `ConfigError` on entry for a document that cannot be used.
    """

    def __init__(
        self,
        document: Path | str,
        *,
        name: str = "jwtgate.yaml",
        state_folder: Path | None = None,
        environ: Mapping[str, str] = os.environ,
        log_descriptor: int = 1,
    ) -> None:
        self._text = _read(document, name)
        self._folder = document.parent if isinstance(document, Path) else Path()
        self._state_folder = state_folder
        self._environ = environ
        self._log_descriptor = log_descriptor
        self._open = AsyncExitStack()
        self._served: Served | None = None
        self._following: asyncio.Task[None] | None = None
        self._allowances = Allowances()
        self._first_uses = FirstUses()
        self.announcing = Announcing(self._changed)
        self.changing = asyncio.Lock()
        self.addresses: tuple[tuple[str, int], ...] = ()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            await self._start(opened)
            self._open = opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def _start(self, opened: AsyncExitStack) -> None:
        store = self._store()
        opened.callback(store.close)
        self._generations = Generations(
            self._folder, store=store, saved=self._state_folder, environ=self._environ, changed=self._changed
        )
        opened.callback(self._generations.close)
        self._built = await self._generations.build(self._text, after=None)
        opened.push_async_callback(self._close_built)
        served = self._prepared(self._built)
        sockets = ListeningSockets()
        opened.callback(sockets.close)
        bound = sockets.bind(self._built.plan.listeners)
        self._adopted(served)
        self.worker = Worker(
            served.generation, answer=self._answer, report=self._report, log_descriptor=self._log_descriptor
        )
        opened.push_async_callback(self.worker.drain, DRAIN_SECONDS)
        await self.worker.listen(bound)
        self.addresses = tuple(sock.getsockname()[:2] for _, sock in bound)

    async def reload(self, document: Path | str, *, name: str = "jwtgate.yaml") -> None:
        """Serve this document from the next request on; `ConfigError` leaves the running one, as do other listeners."""
        async with self.changing:
            await self.take(await self.build(_read(document, name)))

    # What an administration asks of whoever it administers.

    @property
    def running(self) -> Built:
        """The generation that runs."""
        return self._built

    async def build(self, text: Text, *, stored: Added | None = None) -> Built:
        """The next generation. `ConfigError`."""
        return await self._generations.build(text, after=self._built, stored=stored)

    async def check(self, text: Text, *, stored: Added) -> None:
        """`ConfigError` when this could not be built. Nothing is changed."""
        await self._generations.check(text, after=self._built, stored=stored)

    async def take(self, built: Built) -> None:
        """Serve this generation from the next request on; `ConfigError` for other listeners."""
        if not listen_alike(built.plan.listeners, self._built.plan.listeners):
            await self.drop(built)
            raise ConfigError("the listeners of a running gateway stay as they are")
        served = self._prepared(built)
        previous, self._built = self._built, built
        self._adopted(served)
        self.worker.adopt(served.generation)
        await previous.close()

    async def drop(self, built: Built) -> None:
        """Let go of a generation that is not to be served."""
        await built.discard()
        await built.close()

    async def caught_up(self) -> None:
        """Return: what is announced is heard at once."""

    async def report(self) -> Report:
        """How the gateway is doing."""
        return await self._report()

    def _prepared(self, built: Built) -> Served:
        if built.staged is not None:
            built.callers.adopt(built.staged)
            self.announcing.consumers_changed()
        sent = built.prepare()
        # No wait between these two lines: what changes after the first is told to the second.
        return Served.build(sent)

    def _adopted(self, served: Served) -> None:
        self._served = served
        served.change(RevocationsChanged(self._built.callers.revocations.entries()))
        served.change(StoreChanged(self._built.callers.store_away))
        self._stop_following()
        following = self._built.follow(self._changed, self.announcing, secrets_changed=lambda: None)
        self._following = asyncio.create_task(following)

    def _stop_following(self) -> None:
        if self._following is not None:
            self._following.cancel()

    async def _close_built(self) -> None:
        self.announcing.close()
        self._stop_following()
        await self._built.close()

    def _store(self) -> Store:
        return MemoryStore() if self._state_folder is None else SqliteStore(self._state_folder / DATABASE)

    def _changed(self, change: KeysChanged | SigningChanged | Told) -> None:
        if self._served is not None:
            self._served.change(change)

    async def _answer(self, need: Need | NeedMinted, generation: Generation) -> object:
        if isinstance(need, NeedKeys):
            return await self._built.obtain(need)
        if isinstance(need, NeedAllowance):
            return self._allowances.take(need)
        if isinstance(need, NeedFirstUse):
            return self._first_uses.take(need)
        return noted(need, await self._built.find(need), generation.facts)

    async def _report(self) -> Report:
        counters = Counters()
        counters.add(self.worker.count_now())  # not those that are counted on while the report is told
        note_tables(counters, self._allowances, self._first_uses)
        return await self._built.report(counters, ready=not self.worker.draining)


def _read(document: Path | str, name: str) -> Text:
    if isinstance(document, str):
        return Text(name, document.encode())
    return read_document(document)
