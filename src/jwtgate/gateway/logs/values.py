"""Values of the document in a line of the access log: those of a route, of an answer, and of refusals alone."""

from __future__ import annotations

from collections.abc import Iterable

from jwtgate.errors import Fault, Refusal
from jwtgate.gateway.logs.members import logged_members, logged_side_by_side, merged, told_of
from jwtgate.policy.expression import Asks
from jwtgate.policy.plan import LogShape
from jwtgate.policy.provisions import Value
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.value import Known, value_of

_CUSTOM = "log"


def logged_route(known: Known, shape: LogShape | None) -> str:
    """What the route, and the answer that was given, have a line say of a request."""
    said = merged(_looked_at(known.route.log, known), known.logged)
    return logged_members(shape.custom if shape is not None else _CUSTOM, said) if said else ""


def logged_refusal(error: Refusal | Fault, known: Known, shape: LogShape | None) -> str:
    """All that a line says besides of a request that was refused, or failed."""
    refused = _looked_at(shape.refused, known) if shape is not None else {}
    return f"{logged_route(known, shape)}{told_of(error)}{logged_side_by_side(refused)}"


def _looked_at(values: Iterable[tuple[str, Value]], known: Known) -> dict[str, object]:
    """The values there are. One that cannot be had is left out, and the line is written all the same."""
    found = {}
    for name, value in values:
        try:
            said = value_of(value, known)
        except (Refusal, Fault, Asks):
            continue
        if said is not MISSING and said is not None:
            found[name] = said
    return found
