"""A `beta_introspection` as the introspection of an issuer."""

from __future__ import annotations

from collections.abc import Mapping

from jwtgate.dialects.couper.reading.configuration import Introspection, SigningProfile
from jwtgate.dialects.couper.translation.controls.keys import key_of, secret_text
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.values import constant_of
from jwtgate.dialects.dialect import literal, literals
from jwtgate.dialects.secrets import leniencies

_AUTH: Mapping[str, str] = {
    "client_secret_basic": "basic",
    "client_secret_post": "post",
    "client_secret_jwt": "client_secret_jwt",
    "private_key_jwt": "private_key_jwt",
}
_MOST_CACHED_SECONDS = 86400
_MOST_ASSERTION_SECONDS = 3600
_OURS_IN_ASSERTION = frozenset({"iss", "sub", "iat", "exp", "jti"})
_OURS_IN_HEADER = frozenset({"alg", "crit", "b64"})


def introspection_of(draft: Draft, asked: Introspection) -> Section:
    """The section that asks this endpoint."""
    place = place_of(asked)
    if asked.backend is not None:
        draft.notes.changed(f"{place}/backend", "Nothing of it but the address is used.")
    section: Section = {
        "endpoint": literal(asked.endpoint),
        "auth": _AUTH[asked.endpoint_auth_method],
        "client_id": literal(asked.client_id),
        "hint": None,
        "unknown_answers_are_failures": True,
        "cache_seconds": float(min(asked.ttl, _MOST_CACHED_SECONDS)),
        "cache_control_not_looked_at_for_legacy_issuer": True,
        "exp_not_looked_at_for_legacy_issuer": True,
        "nbf_not_looked_at_for_legacy_issuer": True,
        "iat_not_looked_at_for_legacy_issuer": True,
    }
    if asked.ttl == 0:
        section["negative_cache_seconds"] = 0.0
    if asked.endpoint_auth_method != "private_key_jwt" and asked.client_secret is not None:
        section["client_secret"] = secret_text(asked.client_secret)
    if asked.profile is not None:
        section |= _assertion(draft, asked.profile, asked)
    return section


def _assertion(draft: Draft, profile: SigningProfile, asked: Introspection) -> Section:
    """How we prove who we are with a token."""
    place = place_of(asked)
    claims = _object(draft, profile, "claims", place)
    told: Section = {
        "lifetime_seconds": max(1, min(int(profile.ttl), _MOST_ASSERTION_SECONDS)),
        "jti_prefix": "client_assertion-",
        "aud_left_out_for_legacy_issuer": "aud" not in claims,
    }
    if told["lifetime_seconds"] != int(profile.ttl):
        draft.notes.changed(f"{place}/ttl", f"From 1 to {_MOST_ASSERTION_SECONDS} seconds.")
    header = _object(draft, profile, "headers", place)
    told |= {"claims": {name: value for name, value in claims.items() if name not in _OURS_IN_ASSERTION}}
    told |= {"header": {name: value for name, value in header.items() if name not in _OURS_IN_HEADER}}
    if asked.endpoint_auth_method == "private_key_jwt":
        key: Section = {"client_key": key_of(profile.key)}
    else:
        secret = asked.client_secret or profile.key
        key = {}
        told["weak_secret_allowed_for_legacy_issuer"] = bool(leniencies(secret.value, profile.signature_algorithm))
    return {"client_assertion_alg": profile.signature_algorithm, "client_assertion": told, **key}


def _object(draft: Draft, profile: SigningProfile, name: str, place: str) -> Section:
    text = profile.claims if name == "claims" else profile.headers
    if text is None:
        return {}
    value = constant_of(draft, text)
    if isinstance(value, dict):
        found: Section = literals(value)
        return found
    draft.notes.refused(f"{place}/{name}", "It must not vary: an assertion is made for many requests.")
    return {}
