"""Couper's words for our refusals and faults: kinds, statuses, the short text clients see, and the long one of the log.

Our reasons say what happened; `detail` what the log may know of it. Clients are never told more than the synopsis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.couper.expressions.functions import json_text
from jwtgate.errors import Fault, Refusal, RequestRefused, RouteUnknown, TokenRefused, UpstreamFault
from jwtgate.policy.request import RequestView
from jwtgate.policy.value import Known

Error = Refusal | Fault

ACCESS_CONTROL = "access control error"
_BACKEND = "backend error"
_EVALUATION = "expression evaluation error"
_CONFIGURATION = "configuration error"
_METHOD = "method not allowed error"

_STATUS = {
    "jwt": 403,
    "jwt_token_missing": 401,
    "jwt_token_expired": 401,
    "jwt_token_inactive": 401,
    "jwt_token_invalid": 401,
    "basic_auth": 401,
    "basic_auth_credentials_missing": 401,
    "insufficient_permissions": 403,
    "access_control": 403,
    "evaluation": 500,
    "configuration": 500,
}
_OF_SLOT = {
    "credential_missing": "jwt_token_missing",
    "credential_repeated": "jwt_token_missing",
    "token_expired": "jwt_token_expired",
    "token_inactive": "jwt_token_inactive",
    "issuer_unreachable": "jwt_token_invalid",
    "introspection_unreachable": "jwt",
}
_OF_ROUTE = {
    "permission_missing": "insufficient_permissions",
    "scope_missing": "insufficient_permissions",
    "scope_insufficient": "insufficient_permissions",
    "condition_not_met": "access_control",
    "expected_claims_malformed": "configuration",
    "expression_failed": "evaluation",
    "upstream_slow": "backend_timeout",
    "upstream_unexpected": "unexpected_status",
    "upstream_unreachable": "backend",
    "upstream_malformed": "backend",
}
_OF_TOKEN = {
    "audience_missing": "token has invalid claims: token has invalid audience",
    "audience_wrong": "token has invalid claims: token has invalid audience",
    "claim_malformed": "token has invalid claims: invalid type for claim: {claim} is invalid",
    "claims_unreadable": "token is malformed: could not JSON decode claim",
    "crit_unknown": "token is malformed: unknown critical header parameter",
    "issuer_unknown": "token has invalid claims: token has invalid issuer",
    "issuer_wrong": "token has invalid claims: token has invalid issuer",
    "signature_unreadable": "token signature is invalid: signature is invalid",
    "signature_wrong": "token signature is invalid: signature is invalid",
    "time_in_milliseconds": "token has invalid claims: invalid type for claim: {claim} is invalid",
    "time_malformed": "token has invalid claims: invalid type for claim: {claim} is invalid",
    "token_encrypted": "token is malformed: token contains an invalid number of segments",
    "token_expired": "token has invalid claims: token is expired",
    "token_inactive": "token inactive",
    "token_not_yet_valid": "token has invalid claims: token is not valid yet",
    "token_too_large": "token is malformed: token is too large",
}
_OF_PROOF = {
    "alg": "DPoP proof: algorithm is not supported",
    "ath": "DPoP proof: wrong access token hash",
    "htm": "DPoP proof: wrong request method",
    "htu": "DPoP proof: wrong request URL",
    "iat": "DPoP proof: missing iat claim",
    "jti": "DPoP proof: missing jti claim",
    "jwk": "DPoP proof: missing or unusable jwk",
    "not_bound": "access token is not bound to a key",
    "replayed": "DPoP proof was used before",
    "signature": "DPoP proof: signature is invalid",
    "thumbprint": "DPoP JWK thumbprint mismatch",
    "too_new": "DPoP proof too new",
    "too_old": "DPoP proof too old",
    "typ": "DPoP proof: wrong typ",
}
_METHOD_INVALID = "token signature is invalid: signing method {} is invalid"
_KEYS = "token is unverifiable: error while executing keyfunc: "


def kind_of(error: Error, slot: str = "", source: str = "") -> str | None:
    """Couper's kind of this error, the most specific; None for one that has none. `slot` is where it happened."""
    if error.reason in _OF_ROUTE:
        return str(error.detail.get("kind") or _OF_ROUTE[error.reason])
    if not slot and not isinstance(error, TokenRefused) and error.reason not in _OF_SLOT:
        return None
    if source == "basic":
        return "basic_auth_credentials_missing" if error.reason == "credential_missing" else "basic_auth"
    of_slot = _OF_SLOT.get(error.reason)
    return "jwt_token_invalid" if of_slot is None and isinstance(error, TokenRefused | RequestRefused) else of_slot


def status_of(error: Error, slot: str = "") -> int:
    """The status Couper answers with."""
    return _STATUS.get(kind_of(error, slot) or "", error.status)


def synopsis_of(error: Error, slot: str = "") -> str:
    """All that a client is told."""
    kind = kind_of(error, slot)
    if kind in ("evaluation", "configuration"):
        return _CONFIGURATION if kind == "configuration" else _EVALUATION
    if error.reason == "method_not_permitted":
        return _METHOD
    if isinstance(error, RouteUnknown):
        return "route not found error"
    if isinstance(error, UpstreamFault):
        return "backend timeout error" if error.reason == "upstream_slow" else _BACKEND
    if kind is not None or (isinstance(error, Refusal) and error.status in (401, 403)):
        return ACCESS_CONTROL
    return "client request error" if isinstance(error, RequestRefused) else "internal server error"


def message_of(known: Known, given: Mapping[str, Any]) -> str | None:
    """The text of the log: the synopsis, the access control it belongs to, and what happened. None without an error."""
    error, slot = known.error, known.slot
    if error is None:
        return None
    source = str(given.get("sources", {}).get(slot, "bearer"))
    label = next((label for label, other in given.get("slots", {}).items() if other == slot), slot)
    told = _told(known, error, source)
    synopsis = synopsis_of(error, slot)
    named = slot and (synopsis == ACCESS_CONTROL or error.reason == "expected_claims_malformed")
    return ": ".join(part for part in (synopsis, label if named else "", told) if part)


def _told(known: Known, error: Error, source: str) -> str:
    detail = error.detail
    if known.slot and source == "basic":
        return "credentials required" if error.reason == "credential_missing" else "credential mismatch"
    if error.reason in ("credential_missing", "credential_repeated"):
        return _missing(source, str(detail.get("cause", "")))
    fixed = _OF_TOKEN.get(error.reason)
    if fixed is not None:
        return fixed.format(claim=_path(detail.get("claim")))
    told = _varying(detail, error.reason) or _of_request(known.request, detail, error.reason)
    return told or str(detail.get("cause") or error.reason.replace("_", " "))


def _missing(source: str, cause: str) -> str:
    if cause == "proof":
        return "exactly one DPoP request header field required"
    scheme = {"bearer": "Bearer", "dpop": "DPoP"}.get(source)
    if scheme is None or cause not in ("absent", "scheme_differs"):
        return "token required"
    if cause == "absent":
        return "missing authorization header"
    return f'auth scheme "{scheme}" required in authorization header'


def _varying(detail: Mapping[str, Any], reason: str) -> str:
    """What is told of a token with the names and values of this one; nothing for other reasons."""
    match reason:
        case "alg_not_allowed" | "alg_unreadable" if detail.get("alg"):
            return _METHOD_INVALID.format(detail["alg"])
        case "alg_unreadable":
            return f'{_KEYS}missing "alg" in JOSE header'
        case "key_unknown" if detail.get("set") == "empty":
            return f"{_KEYS}missing jwks key-data"
        case "key_unknown":
            return f'{_KEYS}no matching {detail.get("alg")} JWK for kid "{detail.get("kid") or ""}"'
        case "issuer_unreachable":
            return f"{_KEYS}received no valid JWKs data: <nil>, status code {detail.get('status', 0)}"
        case "claim_missing" | "time_missing":
            return f"required claim is missing: {_path(detail.get('claim'))}"
        case "claim_wrong" if "expected" in detail:
            got, expected = (_quoted(detail.get(name)) for name in ("got", "expected"))
            return f"unexpected value for claim {_path(detail.get('claim'))}, got {got}, expected {expected}"
        case "token_malformed":
            return _malformed(detail)
        case "proof_wrong":
            return _OF_PROOF.get(str(detail.get("cause")), "DPoP proof is malformed")
    return ""


def _of_request(request: RequestView, detail: Mapping[str, Any], reason: str) -> str:
    """What is told of a request, or of what was configured for it; nothing for other reasons."""
    match reason:
        case "permission_missing" if detail.get("granted"):
            return f'required permission "{detail.get("permission")}" not granted'
        case "permission_missing":
            return "no permissions granted"
        case "method_not_permitted":
            by = "required_permission" if detail.get("by") == "permission" else "allowed_methods"
            return f"method {request.method} not allowed by {by}"
        case "expected_claims_malformed" if "claim" in detail:
            return f"invalid value type, string expected (claims / {detail['claim']})"
        case "route_unknown":
            return f"{request.method} {request.path}"
    return ""


def _malformed(detail: Mapping[str, Any]) -> str:
    if detail.get("part") == "signature":
        none = str(detail.get("alg")).lower() == "none"
        return _METHOD_INVALID.format(detail["alg"]) if none else _OF_TOKEN["signature_wrong"]
    if detail.get("part") in (None, "shape"):
        return "token is malformed: token contains an invalid number of segments"
    return f"token is malformed: could not decode {detail['part']}"


def _path(claim: object) -> str:
    return ".".join(map(str, claim)) if isinstance(claim, tuple | list) else str(claim)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else json_text(value)


def warnings_of(known: Known) -> list[str] | None:
    """What is told of claims that were to grant something and cannot be read; None where all can."""
    grants = known.principal.unreadable_grants
    return [
        f"invalid {what} claim value type, ignoring claim, value {json_text(value)}" for _, what, value in grants
    ] or None
