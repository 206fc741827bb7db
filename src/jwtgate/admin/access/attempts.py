"""How often an address may present a wrong credential before it has to wait (SEC-146)."""

from __future__ import annotations

import math
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

MOST_ADDRESSES = 10_000


class Attempts:
    """Failed attempts by address: `burst` of them at once, then one every `seconds`."""

    def __init__(self, clock: Callable[[], float], *, burst: int = 10, seconds: float = 6.0) -> None:
        self._clock = clock
        self._allowed_seconds = (burst - 1) * seconds
        self._seconds = seconds
        # When the attempts of an address so far will all be forgotten.
        self._clear_at: dict[str, float] = {}

    def wait_seconds(self, address: str) -> int:
        """How long this address has to wait before it is heard again, in whole seconds; 0: not at all."""
        over = self._clear_at.get(_counted(address), 0.0) - self._clock() - self._allowed_seconds
        return max(0, math.ceil(over))

    def failed(self, address: str) -> None:
        """Count one failure. The address that failed longest ago is forgotten when there is no more room."""
        counted, now = _counted(address), self._clock()
        clear_at = max(self._clear_at.pop(counted, now), now) + self._seconds
        if len(self._clear_at) >= MOST_ADDRESSES:
            del self._clear_at[next(iter(self._clear_at))]
        self._clear_at[counted] = clear_at


def _counted(address: str) -> str:
    """The address, or the network of an IPv6 address that one host has to itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or int(parsed) >> 64)
