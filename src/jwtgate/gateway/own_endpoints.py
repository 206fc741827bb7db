"""Addresses we answer ourselves: our keys, metadata, health, metrics (RFC 7517 section 5, RFC 8414)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from jwtgate.gateway.generation import LIVEZ, METRICS, OWN_KEYS, OWN_METADATA, READYZ, Generation
from jwtgate.gateway.observe import Report, metrics_text

OwnAnswer = tuple[int, list[tuple[str, str]], bytes]

STATUS_ONLY = frozenset({LIVEZ, READYZ, METRICS})
_UNCACHED = ("Cache-Control", "no-store")


async def own_answer(name: str, generation: Generation, report: Callable[[], Awaitable[Report]]) -> OwnAnswer:
    """The answer of one of our own addresses: status, fields, body."""
    if name == OWN_KEYS:
        return _document(generation.keys_document, "application/jwk-set+json", generation)
    if name == OWN_METADATA:
        return _document(generation.metadata_document or b"{}", "application/json", generation)
    if name == LIVEZ:
        return 200, [("Content-Type", "text/plain; charset=utf-8"), _UNCACHED], b"alive\n"
    state = await report()
    if name == READYZ:
        return (
            (200 if state.ready else 503),
            [("Content-Type", "application/json"), _UNCACHED],
            _readiness(state),
        )
    return 200, [("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), _UNCACHED], metrics_text(state)


def _document(body: bytes, media_type: str, generation: Generation) -> OwnAnswer:
    # No longer than a key is published before it signs (SEC-155, SEC-156).
    seconds = generation.plan.own.keys_max_age_seconds
    return 200, [("Content-Type", media_type), ("Cache-Control", f"public, max-age={seconds}")], body


def _readiness(report: Report) -> bytes:
    issuers = [
        {
            "issuer": issuer.issuer,
            "keys": issuer.keys,
            "age_seconds": None if issuer.age_seconds is None else round(issuer.age_seconds, 1),
            "stale": issuer.stale,
            "last_failure": issuer.last_failure,
        }
        for issuer in report.issuers
    ]
    state = {
        "ready": report.ready,
        "degraded": report.degraded,
        "generation": report.generation,
        "workers": report.workers,
        "worker_restarts": report.worker_restarts,
        "issuers": issuers,
    }
    return json.dumps(state, indent=2).encode() + b"\n"
