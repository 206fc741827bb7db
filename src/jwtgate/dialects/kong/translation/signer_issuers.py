"""Whose tokens `jwt-signer` takes: those of a JWK Set, those an endpoint vouches for, or in its name nobody's."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from jwtgate.dialects.kong.translation.draft import Draft

_SIGNATURES = [*(f"{kind}{bits}" for kind in ("RS", "ES", "PS") for bits in (256, 384, 512)), "EdDSA"]
_USUAL_LEEWAY = 300
_MOST_LEEWAY = 366 * 24 * 3600
_MOST_PERIOD = 366 * 24 * 3600
_MOST_SECONDS_OF_A_QUESTION = 60
_LIST_OF = {"issuer": "issuers", "subject": "subjects", "audience": "audiences"}
# Nobody has the private half of a key that is the digest of a sentence; and no claim has two values.
_NOBODY: Mapping[str, Any] = {
    "iss_not_looked_at_for_legacy_issuer": True,
    "keys": {
        "jwks": {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "x": urlsafe_b64encode(sha256(b"nobody signs with this key, number 3").digest())
                    .decode()
                    .rstrip("="),
                }
            ]
        }
    },
    "algorithms": ["EdDSA"],
    "audience": "any",
    "claims": [{"claim": ["iss"], "equals": "nobody"}, {"claim": ["iss"], "equals": "nobody else"}],
}


def issuers_of(draft: Draft, plugin: Mapping[str, Any], token: str) -> list[str]:
    """The names of the issuers whose tokens this one may be, at least one; they stand in the document from now on."""
    made = {**_of_jwt(draft, plugin, token), **_of_opaque(draft, plugin, token)}
    if not made:
        made = {"nobody": dict(_NOBODY)}
    draft.issuers.update(made)
    return list(made)


def _of_jwt(draft: Draft, plugin: Mapping[str, Any], token: str) -> dict[str, dict[str, Any]]:
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    name = f"{plugin['id']}-{token}"
    checks = _checks(draft, config, token, place)
    if not config[f"verify_{token}_signature"]:
        draft.notes.dangerous(f"{place}/verify_{token}_signature", "Any JWT is taken, whoever made it.")
        flags = ("iss_not_looked_at_for_legacy_issuer", "signature_not_verified_for_legacy_issuer")
        return {name: {**dict.fromkeys(flags, True), **checks}}
    found = {}
    if config[f"{token}_jwks_uri"]:
        keys = _fetched(draft, config, token, place)
        found[name] = {"iss_not_looked_at_for_legacy_issuer": True, **keys, **checks}
    for number, each in enumerate(config.get(f"{token}_issuers") or (), start=1):
        keys = _keys(draft, each["jwks_uri"], f"{place}/{token}_issuers")
        found[f"{name}-{number}"] = {"issuer": each["issuer"], **keys, **checks}
    return found


def _keys(draft: Draft, url: str, place: str) -> dict[str, Any]:
    return {
        "keys": {"url": url},
        "algorithms": _SIGNATURES,
        "keys_fetched_again_after_wrong_signature": True,
        "keys_tried_without_kid": 4,
        **draft.reached(url, place),
    }


def _fetched(draft: Draft, config: Mapping[str, Any], token: str, place: str) -> dict[str, Any]:
    uri = f"{token}_jwks_uri"
    section = _keys(draft, config[uri], f"{place}/{uri}")
    name, password = config[f"{uri}_client_username"], config[f"{uri}_client_password"]
    if name and password:
        section["keys"] |= {"username": name, "password": password}
    elif name or password:
        draft.notes.changed(f"{place}/{uri}_client_username", "A name and a password are sent together or not at all.")
    certificate = f"{uri}_client_certificate"
    section["keys"] |= draft.client_certificate(config[certificate], f"{place}/{certificate}")
    period = config[f"{uri}_rotate_period"]
    if period:
        section["refresh_seconds"] = min(max(period, 1), _MOST_PERIOD)
    else:
        draft.notes.changed(f"{place}/{uri}_rotate_period", "Keys are fetched again every five minutes.")
    if not config[f"{token}_endpoints_ssl_verify"]:
        draft.notes.changed(
            f"{place}/{token}_endpoints_ssl_verify",
            "Certificates are always verified; name whom to trust in lua_ssl_trusted_certificate.",
        )
    return section


def _checks(draft: Draft, config: Mapping[str, Any], token: str, place: str) -> dict[str, Any]:
    """What is asked of the claims of a JWT."""
    checks: dict[str, Any] = {
        "audience": "any",
        "claims": list(_rules(config, token)),
        "exp_optional_for_legacy_tokens": True,
        "iat_not_looked_at_for_legacy_tokens": True,
        **_leeway(draft, config, token, place),
    }
    for kind, name in (("expiry", "exp"), ("notbefore", "nbf")):
        if not config[f"verify_{token}_{kind}"]:
            checks[f"{name}_not_looked_at_for_legacy_tokens"] = True
        elif config[f"{token}_{kind}_claim"] != [name]:
            checks[f"{name}_claim"] = list(config[f"{token}_{kind}_claim"])
    if not config[f"verify_{token}_expiry"]:
        draft.notes.dangerous(f"{place}/verify_{token}_expiry", "Tokens are accepted for ever.")
    return checks


def _leeway(draft: Draft, config: Mapping[str, Any], checked: str, place: str) -> dict[str, Any]:
    asked = config[f"{checked}_leeway"]
    seconds = min(max(int(asked), 0), _MOST_LEEWAY)
    if seconds != asked:
        draft.notes.changed(f"{place}/{checked}_leeway", "Whole seconds, from 0 to 366 days.")
    if seconds > _USUAL_LEEWAY:
        draft.notes.dangerous(f"{place}/{checked}_leeway", "Tokens live long beyond their end.")
        return {"leeway_seconds": seconds, "long_leeway_allowed_for_legacy_tokens": True}
    return {"leeway_seconds": seconds}


def _rules(config: Mapping[str, Any], checked: str) -> Iterator[dict[str, Any]]:
    """The rules on claims: what may be where, and what must be there."""
    optional = [list(path) for path in config[f"{checked}_optional_claims"] or ()]
    for kind, plural in _LIST_OF.items():
        allowed, path = config[f"{checked}_{plural}_allowed"], list(config[f"{checked}_{kind}_claim"])
        if config[f"verify_{checked}_{kind}"] and allowed:
            comparison = "any_of" if kind == "audience" else "one_of"
            present = {"if_present": True} if path in optional else {}
            yield {"claim": path, comparison: list(allowed), **present}
    for path in config[f"{checked}_required_claims"] or ():
        yield {"claim": list(path), "required": True}


def _of_opaque(draft: Draft, plugin: Mapping[str, Any], token: str) -> dict[str, dict[str, Any]]:
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    endpoint = config[f"{token}_introspection_endpoint"]
    if not endpoint or not config[f"enable_{token}_introspection"]:
        return {}
    asked = _introspection(draft, config, token, place)
    leeway = _leeway(draft, config, f"{token}_introspection", place)
    asked["leeway_seconds"] = leeway.pop("leeway_seconds")
    reached = draft.reached(endpoint, f"{place}/{token}_introspection_endpoint")
    return {f"{plugin['id']}-{token}-asked": {"introspection": asked, "audience": "any", **leeway, **reached}}


def _introspection(draft: Draft, config: Mapping[str, Any], token: str, place: str) -> dict[str, Any]:
    """How the endpoint is asked."""
    own = f"{token}_introspection"
    body = dict(parse_qsl(config[f"{own}_body_args"] or "", keep_blank_values=True))
    if "" in body.values():
        draft.notes.changed(f"{place}/{own}_body_args", "An argument without a value is not sent.")
    hint = config[f"{own}_hint"]
    section: dict[str, Any] = {
        "endpoint": config[f"{own}_endpoint"],
        "hint": hint or None,
        "hint_parameter": config.get(f"{own}_hint_parameter") or "token_type_hint",
        "body": {name: value for name, value in body.items() if value},
        "attempts": 2,
        "active_kept_for_legacy_upstream": True,
        "rules": list(_rules(config, own)),
        **_answer_times(config, own),
    }
    authorization = config[f"{own}_authorization"]
    section |= {"authorization": authorization} if authorization else {"auth": "none"}
    if config[f"{own}_timeout"]:
        section["timeout_seconds"] = min(config[f"{own}_timeout"] / 1000, _MOST_SECONDS_OF_A_QUESTION)
    if config[f"{own}_jwt_claim"]:
        section["jwt_claim"] = list(config[f"{own}_jwt_claim"])
        if config[f"trust_{own}"]:
            section["inner_claims_not_checked_for_legacy_issuer"] = True
    if not config[f"cache_{own}"]:
        section |= {"cache_seconds": 0, "negative_cache_seconds": 0}
    else:
        draft.notes.changed(f"{place}/cache_{own}", "An answer is used for a minute, and never beyond the token's end.")
    return section


def _answer_times(config: Mapping[str, Any], own: str) -> dict[str, Any]:
    found: dict[str, Any] = {"iat_not_looked_at_for_legacy_issuer": True}
    claims = {}
    for kind, name in (("expiry", "exp"), ("notbefore", "nbf")):
        if not config[f"verify_{own}_{kind}"]:
            found[f"{name}_not_looked_at_for_legacy_issuer"] = True
        elif config[f"{own}_{kind}_claim"] != [name]:
            claims[name] = list(config[f"{own}_{kind}_claim"])
    return found | ({"claims": claims} if claims else {})
