"""A `cors` block: the fields it adds to answers, and the answer to a browser that asks beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from jwtgate.dialects.couper.reading.configuration import Cors
from jwtgate.dialects.couper.translation.draft import Section
from jwtgate.dialects.couper.translation.values import source_of, special

_PREFLIGHT = (
    "'origin' in request.headers && ('access-control-request-method' in request.headers"
    " || 'access-control-request-headers' in request.headers)"
)
_ORIGIN = 'default(request.headers.origin, "")'


def fields_of(cors: Cors | None) -> Section:
    """The fields of every answer; none where there is no `cors`."""
    if cors is None or not cors.allowed_origins:
        return {}
    if "*" in cors.allowed_origins and not cors.allow_credentials:
        return {"Access-Control-Allow-Origin": "*"}
    fields = {"Access-Control-Allow-Origin": _if_allowed(cors, "request.headers.origin"), "Vary": "Origin"}
    if cors.allow_credentials:
        fields["Access-Control-Allow-Credentials"] = _if_allowed(cors, '"true"')
    return fields


def _if_allowed(cors: Cors, text: str) -> Section:
    if "*" in cors.allowed_origins:
        return special(f'{_ORIGIN} == "" ? null : {text}')
    return special(f"contains({source_of(list(cors.allowed_origins))}, {_ORIGIN}) ? {text} : null")


def preflight(cors: Cors, methods: Sequence[str]) -> Section:
    """What a route does with such requests, without asking for anything."""
    asked = 'request.headers["access-control-request-method"]'
    allowed = f'contains({source_of(list(methods))}, default({asked}, "")) ? {asked} : null'
    fields = {
        **fields_of(cors),
        "Access-Control-Allow-Methods": _if_allowed(cors, f"({allowed})"),
        "Access-Control-Allow-Headers": _if_allowed(cors, 'request.headers["access-control-request-headers"]'),
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        "Server": "couper.io",
    }
    if cors.max_age is not None:
        fields["Access-Control-Max-Age"] = _if_allowed(cors, f'"{int(cors.max_age)}"')
    return {"methods": ["OPTIONS"], "auth": "none", "respond": {"status": 204, "headers": fields}}


def with_condition(keys: Section) -> Section:
    """These keys of a route, for browsers that ask beforehand alone."""
    match = keys.get("match", {})
    when = f"({match['when']}) && {_PREFLIGHT}" if "when" in match else _PREFLIGHT
    return {**keys, "match": {**match, "when": when}}
