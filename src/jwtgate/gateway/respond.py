"""What we answer ourselves: refusals and faults, our keys, metadata, health and metrics.

The one table from a reason to an answer (RFC 6750 section 3, RFC 9110 section 11.6.1). A body names the public sentence
and nothing that varies: a wrong signature, an unknown key and an unknown issuer look the same from outside.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from email.utils import formatdate

from jwtgate.errors import AccessRefused, DependencyFault, Fault, RateRefused, Refusal, RequestRefused, UpstreamFault
from jwtgate.gateway.generation import HEALTHZ, LIVEZ, METRICS, OWN_KEYS, OWN_METADATA, READYZ, Generation
from jwtgate.gateway.heads.fields import status_line
from jwtgate.gateway.observe import Report, metrics_text
from jwtgate.gateway.upstreams.counts import TargetCount
from jwtgate.oauth import dpop
from jwtgate.oauth.bearer import challenge
from jwtgate.policy.facts import Allowance
from jwtgate.policy.plan import Route
from jwtgate.policy.rate_limits import RateLimit

_REALM = "jwtgate"
_CHALLENGED = (401, 403)
_BODILESS = frozenset({204, 205, 304})
_UNFRAMED = frozenset({204, 304})
# No other token would help (RFC 6750 section 3).
_UNCHALLENGED = (RequestRefused, AccessRefused)
OwnAnswer = tuple[int, list[tuple[str, str]], bytes]

STATUS_ONLY = frozenset({HEALTHZ, LIVEZ, READYZ, METRICS})
_FRESHNESS = ("age_seconds", "stale", "last_failure")
_UNCACHED = ("Cache-Control", "no-store")
_MANY_SERIES = 50


def refusal_fields(error: Refusal | Fault, route: Route | None) -> list[tuple[str, str]]:
    """The fields of the answer besides those every answer has."""
    fields = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    if isinstance(error, Refusal) and error.status in _CHALLENGED and not isinstance(error, _UNCHALLENGED):
        fields += (("WWW-Authenticate", each) for each in _challenges(error, route))
    if error.status == 405 and route is not None:
        fields.append(("Allow", ", ".join(_methods(error, route))))
    nonce = error.detail.get("nonce")
    if error.reason == "proof_nonce_needed" and isinstance(nonce, str):
        fields.append((dpop.NONCE_FIELD, nonce))
    if isinstance(error, DependencyFault | RateRefused | UpstreamFault) and error.retry_after_seconds is not None:
        fields.append(("Retry-After", str(error.retry_after_seconds)))
    return fields


def _challenges(error: Refusal, route: Route | None) -> Iterator[str]:
    """One for each scheme the route takes (RFC 9449 section 7.2)."""
    slots = route.slots if route is not None else ()
    proofs = [slot.dpop for slot in slots if slot.dpop is not None]
    if proofs:
        yield dpop.challenge(proofs[0].algorithms, error)
    if not proofs or len(proofs) < len(slots):
        yield challenge(route.realm if route else _REALM, error)


def _methods(error: Refusal | Fault, route: Route) -> Iterable[str]:
    """The methods a route takes that does not take all of them."""
    permitted = error.detail.get("permitted")
    if isinstance(permitted, tuple):
        return permitted
    if route.mint is not None:
        return ("POST",) if route.mint.by_query is None else ("GET",)
    return ()


def limit_fields(limit: RateLimit, allowance: Allowance) -> tuple[tuple[str, str], ...]:
    """The fields that say what a limit leaves; none when it is not to be shown."""
    if not limit.shown:
        return ()
    told = {"Limit": limit.requests, "Remaining": allowance.remaining, "Reset": allowance.reset_seconds}
    return tuple((f"X-RateLimit-{name}", str(number)) for name, number in told.items())


def refusal_body(error: Refusal | Fault, request_id: str) -> bytes:
    """What the client may know: a code, a sentence, and the id under which the log knows the rest."""
    code = error.oauth_error if isinstance(error, Refusal) and error.oauth_error else error.reason
    body = {"error": code, "message": error.sentence, "request_id": request_id}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def response(status: int, fields: list[tuple[str, str]], body: bytes, *, close: bool, head_only: bool) -> bytes:
    """A whole response of our own, as bytes. One of a status without a body has none (RFC 9110 section 15)."""
    lines = [status_line(status), f"Date: {formatdate(usegmt=True)}\r\n".encode()]
    if status in _BODILESS:
        fields, body = [field for field in fields if field[0].lower() != "content-type"], b""
    if status not in _UNFRAMED:
        lines.append(f"Content-Length: {len(body)}\r\n".encode())
    lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in fields]
    if close:
        lines.append(b"Connection: close\r\n")
    lines.append(b"\r\n")
    if not head_only:
        lines.append(body)
    return b"".join(lines)


async def own_answer(name: str, generation: Generation, report: Callable[[], Awaitable[Report]]) -> OwnAnswer:
    """The answer of one of our own addresses: status, fields, body."""
    if name == OWN_KEYS:
        return _document(generation.keys_document, "application/jwk-set+json", generation)
    if name == OWN_METADATA:
        return _document(generation.metadata_document or b"{}", "application/json", generation)
    if name == LIVEZ:
        return 200, [("Content-Type", "text/plain; charset=utf-8"), _UNCACHED], b"alive\n"
    state = await report()
    if name in (READYZ, HEALTHZ):
        told = _readiness(state) if name == READYZ else _health(state)
        body = json.dumps(told, indent=2).encode() + b"\n"
        return (200 if state.ready else 503), [("Content-Type", "application/json"), _UNCACHED], body
    return 200, [("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), _UNCACHED], await _metrics(state)


async def _metrics(report: Report) -> bytes:
    """The metrics as text. A long one takes longer than others may be held up, and is written on a thread (REL-21)."""
    if len(report.counters.requests) < _MANY_SERIES:
        return metrics_text(report)
    return await asyncio.to_thread(metrics_text, report)


def _document(body: bytes, media_type: str, generation: Generation) -> OwnAnswer:
    # No longer than a key is published before it signs (SEC-155, SEC-156).
    seconds = generation.plan.own.keys_max_age_seconds
    return 200, [("Content-Type", media_type), ("Cache-Control", f"public, max-age={seconds}")], body


def _readiness(report: Report) -> dict[str, object]:
    """What somebody needs to know who sends requests here, or not."""
    return {
        "ready": report.ready,
        "degraded": report.degraded,
        "generation": report.generation,
        "workers": report.workers,
        "worker_restarts": report.worker_restarts,
        "crash_looping": report.crash_looping,
        "state_saved": report.state_saved,
        "store_away": report.store_away,
        "issuers": [_shown(each, "issuer", "keys", *_FRESHNESS) for each in report.issuers],
        "introspection": [_shown(each, "issuer", "left_alone", "last_failure") for each in report.introspections],
        "secret_stores": [_shown(each, "store", "values", "missing", *_FRESHNESS) for each in report.secret_stores],
        "consumers": {each.origin: each.count for each in report.consumers},
        "targets": _targets(report),
    }


def _health(report: Report) -> dict[str, object]:
    """All that the report knows besides counters: those are for /metrics (REL-38)."""
    told = [field.name for field in fields(report) if field.name != "counters"]
    return {**_shown(report, *told), "targets": _targets(report)}


def _targets(report: Report) -> list[dict[str, object]]:
    """How many workers find each target well, or not."""
    counts = (each for each in report.counters.upstreams if isinstance(each, TargetCount))
    return [_shown(each, "upstream", "target", "up", "down", "resting", "ejected") for each in counts]


def _shown(report: object, *members: str) -> dict[str, object]:
    return {name: _plain(getattr(report, name)) for name in members}


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 1)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return _shown(value, *(field.name for field in fields(value))) if is_dataclass(value) else value
