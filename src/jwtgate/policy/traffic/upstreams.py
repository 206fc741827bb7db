"""Where allowed requests go, compiled and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Target:
    """One address of an upstream. `weight`: how many requests it takes where one of weight 1 takes one."""

    host: str
    port: int
    tls: bool
    authority: str
    weight: int = 1


class Balance(Enum):
    """How the target of a request is chosen."""

    ROUND_ROBIN = "round_robin"
    LEAST_REQUESTS = "least_requests"
    CONSISTENT_HASH = "consistent_hash"


class HashedBy(Enum):
    """What of a request a consistent hash is taken of."""

    HEADER = "header"
    COOKIE = "cookie"
    CONSUMER = "consumer"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class HashKey:
    """What the requests that go to the same target have in common. `name`: of the field (lower case) or the cookie."""

    by: HashedBy
    name: bytes = b""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How each target is asked whether it is well, in seconds. `path` None: connecting to it is enough."""

    path: str | None
    host: str | None = None
    every_seconds: float = 5.0
    timeout_seconds: float = 2.0
    healthy_after: int = 2
    unhealthy_after: int = 3
    statuses: frozenset[int] = frozenset(range(200, 300))


@dataclass(frozen=True, slots=True)
class Ejection:
    """When a target is left out for what it answers, and for how long, in seconds.

    `most_percent` of the targets are out at the same time at most.
    """

    failures_in_a_row: int = 5
    statuses: frozenset[int] = frozenset({500, 502, 503, 504})
    for_seconds: float = 10.0
    most_percent: int = 50


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where allowed requests go, with the time limits of the way there, in seconds.

    `protocol` is `http1` or `http2`, and spoken to all targets. `host` is the `Host` it sees instead of the target's
    own. `retries`: how often a request is tried again, by at most
    `retry_budget_percent` of the requests on their way. `x_real_ip`, `forwarded_port`, `forwarded_path`: what it is
    told of the client besides. `hash_by` is set where `balance` is the consistent hash. What is `most_…` holds for one
    worker; None: any number. A name is looked up again after its TTL, `resolve_seconds` at the latest, and its last
    good addresses are used for `stale_names_seconds` while that fails.
    """

    name: str
    targets: tuple[Target, ...]
    protocol: str = "http1"
    preserve_host: bool = False
    host: str | None = None
    balance: Balance = Balance.ROUND_ROBIN
    hash_by: HashKey | None = None
    slow_start_seconds: float = 0.0
    health_check: HealthCheck | None = None
    ejection: Ejection | None = None
    most_connections: int | None = None
    most_requests: int | None = None
    most_pending: int | None = None
    retries: int = 1
    retry_budget_percent: int = 20
    x_real_ip: bool = False
    forwarded_port: bool = False
    forwarded_path: bool = False
    connect_seconds: float = 2.0
    first_byte_seconds: float = 30.0
    idle_seconds: float = 60.0
    keep_alive_seconds: float = 30.0
    most_idle_connections: int = 128
    resolve_seconds: float = 30.0
    stale_names_seconds: float = 3600.0
    ca_file: str | None = None
    server_name: str | None = None

    @property
    def is_told_more(self) -> bool:
        """Whether it is told more of the client than every upstream is."""
        return self.x_real_ip or self.forwarded_port or self.forwarded_path


NOWHERE = Upstream("", ())
"""The upstream of a route that answers by itself."""
