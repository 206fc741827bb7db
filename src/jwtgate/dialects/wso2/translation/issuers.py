"""Who signs the tokens callers present: issuers of JWTs, and the door of all that is known by its text."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from jwtgate.dialects.dialect import as_name
from jwtgate.dialects.wso2.translation.draft import Draft
from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.key import Key

OPAQUE_ISSUER = "known-tokens"
# One for each kind of key: a key that names none is for one alone.
_ALGORITHMS = ("RS256", "ES256", "ES384", "ES512")


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
            **_keys(draft, issuer),
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
    """Where its keys come from, and its algorithms: of one key only those that it fits."""
    jwks, certificate = issuer.get("jwks"), issuer.get("certificate")
    named = issuer.get("algorithms") or list(_ALGORITHMS)
    if jwks is not None:
        address = jwks.get("url") if isinstance(jwks, dict) else jwks
        keys = {"url": address} if isinstance(address, str) else {"jwks": jwks}
        return {"keys": keys, "algorithms": named}
    pem = draft.pem(certificate or "", issuer["_file"], f"issuers/{issuer['name']}/certificate")
    try:
        key = Key.from_pem(pem)
    except KeyRefused:
        raise ConfigError(f"{issuer['_file']}: issuers/{issuer['name']}/certificate: cannot be read.") from None
    return {"keys": {"pem": pem}, "algorithms": [alg for alg in named if key.fits(alg)]}


def _reached(issuer: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be said of keys that are fetched without TLS from another machine. `ConfigError`."""
    jwks = issuer.get("jwks")
    address = jwks.get("url") if isinstance(jwks, dict) else jwks
    try:
        parts = urlsplit(address or "")
    except ValueError:
        raise ConfigError(f"{issuer['_file']}: issuers/{issuer['name']}/jwks: is no address.") from None
    host = parts.hostname or ""
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return {}
    try:
        return {} if ip_address(host).is_loopback else {"insecure_http": True}
    except ValueError:
        return {"insecure_http": True}
