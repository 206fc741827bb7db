"""What is administered: a node with a generation that runs, and the way to another one."""

from __future__ import annotations

import asyncio
from typing import Protocol

from jwtgate.control.administration.layers import Added
from jwtgate.control.announcing import Announcing
from jwtgate.control.built import Built
from jwtgate.control.documents import Text
from jwtgate.gateway.observe import Report


class Host(Protocol):
    """A node. Whoever builds a generation and takes it holds `changing` meanwhile."""

    announcing: Announcing
    changing: asyncio.Lock

    @property
    def running(self) -> Built:
        """The generation that runs."""

    async def build(self, text: Text, *, stored: Added | None = None) -> Built:
        """The next generation, of this text and what the store adds; None: what it adds now. `ConfigError`."""

    async def check(self, text: Text, *, stored: Added) -> None:
        """`ConfigError` when this could not be built. Nothing is changed."""

    async def take(self, built: Built) -> None:
        """Serve this generation. `ConfigError` when it cannot be, and then whatever was served goes on."""

    async def drop(self, built: Built) -> None:
        """Let go of a generation that is not to be served."""

    async def caught_up(self) -> None:
        """Wait until all who serve have heard what was announced; not for ever."""

    async def report(self) -> Report:
        """How the node is doing."""
