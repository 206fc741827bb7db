"""The Admin API beside a gateway: brought in when it is asked for, since not every installation has what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwtgate.dialects.desk import NodeDesk
from jwtgate.dialects.dialect import AdministeredDialect
from jwtgate.errors import ConfigError
from jwtgate.policy import sources

if TYPE_CHECKING:
    from jwtgate.admin.doors import Doors
    from jwtgate.admin.server import AdminListener
    from jwtgate.control.administration.administration import Administration
    from jwtgate.control.node import Companion
    from jwtgate.dialects.author import DialectAuthor


class AdminApi:
    """The Admin API of a node, wherever its document wants it."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._listener: AdminListener | None = None

    async def adopt(self, settings: sources.Administration | None) -> None:
        """Be reachable as these settings say; None: not at all. `ConfigError` when that cannot be."""
        if self._listener is None and settings is not None:
            self._listener = self._brought_in()
        if self._listener is not None:
            await self._listener.adopt(settings)

    async def close(self) -> None:
        """Answer what was asked, and close the listener."""
        if self._listener is not None:
            await self._listener.close()

    def _brought_in(self) -> AdminListener:
        try:
            from jwtgate.admin.server import AdminListener
        except ModuleNotFoundError as missing:
            raise _not_installed(missing) from missing
        return AdminListener(self._administration)


class DialectApi:
    """Makes the Admin API of a dialect for a node, once there is an author."""

    author: DialectAuthor | None = None

    def __call__(self, administration: Administration) -> Companion:
        """The Admin API of this node's author."""
        return _Later(self, administration)

    def needs(self) -> type[Doors]:
        """What the doors are made with. `ConfigError` where it is not installed: better before anything is opened."""
        try:
            from jwtgate.admin.doors import Doors
        except ModuleNotFoundError as missing:
            raise _not_installed(missing) from missing
        return Doors

    def opened(self, administration: Administration) -> Doors:
        """The doors of the Admin API. `ConfigError`."""
        author = self.author
        assert author is not None  # noqa: S101 - they are opened when there is one
        assert isinstance(author.dialect, AdministeredDialect)  # noqa: S101 - nobody else has an Admin API
        desk = NodeDesk(administration, author)
        api = author.dialect.admin(desk, author.settings, is_declarative=author.is_declarative)
        return self.needs()(api, author.settings)


class _Later:
    """An Admin API that is made when the node serves: before that there is nothing to administer."""

    def __init__(self, api: DialectApi, administration: Administration) -> None:
        self._api = api
        self._administration = administration
        self._doors: Doors | None = None

    async def adopt(self, settings: sources.Administration | None) -> None:
        """Be there. `ConfigError` when that cannot be."""
        if self._api.author is None:  # the node serves a copy until there is one
            return
        if self._doors is None:
            self._doors = self._api.opened(self._administration)
        await self._doors.adopt(settings)

    async def close(self) -> None:
        """Answer what was asked, and close."""
        if self._doors is not None:
            await self._doors.close()


def _not_installed(missing: ModuleNotFoundError) -> ConfigError:
    needs = f"needs {missing.name}, which is not installed: install jwtgate with its extra 'admin'"
    return ConfigError(f"admin: the Admin API {needs}")
