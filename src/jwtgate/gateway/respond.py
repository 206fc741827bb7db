"""A refusal or a fault as an HTTP response (RFC 6750 section 3, RFC 9110 section 11.6.1).

The one table from a reason to an answer. A body names the public sentence and nothing that varies: a wrong
signature, an unknown key and an unknown issuer look the same from outside.
"""

from __future__ import annotations

import json
from email.utils import formatdate

from jwtgate.errors import DependencyFault, Fault, Refusal, RequestRefused
from jwtgate.gateway.fields import status_line
from jwtgate.oauth.bearer import challenge
from jwtgate.policy.plan import Route

_REALM = "jwtgate"
_CHALLENGED = (401, 403)


def refusal_fields(error: Refusal | Fault, route: Route | None) -> list[tuple[str, str]]:
    """The fields of the answer besides those every answer has."""
    fields = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    if isinstance(error, Refusal) and error.status in _CHALLENGED and not isinstance(error, RequestRefused):
        fields.append(("WWW-Authenticate", challenge(route.realm if route else _REALM, error)))
    if isinstance(error, DependencyFault):
        fields.append(("Retry-After", str(error.retry_after_seconds)))
    return fields


def refusal_body(error: Refusal | Fault, request_id: str) -> bytes:
    """What the client may know: a code, a sentence, and the id under which the log knows the rest."""
    code = error.oauth_error if isinstance(error, Refusal) and error.oauth_error else error.reason
    body = {"error": code, "message": error.sentence, "request_id": request_id}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def response(status: int, fields: list[tuple[str, str]], body: bytes, *, close: bool, head_only: bool) -> bytes:
    """A whole response of our own, as bytes."""
    lines = [
        status_line(status),
        f"Date: {formatdate(usegmt=True)}\r\nContent-Length: {len(body)}\r\n".encode(),
    ]
    lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in fields]
    if close:
        lines.append(b"Connection: close\r\n")
    lines.append(b"\r\n")
    if not head_only:
        lines.append(body)
    return b"".join(lines)
