"""The plugin `public-api`: endpoints of the gateway's own on a route. The one that is left makes tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.apisix.callers import MOST_SECONDS
from jwtgate.dialects.apisix.noting import Noting, Place
from jwtgate.dialects.apisix.plugins.saying_no import PLAIN_TEXT, json_line, page, pages
from jwtgate.dialects.dialect import Objects

SIGN = "/apisix/plugin/jwt/sign"
"""The endpoint that makes tokens."""
SIGNING = "signing"
"""The member of the objects that says that some consumer can have tokens made."""
_ANSWERS: Mapping[str, Any] = {
    **pages(("minting_credential_missing",), 400, "Bad Request"),
    **pages(("minting_credential_unknown", "minting_refused"), 404, "Not Found"),
    "minting_claims_refused": {
        "status": 400,
        "body": json_line({"message": "payload is no JSON object"}),
        "content_type": PLAIN_TEXT,
    },
    "signer_unavailable": {"status": 503, "body": "failed to sign jwt", "content_type": PLAIN_TEXT},
}


def published(conf: Mapping[str, Any], uris: tuple[str, ...], objects: Objects, *, protected: bool) -> dict[str, Any]:
    """What a route of ours with this plugin does: make tokens, or answer 404 where no such endpoint is."""
    targets = {conf["uri"]} if conf.get("uri") else set(uris)
    if targets != {SIGN} or not can_sign(objects):
        return {"respond": page(404, "Not Found")}
    mint: dict[str, Any] = {
        "by_query": {"credential": "key", "claims": "payload"},
        "credentials": "any",
        "claims": "any",
        "most_ttl_seconds": MOST_SECONDS,
        "bare_token_for_legacy_reader": True,
        "x5c_holds_public_key_pem_for_legacy_reader": True,
    }
    if not protected:
        mint["unauthenticated_minting_allowed"] = True
    return {"mint": mint, "answers": dict(_ANSWERS)}


def note_published(conf: Mapping[str, Any], uris: tuple[str, ...], noting: Noting, place: Place) -> None:
    """What is worth saying of such a route nobody is asked for a credential on."""
    if conf.get("uri", SIGN) == SIGN and (conf.get("uri") or SIGN in uris):
        noting.danger(place, "whoever knows the key of a consumer is given tokens of it")
    else:
        noting.changed(place, "there is no such endpoint here, so it is answered with 404")


def can_sign(objects: Objects) -> bool:
    """Whether some consumer has a credential to make tokens with, as far as the objects tell."""
    if objects.get(SIGNING):
        return True
    callers = (*objects.get("consumers", {}).values(), *objects.get("credentials", {}).values())
    return any("jwt-auth" in value.get("plugins", {}) for value in callers)
