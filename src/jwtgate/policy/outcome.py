"""How a request ended: allowed, refused or failed, with the trail that led there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from jwtgate.errors import Fault, Refusal
from jwtgate.policy.facts import Allowance
from jwtgate.policy.plan import Route
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.identify import ANONYMOUS, Principal, Proven
from jwtgate.policy.rooms.rewrite import Rewrite
from jwtgate.policy.value import Known


@dataclass(slots=True)
class Trail:
    """What is known of a walk so far; the room it stands in, and the slot it is busy with.

    `forgiven` is a refusal after which the caller went on as nobody, or by another slot, since the route says so.
    `allowance` is what the limit of the caller leaves, where there is one. `known` is what values may come from, once
    there is a route.

    The one value of this floor that changes, and only while its own walk goes on.
    """

    request: RequestView
    now: int
    room: str = "match"
    slot: str = ""
    route: Route | None = None
    proven: dict[str, Proven] = field(default_factory=dict)
    principal: Principal = ANONYMOUS
    forgiven: Refusal | None = None
    allowance: Allowance | None = None
    known: Known | None = None


class Allowed(NamedTuple):
    """Forward it, rewritten so. The outcome holds before `good_until` (NumericDate), if that is set.

    At 0 it holds for this request alone.
    """

    route: Route
    rewrite: Rewrite
    trail: Trail
    good_until: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer no."""

    refusal: Refusal
    trail: Trail


@dataclass(frozen=True, slots=True)
class Failed:
    """We could not decide."""

    fault: Fault
    trail: Trail


Outcome = Allowed | Refused | Failed
