"""Where allowed requests go, compiled and frozen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """One address of an upstream. `weight`: how many requests it takes where one of weight 1 takes one."""

    host: str
    port: int
    tls: bool
    authority: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where allowed requests go, with the time limits of the way there, in seconds.

    `host` is the `Host` it sees instead of the target's own. `retries`: how often a request is tried again.
    `x_real_ip`, `forwarded_port`, `forwarded_path`: what it is told of the client besides.
    """

    name: str
    targets: tuple[Target, ...]
    preserve_host: bool = False
    host: str | None = None
    retries: int = 1
    x_real_ip: bool = False
    forwarded_port: bool = False
    forwarded_path: bool = False
    connect_seconds: float = 2.0
    first_byte_seconds: float = 30.0
    idle_seconds: float = 60.0
    keep_alive_seconds: float = 30.0
    most_idle_connections: int = 128
    ca_file: str | None = None
    server_name: str | None = None

    @property
    def is_told_more(self) -> bool:
        """Whether it is told more of the client than every upstream is."""
        return self.x_real_ip or self.forwarded_port or self.forwarded_path


NOWHERE = Upstream("", ())
"""The upstream of a route that answers by itself."""
