"""The kinds of errors a configuration may name, which kind each belongs to, and where a handler for it may stand."""

from __future__ import annotations

WILDCARD = "*"
BUILT_IN = frozenset({"jwt_token_missing", "jwt_token_expired", "jwt_token_inactive", "jwt_token_invalid"})
"""Those Couper answers with a challenge of its own, where the token comes from the `Authorization` field."""

_PARENTS = {
    "jwt": "access_control",
    **dict.fromkeys(BUILT_IN, "jwt"),
    "basic_auth": "access_control",
    "basic_auth_credentials_missing": "basic_auth",
    "insufficient_permissions": "access_control",
    "backend_openapi_validation": "backend",
    "backend_timeout": "backend",
    "backend_unhealthy": "backend",
    "beta_backend_rate_limit_exceeded": "backend",
    "beta_backend_token_request": "backend",
    "sequence": "endpoint",
    "unexpected_status": "endpoint",
}
_ENDPOINT = frozenset(
    {"access_control", "insufficient_permissions", "backend", "endpoint"}
    | {kind for kind, parent in _PARENTS.items() if parent in ("backend", "endpoint")}
)
ALLOWED = {
    "jwt": frozenset({"jwt", "access_control"}) | BUILT_IN,
    "basic_auth": frozenset({"basic_auth", "basic_auth_credentials_missing", "access_control"}),
    "api": _ENDPOINT,
    "endpoint": _ENDPOINT,
}
"""The kinds a handler may be for, by the type of the block it stands in; `*` everywhere."""


def lineage(kind: str) -> tuple[str, ...]:
    """This kind, the one it belongs to, and so on."""
    parent = _PARENTS.get(kind)
    return (kind, *lineage(parent)) if parent else (kind,)
