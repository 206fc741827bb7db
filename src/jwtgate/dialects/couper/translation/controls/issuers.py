"""A `jwt` or `basic_auth` as an issuer of a document: where its keys are, and what its tokens must say."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping

from jwtgate.dialects.couper.reading.configuration import (
    Backend,
    BasicAuth,
    Configuration,
    Jwt,
    Place,
    Secret,
)
from jwtgate.dialects.couper.translation.controls.introspection import introspection_of
from jwtgate.dialects.couper.translation.controls.keys import insecure, key_of, secret_of
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.fields import Changes, as_basic_auth, change_requests
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.values import constant_of, reference_of
from jwtgate.dialects.dialect import Caller, as_name, literal
from jwtgate.dialects.secrets import leniencies

PUBLIC_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_READ = {"unusable_skipped": True, "certificates_first": True}
_LEAST_REFRESH_SECONDS = 1
_STARTING_SECONDS = 1
"""A set is fetched before there is anybody to ask for its keys; that much of its time is not its users'."""
_USUAL = Backend("", Place("", 0, 0, 0, 0))


def issuer_of(draft: Draft, label: str) -> str:
    """The name of the issuer of an access control."""
    name = as_name(label)
    if name not in draft.issuers:
        control = draft.configuration.access_controls[label]
        users: Section = {"consumers": {"api_key": True}, "audience": "any"}
        draft.issuers[name] = users if isinstance(control, BasicAuth) else _issuer(draft, control)
    return name


def users(configuration: Configuration) -> Iterator[Caller]:
    """The user of every `basic_auth`."""
    alone = has_one_basic_auth(configuration)
    for control in configuration.access_controls.values():
        if isinstance(control, BasicAuth):
            name = as_name(control.label)
            credentials = b64encode(control.user.encode() + b":" + control.password.value).decode()
            key = credentials if alone else f"{name} {credentials}"
            yield Caller(
                name, {"credentials": {name: {"api_key": literal(key), "claims": {"user": literal(control.user)}}}}
            )


def has_one_basic_auth(configuration: Configuration) -> bool:
    """Whether there is one `basic_auth`; of several, a user of one must not count as one of another."""
    return sum(isinstance(each, BasicAuth) for each in configuration.access_controls.values()) == 1


def _issuer(draft: Draft, jwt: Jwt) -> Section:
    place = place_of(jwt)
    section: Section = {
        "iss_not_looked_at_for_legacy_issuer": True,
        "audience": "any",
        "leeway_seconds": 1,
        "exp_optional_for_legacy_tokens": True,
        "exp_zero_counts_as_none_for_legacy_tokens": True,
        "iat_not_looked_at_for_legacy_tokens": True,
        "malformed_claims_count_as_absent_for_legacy_tokens": True,
        **(_set_of_keys(draft, jwt) if jwt.key is None else _key(jwt, jwt.key)),
    }
    if "exp" not in jwt.required_claims:
        draft.notes.dangerous(place, "Tokens that never expire are accepted; required_claims can ask for exp.")
    if jwt.required_claims:
        section["claims"] = [{"claim": [name], "required": True} for name in jwt.required_claims]
    granted = _grants(jwt)
    if granted:
        section["permissions"] = granted
    if jwt.introspection is not None:
        section["introspection"] = introspection_of(draft, jwt.introspection)
        section |= {**insecure(jwt.introspection.endpoint), **draft.trusted(jwt.introspection.endpoint)}
    return section


def _grants(jwt: Jwt) -> Section:
    found: Section = {}
    if jwt.permissions_claim is not None:
        found["claim"] = [jwt.permissions_claim]
    if jwt.roles_claim is not None:
        found |= {"roles_claim": [jwt.roles_claim], "roles": _words(jwt.roles_map)}
    if found and jwt.permissions_map:
        found["implied"] = _words(jwt.permissions_map)
    return found


def _words(mapping: Mapping[str, tuple[str, ...]] | None) -> dict[str, list[str]]:
    return {name: [literal(word) for word in words] for name, words in (mapping or {}).items()}


def _key(jwt: Jwt, key: Secret) -> Section:
    alg = jwt.signature_algorithm or ""
    if not alg.startswith("HS"):
        return {"algorithms": [alg], "keys": key_of(key)}
    lenient = leniencies(key.value, alg)
    return {"algorithms": [alg], "keys": secret_of(key), **lenient}


def _set_of_keys(draft: Draft, jwt: Jwt) -> Section:
    place = place_of(jwt)
    section: Section = {
        "algorithms": list(PUBLIC_ALGORITHMS),
        "keys_by_kid_alone": True,
        "keys_must_say_use": not draft.option("jwks_accept_missing_use"),
        "keys_without_alg_serve_every_algorithm": True,
        "empty_key_set_allowed": True,
    }
    if jwt.jwks_file is not None:
        return {**section, "keys": {"file": str(jwt.jwks_file), **_READ}}
    url = jwt.jwks_url or ""
    if jwt.jwks_ttl < _LEAST_REFRESH_SECONDS:
        draft.notes.changed(f"{place}/jwks_ttl", "Keys are fetched once a second at most.")
    section |= {
        "keys": {
            "url": url,
            **_READ,
            "any_media_type": True,
            **_keys_backend(draft, jwt.backend, f"{place}/backend"),
        },
        "keys_fetched_for_unknown_kid": bool(draft.option("jwks_refetch_on_unknown_kid")),
        "key_set_refreshed_early": False,
        "key_set_saved": False,
        "refresh_seconds": float(max(jwt.jwks_ttl, _LEAST_REFRESH_SECONDS)),
        "max_stale_seconds": float(jwt.jwks_max_stale) + _STARTING_SECONDS,
        **insecure(url),
        **draft.trusted(url),
    }
    if "insecure_http" in section:
        draft.notes.dangerous(f"{place}/jwks_url", "It is fetched without TLS.")
    return section


def _keys_backend(draft: Draft, backend: Backend | None, place: str) -> Section:
    if backend is None:
        return {}
    changes = Changes()
    change_requests(draft, changes, backend.edits, place)
    if backend.basic_auth is not None:
        changes.put("authorization", as_basic_auth(backend.basic_auth))
    fields: Section = {}
    for name, (text, *_) in {**changes.added, **changes.set}.items():
        value = constant_of(draft, text)
        if isinstance(value, str):
            fields[name] = reference_of(draft, text) or literal(value)
        elif value is not None:
            draft.notes.refused(f"{place}/set_request_headers/{name}", "It must not vary: no request is at hand.")
    for name in ("connect_timeout", "ttfb_timeout", "timeout"):
        if getattr(backend, name) != getattr(_USUAL, name):
            draft.notes.changed(f"{place}/{name}", "Fetching keys has time limits of its own.")
    for name in ("path", "path_prefix", "hostname"):
        if getattr(backend, name) is not None:
            draft.notes.refused(f"{place}/{name}", "Keys are fetched from jwks_url as it stands.")
    if backend.disable_certificate_validation:
        draft.notes.changed(f"{place}/disable_certificate_validation", "Certificates are always verified.")
    return {"headers": fields} if fields else {}
