"""The backend JWT in a document: how it is written and signed, and the plug-in that makes its claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.wso2.reading.configuration import ISS, Configuration
from jwtgate.dialects.wso2.tokens.given import SUPER_TENANT, SUPER_TENANT_ID, USER
from jwtgate.dialects.wso2.translation.draft import Draft
from jwtgate.dialects.wso2.translation.end_users import developer, end_user, is_for
from jwtgate.dialects.wso2.translation.keys import DEFAULT_KEY, TenantKeys, key_name

PLUG_IN = SLOT = GENERATOR = "wso2"
_FIRST = ("typ", "alg", "iss", "exp")
_SIGNERS_OWN = ("iss", "iat", "jti")


def issues(draft: Draft, keys: TenantKeys, api: str) -> list[dict[str, Any]]:
    """What a route of this API that asks for a caller issues: one token, whose key may be that of the user's tenant."""
    token = _issue(draft, api)
    if draft.configuration.signed and keys.are_certified:
        token |= _named_certificate(draft.configuration)
    others = [tenant for tenant in keys.tenants if tenant != SUPER_TENANT] if draft.configuration.tenant_signing else []
    is_of = ({**token, "key": key_name(tenant), "when": is_for(tenant, api, draft.configuration)} for tenant in others)
    return [*is_of, {**token, "key": DEFAULT_KEY}]


def _issue(draft: Draft, api: str) -> dict[str, Any]:
    configuration = draft.configuration
    names = [claim.removeprefix(configuration.prefix) for claim in configuration.claims]
    if "exp" not in names:
        draft.changed(draft.place("standard_claims"), "Every token says when it ends.")
    issue: dict[str, Any] = {
        "slot": SLOT,
        "header": configuration.header,
        "audience": "backend",
        "ttl_seconds": configuration.ttl_seconds,
        "may_outlive_incoming_token": True,
        "omit_for_legacy_upstream": ["aud", *(name for name in _SIGNERS_OWN if name not in names)],
        "first_members_for_legacy_reader": list(_FIRST),
        "generator": GENERATOR,
        "kid": configuration.kid,
        **_reuse(configuration),
        **_told(configuration, api),
        **_written(configuration),
    }
    if not configuration.signed:
        issue["unsigned_with_alg_for_legacy_upstream"] = configuration.none_label
    return issue


def _reuse(configuration: Configuration) -> dict[str, Any]:
    if not configuration.reuse:
        return {"reuse": False}
    return {"reuse_margin_seconds": configuration.reuse_margin_seconds}


def _told(configuration: Configuration, api: str) -> dict[str, Any]:
    """What the plug-in is told besides: the records of users where they are looked into, and the request."""
    told: dict[str, Any] = {}
    if configuration.retriever == "user-store" or configuration.user_claims:
        by = {"by": ["name", "id"], "prefix": USER}
        user, owner = end_user(api, configuration), developer(api, configuration)
        told["consumers"] = {"user": {"value": {"cel": user}, **by}, "owner": {"value": {"cel": owner}, **by}}
    if any(name != "default" for name in configuration.generators):
        told["request"] = True
    return {"generator_told": told} if told else {}


def _written(configuration: Configuration) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if configuration.encoding is not None:
        found["encoding_unlike_rfc7515"] = configuration.encoding
    if configuration.exp_in_milliseconds:
        found["exp_in_milliseconds_for_legacy_upstream"] = True
    if configuration.escape_slashes:
        found["slashes_escaped_for_legacy_reader"] = True
    if configuration.profile in ("v3", "v4"):
        found["jti_is_uuid"] = True
    return found


def _named_certificate(configuration: Configuration) -> dict[str, Any]:
    found: dict[str, Any] = {"x5c": True} if configuration.x5c else {}
    found["x5t_s256" if configuration.x5t.startswith("sha256") else "x5t"] = True
    if configuration.x5t.endswith("-hex"):
        found["x5t_of_hex_text_for_legacy_upstream"] = True
        found |= {"x5t_padded_for_legacy_upstream": True} if configuration.x5t_padded else {}
    return found


def signing(draft: Draft, keys: TenantKeys, apis: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The section `signing` of the document. `apis` are what a token says of one, by the names of routes."""
    section: dict[str, Any] = {"issuer": ISS, "keys": keys.sections}
    if draft.configuration.enabled:
        section["generators"] = {GENERATOR: {"plug_in": PLUG_IN, "given": _given(draft, apis)}}
    return section


def _given(draft: Draft, apis: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    configuration = draft.configuration
    tenants = {tenant["domain"]: tenant["id"] for tenant in draft.objects["tenants"] if "id" in tenant}
    plain = (
        *("profile", "prefix", "retriever", "user_claims", "user_claims_of_jwt", "federated", "custom_first"),
        *("identity_claims", "drop_unparsable", "arrays", "separator", "empty_attributes", "remove_user"),
        *("sub_without_tenant", "claim_cache_seconds", "token_cache_seconds", "conversion"),
    )
    return {
        **{name: getattr(configuration, name) for name in plain},
        "claims": [name for name in configuration.claims if name not in ("iss", "exp", "iat", "jti")],
        "generators": list(configuration.generators),
        "excluded": list(configuration.excluded),
        "tenants": {SUPER_TENANT: SUPER_TENANT_ID, **tenants},
        "apis": {name: dict(api) for name, api in apis.items()},
        "mappings": dict(_mappings(draft)),
    }


def _mappings(draft: Draft) -> Iterator[tuple[str, dict[str, str]]]:
    for issuer in draft.objects["issuers"]:
        mapping = issuer.get("claim_mapping")
        if isinstance(mapping, list):
            mapping = {each["remote_claim"]: each["local_claim"] for each in mapping}
        if mapping:
            yield issuer["name"], mapping
