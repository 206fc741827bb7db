"""Who signs the tokens callers present: issuers of JWTs, and the door of all that is known by its text."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from jwtgate.dialects.wso2.translation.draft import Draft, as_name
from jwtgate.errors import ConfigError

OPAQUE_ISSUER = "known-tokens"
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_PEM = "-----BEGIN"


def issuers(draft: Draft) -> dict[str, dict[str, Any]]:
    """The issuers of a document."""
    found: dict[str, dict[str, Any]] = {}
    for issuer in draft.objects["issuers"]:
        name, place = as_name(issuer["name"]), f"issuers/{issuer['name']}"
        if name in found:
            raise ConfigError(f"{issuer['_file']}: {place}: stands there twice.")
        draft.dangerous(place, "Tokens are taken whoever they are meant for.")
        found[name] = {
            "issuer": issuer["name"],
            "keys": _keys(draft, issuer),
            "algorithms": issuer.get("algorithms") or list(_ALGORITHMS),
            "audience": "any",
            **_reached(issuer),
        }
    return {**found, OPAQUE_ISSUER: {"consumers": {"api_key": True}, "audience": "any"}}


def consumer_claims(draft: Draft) -> list[list[str | int]]:
    """The claims that hold the consumer key, in the order in which they are tried."""
    named = [issuer["consumer_key_claim"] for issuer in draft.objects["issuers"] if issuer.get("consumer_key_claim")]
    paths: list[list[str | int]] = []
    for name in dict.fromkeys((*named, "consumerKey", "azp")):
        paths.append([name])
        if name == "aud":
            paths.append([name, 0])
    return paths


def _keys(draft: Draft, issuer: Mapping[str, Any]) -> dict[str, Any]:
    jwks, certificate = issuer.get("jwks"), issuer.get("certificate")
    if isinstance(jwks, str):
        return {"url": jwks}
    if isinstance(jwks, dict):
        return {"url": jwks["url"]} if "url" in jwks else {"jwks": jwks}
    if isinstance(jwks, list):
        return {"jwks": {"keys": jwks}}
    if _PEM in str(certificate):
        return {"pem": certificate}
    return {"file": str(draft.file_of(issuer["_file"], str(certificate)).resolve())}


def _reached(issuer: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be said of keys that are fetched without TLS from another machine."""
    jwks = issuer.get("jwks")
    parts = urlsplit(jwks.get("url", "") if isinstance(jwks, dict) else jwks if isinstance(jwks, str) else "")
    host = parts.hostname or ""
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return {}
    try:
        return {} if ip_address(host).is_loopback else {"insecure_http": True}
    except ValueError:
        return {"insecure_http": True}
