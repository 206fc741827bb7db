"""What a peer may cost a connection without asking for anything (RFC 9113 section 10.5).

Every frame that is no request and no body costs a little, a stream that is opened and given up costs more. Answers
that are taken and time earn it back, so that nobody who uses the connection as it is meant ever meets the limit.
"""

from __future__ import annotations

from jwtgate.gateway.http2.frames import (
    CONTINUATION,
    DATA,
    HEADERS,
    PING,
    RESET,
    SETTINGS,
    brings_data,
    ends_stream,
    is_acknowledgement,
    kind_of,
    length_of,
)

MOST = 1000.0
EARNED_EACH_SECOND = 50.0
EARNED_BY_DATA = 8.0
"""What one DATA frame of ours that left earns: a peer may well answer it with a WINDOW_UPDATE for each read of it."""
EARNED_BY_MESSAGE = 20.0
"""What a message of ours earns that was sent to its end: an answer, or a request."""
GIVEN_UP = 10.0
"""What a stream costs that was opened for nothing (CVE-2023-44487), or that we had to end (CVE-2025-8671)."""
_SETTINGS = 10.0
_SETTING_BYTES = 6
_FRAME = 1.0


class Allowance:
    """What is left of it, at a time of the monotonic clock."""

    __slots__ = ("_left", "_since")

    def __init__(self, now: float) -> None:
        self._left = MOST
        self._since = now

    def spend(self, cost: float, now: float) -> bool:
        """Whether this much was left."""
        self._left = min(MOST, self._left + (now - self._since) * EARNED_EACH_SECOND) - cost
        self._since = now
        return self._left >= 0

    def earn(self, amount: float) -> None:
        """Give back what the peer has earned."""
        self._left = min(MOST, self._left + amount)


def cost_of(frame: bytes) -> float:
    """What this frame costs whoever sends it."""
    kind = kind_of(frame)
    if kind == DATA:
        return 0.0 if brings_data(frame) or ends_stream(frame) else _FRAME
    if kind == HEADERS or (kind in (SETTINGS, PING) and is_acknowledgement(frame)):
        return 0.0
    if kind == CONTINUATION:
        return _FRAME
    if kind == RESET:
        return GIVEN_UP
    return max(_SETTINGS, length_of(frame) / _SETTING_BYTES) if kind == SETTINGS else _FRAME
