"""The Admin API beside a gateway: brought in when a document asks for it, since not every installation has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwtgate.errors import ConfigError
from jwtgate.policy import sources

if TYPE_CHECKING:
    from jwtgate.admin.server import AdminListener
    from jwtgate.control.administration.administration import Administration


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
            needs = f"needs {missing.name}, which is not installed: pip install 'jwtgate[admin]'"
            raise ConfigError(f"admin: the Admin API {needs}") from missing
        return AdminListener(self._administration)
