"""Whether a client has gone whose connection nobody reads at the moment (REL-22).

While reading is paused the loop does not look at a connection at all, and so does not hear of its end.
"""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jwtgate.gateway.connection import ClientConnection
    from jwtgate.gateway.exchange import Exchange

_ENDED_ITS_SIDE = getattr(select, "POLLRDHUP", 0)


def is_lost(client: ClientConnection, exchange: Exchange) -> bool:
    """Whether this client has gone while nothing is read of it.

    What was sent before its end still counts where it is requests or frames; the rest of a body is nobody's any more.
    """
    waits = client.holds & client.QUEUE or exchange.tunnel is not None
    return has_gone(client.transport) if waits else has_ended_its_side(client.transport)


def has_gone(transport: asyncio.Transport) -> bool:
    """Whether the connection was reset, or has ended in both directions."""
    return _happened(transport, 0)


def has_ended_its_side(transport: asyncio.Transport) -> bool:
    """Whether the other side has said, perhaps behind bytes that are still to be read, that nothing more comes."""
    return _happened(transport, _ENDED_ITS_SIDE)


def _happened(transport: asyncio.Transport, events: int) -> bool:
    number = sock.fileno() if (sock := transport.get_extra_info("socket")) is not None else -1
    if number < 0:  # it has no descriptor, or none any more
        return False
    poll = select.poll()
    poll.register(number, events)  # that it was reset is told in any case
    return bool(poll.poll(0))
