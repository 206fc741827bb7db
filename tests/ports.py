"""Ports for servers that are told theirs, and do not choose one while they start."""

from __future__ import annotations

import contextlib
import random
import socket

_FEWEST, _MOST = 20_000, 30_000
"""Below those a kernel gives to outgoing connections: nobody takes one between our look and the server's start."""


def free_port(together: int = 1) -> int:
    """The first of this many neighbours that are free, for UDP and for TCP."""
    while True:
        first = random.randrange(_FEWEST, _MOST)
        if all(map(_is_free, range(first, first + together))):
            return first


def _is_free(port: int) -> bool:
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with tcp, udp, contextlib.suppress(OSError):
        tcp.bind(("127.0.0.1", port))
        udp.bind(("127.0.0.1", port))
        return True
    return False
