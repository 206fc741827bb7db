"""The configuration and the records as a document of ours."""

from __future__ import annotations

from typing import Any

from jwtgate.dialects.dialect import Objects, Settings, Translation, as_name, literals
from jwtgate.dialects.sharing import listeners
from jwtgate.dialects.wso2.reading.configuration import configured, warnings_of
from jwtgate.dialects.wso2.translation.answers import REALM, answers
from jwtgate.dialects.wso2.translation.draft import Draft
from jwtgate.dialects.wso2.translation.issuers import issuers
from jwtgate.dialects.wso2.translation.keys import TenantKeys
from jwtgate.dialects.wso2.translation.routes import Routes
from jwtgate.dialects.wso2.translation.tokens import issues, signing

_NOBODY = {"path": "/*", "auth": "none", "respond": {"status": 404}}
_UNSIGNED = (
    "Unsigned tokens can be made by whoever reaches the backend. They are sent only where "
    "unsigned_tokens_trusted_by_legacy_backend says so, too."
)


def translated(objects: Objects, settings: Settings) -> Translation:
    """The document these objects mean, without callers, and a note for every setting."""
    configuration = configured(objects)
    draft = Draft(objects, settings, configuration)
    for place, sentence in warnings_of(objects, configuration):
        draft.changed(place, sentence)
    is_refused = configuration.enabled and not configuration.signed and not configuration.unsigned_allowed
    if is_refused:
        draft.refused(draft.place("signing_algorithm"), _UNSIGNED)
    elif configuration.enabled and not configuration.signed:
        draft.dangerous(draft.place("signing_algorithm"), "Whoever reaches the backend can make the tokens it trusts.")
    for option in objects["options"]:
        draft.exact(draft.place(option))
    keys = TenantKeys(draft)
    held = Routes(draft, lambda api: issues(draft, keys, api) if configuration.enabled else [])
    routes = {**held.routes, **_jwks(draft, keys)}
    if is_refused:
        routes = {name: _closed(route) if "issue" in route else route for name, route in routes.items()}
    for route in routes.values():
        route.setdefault("realm", REALM)
    document: dict[str, Any] = {
        "listen": listeners(settings),
        "issuers": issuers(draft),
        "signing": signing(draft, keys, held.told),
        "routes": routes or {"none": _NOBODY},
        "answers": answers(),
        "own": {"keys": "/jwks" if configuration.jwks else None, "metadata": None},
        "fields": {"unusual_names": "drop"},
    }
    if held.upstreams:
        document["upstreams"] = held.upstreams
    return Translation(literals(document), draft.notes())


def _closed(route: dict[str, Any]) -> dict[str, Any]:
    """A route whose token cannot be made: nothing is forwarded without it."""
    kept = ("upstream", "rewrite", "request_headers", "issue")
    return {**{key: value for key, value in route.items() if key not in kept}, "respond": {"status": 503}}


def _jwks(draft: Draft, keys: TenantKeys) -> dict[str, dict[str, Any]]:
    """The key sets of tenants, each at a place of its own."""
    if not draft.configuration.jwks:
        return {}
    return {
        as_name(f"jwks:{domain}"): {
            "path": f"/t/{domain}/jwks",
            "auth": "none",
            "respond": {"json": {"constant": keys.published(domain)}},
        }
        for domain in keys.tenants
    }
