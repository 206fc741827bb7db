"""The Admin API's listener: opened, moved and closed as the document says, in the event loop of the supervisor."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from jwtgate.admin.access.guard import Guard
from jwtgate.admin.access.operators import Operators
from jwtgate.admin.app import guarded_app
from jwtgate.admin.listening import Serving, bound, serve
from jwtgate.control.administration.administration import Administration
from jwtgate.control.journal import event
from jwtgate.errors import ConfigError
from jwtgate.gateway.listening.certificates import server_tls
from jwtgate.policy import sources
from jwtgate.policy.plan import Tls


@dataclass(frozen=True, slots=True)
class _Running:
    """A listener at work, and what it was opened for."""

    place: tuple[object, ...]
    guard: Guard
    serving: Serving


class AdminListener:
    """The Admin API, wherever the document wants it."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._running: _Running | None = None
        self._changing = asyncio.Lock()

    async def adopt(self, settings: sources.Administration | None) -> None:
        """Be reachable as these settings say; None: not at all. `ConfigError` when that cannot be."""
        async with self._changing:
            if settings is None:
                await self.close()
                return
            await self._open(settings)

    async def _open(self, settings: sources.Administration) -> None:
        running = self._running
        place = _place(settings)
        if running is not None and running.place == place:
            running.guard.operators = Operators(settings.operators)
            return
        context = await asyncio.to_thread(_tls, settings)
        if running is not None and running.place[:2] == place[:2]:
            await self.close()
        listening = bound(settings.host, settings.port, what="admin.listen")
        await self.close()
        self._running = self._serve(settings, listening, context)

    async def close(self) -> None:
        """Answer what was asked, and close the listener."""
        running, self._running = self._running, None
        if running is not None:
            await running.serving.close()

    def _serve(
        self, settings: sources.Administration, listening: socket.socket, context: ssl.SSLContext | None
    ) -> _Running:
        guard = guarded_app(
            self._administration,
            settings.operators,
            shows_page=settings.page,
            wall=time.time,
            monotonic=time.monotonic,
        )
        serving = serve(guard, listening, context)
        event("admin_listening", address=serving.address, tls=context is not None)
        return _Running(_place(settings), guard, serving)


def _place(settings: sources.Administration) -> tuple[object, ...]:
    """What a listener cannot change without being opened anew; files by the instant they were written."""
    files = (settings.certificate_file, settings.private_key_file, settings.client_ca_file)
    return (settings.host, settings.port, settings.page, *map(_written, files), _certificates_only(settings))


def _written(file: str | None) -> tuple[str, int] | None:
    try:
        return None if file is None else (file, Path(file).stat().st_mtime_ns)
    except OSError as trouble:
        raise ConfigError(f"admin.tls: {file}: {trouble.strerror}") from trouble


def _certificates_only(settings: sources.Administration) -> bool:
    return not any(operator.token_sha256 for operator in settings.operators)


def _tls(settings: sources.Administration) -> ssl.SSLContext | None:
    """The context of the listener. Certificates of clients are demanded when nobody may come without one."""
    if settings.certificate_file is None or settings.private_key_file is None:
        return None
    try:
        context = server_tls(Tls(settings.certificate_file, settings.private_key_file))
        if settings.client_ca_file is not None:
            context.load_verify_locations(settings.client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED if _certificates_only(settings) else ssl.CERT_OPTIONAL
    except (OSError, ValueError) as trouble:
        raise ConfigError("admin.tls: the certificate, its key or the authority cannot be read") from trouble
    return context
