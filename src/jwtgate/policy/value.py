"""The value behind a `Value` of the plan, once the caller is known."""

from __future__ import annotations

from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.request import RequestView
from jwtgate.policy.rooms.claims import MISSING, find
from jwtgate.policy.rooms.identify import Principal


def value_of(value: Value, request: RequestView, principal: Principal) -> object:
    """A JSON value, or `MISSING` when a claim or a field is not there."""
    match value.origin:
        case Origin.CONSTANT:
            return value.constant
        case Origin.CLAIM:
            proven = principal.tokens.get(value.slot)
            return find(proven.token.claims, value.path) if proven else MISSING
        case Origin.CLAIMS:
            proven = principal.tokens.get(value.slot)
            return dict(proven.token.claims) if proven else MISSING
        case Origin.FIELD:
            values = request.field_values(value.field)
            return values[0].decode("latin-1") if len(values) == 1 else MISSING
        case Origin.METHOD:
            return request.method
        case Origin.HOST:
            return request.host
        case Origin.PATH:
            return request.path
        case Origin.CLIENT:
            return request.client
        case _:
            return MISSING
