"""Each worker asks every target whether it is well, beside the requests it serves (REL-13)."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwtgate.gateway.heads.framing import Malformed
from jwtgate.gateway.upstream import Question
from jwtgate.gateway.upstreams.pool import OUT_OF_DESCRIPTORS

if TYPE_CHECKING:
    from jwtgate.gateway.heads.answer_head import AnswerHead
    from jwtgate.gateway.heads.framing import Framing
    from jwtgate.gateway.tunnels.tunnel import Tunnel
    from jwtgate.gateway.upstream import UpstreamConnection
    from jwtgate.gateway.upstreams.pool import Pool
    from jwtgate.gateway.upstreams.roster import Roster
    from jwtgate.policy.traffic.upstreams import HealthCheck


def check_all(roster: Roster) -> list[asyncio.Task[None]]:
    """What checks the targets of this upstream until it is cancelled: nothing, where nothing is to be checked."""
    check = roster.upstream.health_check
    if check is None or not roster.balancers:
        return []
    loop = asyncio.get_running_loop()
    return [loop.create_task(_keep_checking(roster, pool.aside(), check)) for pool in roster.balancers[0].pools]


async def _keep_checking(roster: Roster, pool: Pool, check: HealthCheck) -> None:
    # The workers and nodes of a fleet begin at the same time, and are not to ask at the same time for ever.
    pause = random.uniform(0.0, min(check.every_seconds, 1.0))  # noqa: S311 - nothing is to be kept secret
    while True:
        await asyncio.sleep(pause)
        well = await is_well(pool, check)
        if well is not None:
            pool.standing.checked(well, healthy_after=check.healthy_after, unhealthy_after=check.unhealthy_after)
            roster.refresh()
        pause = check.every_seconds


async def is_well(pool: Pool, check: HealthCheck) -> bool | None:
    """Whether the target gives an answer that says so within its time; over a connection of its own.

    None: we have no descriptor to ask with (REL-20).
    """
    connection = None
    try:
        async with asyncio.timeout(check.timeout_seconds):
            connection = await pool.dial(check.timeout_seconds)
            return check.path is None or await Probe(connection, check).status() in check.statuses
    except OSError as error:
        return None if error.errno in OUT_OF_DESCRIPTORS else False
    finally:
        if connection is not None:
            connection.drop()


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str = "GET"


class Probe:
    """One question to a target, in the place of an exchange. Nothing but the status of its answer counts."""

    tunnel: Tunnel | None = None
    upgrading = False
    body_done = True
    head: Question = _Asked()

    def __init__(self, connection: UpstreamConnection, check: HealthCheck) -> None:
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        host = connection.pool.host_line if check.host is None else f"Host: {check.host}\r\n".encode("ascii")
        connection.send(self, f"GET {check.path} HTTP/1.1\r\n".encode("ascii") + host + b"Connection: close\r\n\r\n")

    async def status(self) -> int:
        """The status of the answer; 0 where there is none, or none that can be read."""
        return await self._status

    def answer_head(self, head: AnswerHead, framing: Framing) -> bytes:
        """Keep the status. The empty text: nobody else is given it."""
        self._settle(head.status)
        return b""

    def deliver(self, head: bytes, body: bytes, *, last: bool) -> None:
        """Nobody reads the body."""

    def answered(self) -> None:
        """The answer is complete."""

    def upstream_failed(self, reason: str, cause: str, *, answered: bool) -> None:
        """There is no answer."""
        self._settle(0)

    def hold_client(self) -> None:
        """The question is small enough to be written at once."""

    def release_client(self) -> None:
        """As `hold_client`."""

    def switching_head(self, head: AnswerHead) -> bytes:
        """Nothing was asked to switch, so the connection refuses this before."""
        raise Malformed("an upgrade nobody asked for")

    def begin_tunnel(self, upstream: UpstreamConnection, head: bytes) -> None:
        """As `switching_head`."""
        raise Malformed("an upgrade nobody asked for")

    def _settle(self, status: int) -> None:
        if not self._status.done():
            self._status.set_result(status)
