"""The listening sockets: bound by the supervisor once, shared by all its workers, kept over reloads and deaths."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jwtgate.errors import ConfigError
from jwtgate.gateway.listening.certificates import problem_of
from jwtgate.policy.plan import Listener, Tls
from jwtgate.state.file_marks import Mark, mark_of

BACKLOG = 4_096
RETRY_SECONDS = 0.05

Bound = tuple[tuple[Listener, socket.socket], ...]


_Place = tuple[str, int, bool, int]


class ListeningSockets:
    """One socket for each listener of a plan. Port 0: any free one, kept as long as the listener stays."""

    def __init__(self) -> None:
        self._held: dict[_Place, socket.socket] = {}

    def bind(self, listeners: Sequence[Listener], *, patience_seconds: float = 0.0) -> Bound:
        """The sockets for these listeners: those we hold, and new ones for the rest.

        `ConfigError` with a sentence for each address that cannot be had, and then nothing has changed. A socket
        still held by workers whose supervisor was killed is waited for, up to `patience_seconds`.
        """
        deadline = time.monotonic() + patience_seconds
        places = _places(listeners)
        fresh: dict[_Place, socket.socket] = {}
        problems = []
        for place, listener in zip(places, listeners, strict=True):
            if place in self._held:
                continue
            try:
                fresh[place] = _bound(listener, deadline)
            except OSError as trouble:
                problems.append(f"listener {shown(listener.host, listener.port)}: {trouble.strerror or trouble}")
        if problems:
            _close(fresh.values())
            raise ConfigError(*problems)
        self._held |= fresh
        return tuple((listener, self._held[place]) for place, listener in zip(places, listeners, strict=True))

    def keep_only(self, listeners: Sequence[Listener]) -> None:
        """Close the sockets that none of these listeners uses. Workers that still accept hold their own copy."""
        gone = self._held.keys() - set(_places(listeners))
        _close([self._held.pop(place) for place in gone])

    def close(self) -> None:
        """Close all of them."""
        self.keep_only(())


def _places(listeners: Sequence[Listener]) -> list[_Place]:
    """The address of each listener. Those that ask for any free port are told apart by what they serve, and counted."""
    named = [(each.host, each.port, each.port == 0 and each.status_only) for each in listeners]
    return [(*address, named[:index].count(address)) for index, address in enumerate(named)]


def shown(host: str, port: int) -> str:
    """The address as people write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listen_alike(some: Iterable[Listener], others: Iterable[Listener]) -> bool:
    """Whether the same sockets, and the workers on them, will do for both; certificates may differ."""
    return [*map(_without_certificate, some)] == [*map(_without_certificate, others)]


def _without_certificate(listener: Listener) -> Listener:
    return listener if listener.tls is None else replace(listener, tls=Tls("", ""))


def certificate_files(listeners: Iterable[Listener]) -> Mapping[Path, Mark | None]:
    """The files the listeners' certificates are in, as they are now. `ConfigError` for those that cannot be used."""
    found: dict[Path, Mark | None] = {}
    problems = []
    for listener in listeners:
        if listener.tls is None:
            continue
        for name in (listener.tls.certificate_file, listener.tls.private_key_file):
            found[Path(name)] = mark_of(Path(name))
        if problem := problem_of(listener.tls):
            problems.append(
                f"listener {shown(listener.host, listener.port)}: its certificate cannot be used: {problem}"
            )
    if problems:
        raise ConfigError(*problems)
    return found


def _bound(listener: Listener, deadline: float) -> socket.socket:
    while True:
        try:
            return _bound_now(listener)
        except OSError as trouble:
            if trouble.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)


def _bound_now(listener: Listener) -> socket.socket:
    """A listening socket, not blocking; a name is looked up, and its first address taken."""
    kind, flags = socket.SOCK_STREAM, socket.AI_PASSIVE
    family, _, _, _, address = socket.getaddrinfo(listener.host or None, listener.port, type=kind, flags=flags)[0]
    bound = socket.socket(family, kind)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # One address, one family: `::` never quietly serves IPv4 too, which a listener of its own would.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()
